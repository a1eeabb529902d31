"""What was known of volumes that a scan could not read: the last recovery point ever seen of each."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scanner.history.database import connected, quoted
from scanner.history.manifest import Manifest
from scanner.history.store import History
from scanner.inventory.model import Inventory
from scanner.inventory.records import ANY_REGION, GatewayStatus, LastKnown, TargetStatus, VerdictStatus

if TYPE_CHECKING:
    import duckdb

AT_ONCE = 16
"""Scans that are looked at in one query, newest first: most walks end within the first few."""
TargetKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a scan did not read: whole targets, whole accounts, and in targets that it read single volumes."""

    targets: frozenset[TargetKey]
    accounts: frozenset[str]
    gateways: frozenset[str]
    volumes: frozenset[tuple[str, str, str]]

    @classmethod
    def of(cls, inventory: Inventory) -> "_Wanted":
        unread = {target.key for target in inventory.targets if target.status is TargetStatus.FAILED}
        return cls(
            frozenset(key for key in unread if key[1] != ANY_REGION),
            frozenset(account for account, region in unread if region == ANY_REGION),
            frozenset(each.arn for each in inventory.gateways if each.status is GatewayStatus.FAILED),
            frozenset(
                (each.account_id, each.region, each.id)
                for each in inventory.volumes
                if each.verdict.status is VerdictStatus.UNKNOWN
            ),
        )

    def pending(self, inventory: Inventory) -> set[TargetKey]:
        """The targets whose past has to be looked at; those of whole accounts are met on the way."""
        partly = {target.key for target in inventory.targets if target.status is TargetStatus.PARTIAL}
        return {*self.targets, *partly, *(key[:2] for key in self.volumes)}

    def wants(self, row: "_Row") -> bool:
        return (
            (row.account_id, row.region) in self.targets
            or row.account_id in self.accounts
            or row.gateway_arn in self.gateways
            or row.key in self.volumes
        )


@dataclass(frozen=True, slots=True)
class _Row:
    """A volume with a recovery point, as one kept scan saw it."""

    scan_id: str
    scanned_at: datetime
    arn: str
    gateway_arn: str | None
    account_id: str
    region: str
    recovery_point_time: datetime
    rpo_seconds: float | None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.account_id, self.region, self.arn.rpartition("/")[2]


def last_known(history: History, inventory: Inventory) -> tuple[LastKnown, ...]:
    """The last recovery point ever seen of each volume that `inventory` does not know, ordered by ARN.

    Those are volumes whose verdict is `unknown`, and all volumes of targets and gateways that were not read.
    Points only advance, so no volume is older than `at_most_age_seconds` says, counted up to the scan's end.
    Blocks. Raises HistoryError where the history cannot be read.
    """
    wanted = _Wanted.of(inventory)
    pending = wanted.pending(inventory)
    if not pending and not wanted.accounts:
        return ()
    earlier = [each for each in history.manifests() if each.scan.started_at < inventory.scan.started_at]
    found: dict[tuple[str, str, str], _Row] = {}
    for start in range(len(earlier), 0, -AT_ONCE):
        batch = earlier[max(0, start - AT_ONCE) : start]
        with connected() as database:
            covered = _covered(database, history, batch)
            rows = _rows(database, history, batch, pending, wanted.accounts)
        _take(batch, rows, covered, pending, wanted, found)
        if not pending and not wanted.accounts:
            break
    finished = inventory.scan.finished_at
    return tuple(_record(row, finished) for row in sorted(found.values(), key=lambda row: row.arn))


def _take(
    batch: Sequence[Manifest],
    rows: Iterable[_Row],
    covered: dict[str, set[TargetKey]],
    pending: set[TargetKey],
    wanted: _Wanted,
    found: dict[tuple[str, str, str], _Row],
) -> None:
    by_scan: dict[str, list[_Row]] = {}
    for row in rows:
        by_scan.setdefault(row.scan_id, []).append(row)
    done: set[TargetKey] = set()
    for manifest in reversed(batch):
        for row in by_scan.get(manifest.scan.id, ()):
            if (row.account_id, row.region) not in done and wanted.wants(row):
                found.setdefault(row.key, row)
        # Where a target was read whole, every volume that still exists has been seen.
        done |= covered.get(manifest.scan.id, set())
    pending -= done


def _covered(
    database: "duckdb.DuckDBPyConnection", history: History, batch: Sequence[Manifest]
) -> dict[str, set[TargetKey]]:
    covered: dict[str, set[TargetKey]] = {}
    for scan_id, account, region in database.execute(
        f"SELECT scan_id, account_id, region FROM {_files(history, batch, 'targets')}"
        f" WHERE status = {quoted(TargetStatus.COMPLETE.value)}"
    ).fetchall():
        covered.setdefault(scan_id, set()).add((account, region))
    return covered


def _rows(
    database: "duckdb.DuckDBPyConnection",
    history: History,
    batch: Sequence[Manifest],
    pending: set[TargetKey],
    accounts: frozenset[str],
) -> Iterator[_Row]:
    database.execute("CREATE TABLE wanted (account_id VARCHAR, region VARCHAR)")
    keys: list[tuple[str, str | None]] = [*pending, *((account, None) for account in accounts)]
    database.execute(
        "INSERT INTO wanted SELECT unnest($accounts), unnest($regions)",
        {"accounts": [account for account, _ in keys], "regions": [region for _, region in keys]},
    )
    found = database.execute(
        "SELECT scan_id, scanned_at, arn, gateway_arn, account_id, region, recovery_point_time, rpo_seconds"
        f" FROM {_files(history, batch, 'volumes')} AS kept"
        " WHERE recovery_point_time IS NOT NULL AND EXISTS ("
        "SELECT 1 FROM wanted WHERE wanted.account_id = kept.account_id"
        " AND coalesce(wanted.region, kept.region) = kept.region)"
    ).fetchall()
    return (_row(values) for values in found)


def _row(values: tuple[Any, ...]) -> _Row:
    scan_id, scanned_at, arn, gateway_arn, account_id, region, point, rpo = values
    seen, point = scanned_at.replace(tzinfo=UTC), point.replace(tzinfo=UTC)
    return _Row(scan_id, seen, arn, gateway_arn, account_id, region, point, rpo)


def _files(history: History, batch: Sequence[Manifest], table: str) -> str:
    paths = ", ".join(quoted(history.folder.path(manifest.file(table).name)) for manifest in batch)
    return f"read_parquet([{paths}], union_by_name = true)"


def _record(row: _Row, moment: datetime) -> LastKnown:
    age = (moment - row.recovery_point_time).total_seconds()
    return LastKnown(
        arn=row.arn,
        gateway_arn=row.gateway_arn,
        account_id=row.account_id,
        region=row.region,
        recovery_point_time=row.recovery_point_time,
        observed_at=row.scanned_at,
        scan_id=row.scan_id,
        at_most_age_seconds=age,
        rpo_seconds=row.rpo_seconds,
        within_rpo=None if row.rpo_seconds is None else age <= row.rpo_seconds,
    )
