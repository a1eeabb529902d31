"""What was known of volumes that a scan could not read: the last recovery point ever seen of each."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scanner.errors import HistoryError
from scanner.history.database import connected, quoted
from scanner.history.manifest import Manifest
from scanner.history.parquet import parquet_of
from scanner.history.store import History
from scanner.history.tables import LAST_KNOWN, TARGETS, VOLUMES
from scanner.inventory.model import Inventory
from scanner.inventory.records import (
    ANY_REGION,
    GatewayStatus,
    LastKnown,
    TargetStatus,
    VerdictStatus,
)

if TYPE_CHECKING:
    import duckdb

AT_ONCE = 16
"""Scans that are looked at in one query, newest first: most walks end within the first few."""
TargetKey = tuple[str, str]
VolumeKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a scan did not read: whole targets, whole accounts, and in targets that it read single volumes.

    `volumes` holds the RPO that the scan knows for each of those.
    """

    targets: frozenset[TargetKey]
    partial: frozenset[TargetKey]
    accounts: frozenset[str]
    gateways: frozenset[str]
    volumes: dict[VolumeKey, float | None]
    read: frozenset[VolumeKey]

    @classmethod
    def of(cls, inventory: Inventory) -> "_Wanted":
        unread = {target.key for target in inventory.targets if target.status is TargetStatus.FAILED}
        unknown = VerdictStatus.UNKNOWN
        return cls(
            frozenset(key for key in unread if key[1] != ANY_REGION),
            frozenset(each.key for each in inventory.targets if each.status is TargetStatus.PARTIAL),
            frozenset(account for account, region in unread if region == ANY_REGION),
            frozenset(each.arn for each in inventory.gateways if each.status is GatewayStatus.FAILED),
            {
                (each.account_id, each.region, each.id): each.verdict.rpo_seconds
                for each in inventory.volumes
                if each.verdict.status is unknown
            },
            frozenset(
                (each.account_id, each.region, each.id)
                for each in inventory.volumes
                if each.verdict.status is not unknown
            ),
        )

    def pending(self) -> set[TargetKey]:
        """The targets whose past has to be looked at; those of whole accounts are met on the way."""
        return {*self.targets, *self.partial, *(key[:2] for key in self.volumes)}

    def wants(self, row: "_Row") -> bool:
        if row.key in self.read:
            # It is on another gateway by now.
            return False
        return (
            row.key[:2] in self.targets
            or row.account_id in self.accounts
            or row.gateway_arn in self.gateways
            or row.key in self.volumes
        )


@dataclass(frozen=True, slots=True)
class _Row:
    """A volume as the kept scan `kept_in` saw it, or knew it from `scan_id`, which saw it before."""

    kept_in: str
    scan_id: str
    observed_at: datetime
    arn: str
    gateway_arn: str | None
    account_id: str
    region: str
    recovery_point_time: datetime | None
    rpo_seconds: float | None
    verdict: str
    waived: str | None

    @property
    def key(self) -> VolumeKey:
        return self.account_id, self.region, self.arn.rpartition("/")[2]


def last_known(history: History, inventory: Inventory) -> tuple[LastKnown, ...]:
    """The last recovery point ever seen of each volume that `inventory` does not know, ordered by ARN.

    Those are volumes whose verdict is `unknown`, and all volumes of targets and gateways that were not read.
    Points only advance, so no volume is older than `at_most_age_seconds` says, counted up to the scan's end.
    Blocks. Raises HistoryError where the history cannot be read.
    """
    wanted = _Wanted.of(inventory)
    pending = wanted.pending()
    if not pending and not wanted.accounts:
        return ()
    scan = inventory.scan
    earlier = [
        each
        for each in history.manifests()
        if each.scan.started_at < scan.started_at and each.scan.id != scan.id
    ]
    found: dict[VolumeKey, _Row] = {}
    for start in range(len(earlier), 0, -AT_ONCE):
        batch = earlier[max(0, start - AT_ONCE) : start]
        covered, rows = _read(history, batch, pending, wanted.accounts)
        _take(batch, rows, covered, pending, wanted, found)
        if not pending and not wanted.accounts:
            break
    return tuple(
        _record(row, scan.finished_at, wanted.volumes.get(row.key))
        for row in sorted(found.values(), key=lambda row: row.arn)
    )


def _take(
    batch: Sequence[Manifest],
    rows: Iterable[_Row],
    covered: dict[str, set[TargetKey]],
    pending: set[TargetKey],
    wanted: _Wanted,
    found: dict[VolumeKey, _Row],
) -> None:
    by_scan: dict[str, list[_Row]] = {}
    for row in rows:
        by_scan.setdefault(row.kept_in, []).append(row)
    done: set[TargetKey] = set()
    for manifest in reversed(batch):
        for row in by_scan.get(manifest.scan.id, ()):
            if row.key[:2] not in done and wanted.wants(row):
                found.setdefault(row.key, row)
        # Where a target was read whole, every volume that still exists has been seen, or carried so far.
        done |= covered.get(manifest.scan.id, set())
    pending -= done


def _read(
    history: History, batch: Sequence[Manifest], pending: set[TargetKey], accounts: frozenset[str]
) -> tuple[dict[str, set[TargetKey]], list[_Row]]:
    """Which targets each scan of `batch` read whole, and what it knew of the volumes of those `pending`."""
    import duckdb

    with connected() as database:
        try:
            covered: dict[str, set[TargetKey]] = {}
            complete = f"status = {quoted(TargetStatus.COMPLETE.value)}"
            source = parquet_of(history.paths(TARGETS.name, batch))
            for scan_id, account, region in database.execute(
                f"SELECT scan_id, account_id, region FROM {source} WHERE {complete}"
            ).fetchall():
                covered.setdefault(scan_id, set()).add((account, region))
            return covered, list(_rows(database, history, batch, pending, accounts))
        except duckdb.Error as error:
            if not history.leave_out_damaged():
                raise HistoryError(f"{history.folder.root}: cannot be read: {error}") from None
    whole = {manifest.name for manifest in history.manifests()}
    left = [manifest for manifest in batch if manifest.name in whole]
    return _read(history, left, pending, accounts) if left else ({}, [])


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
    volumes = parquet_of(history.paths(VOLUMES.name, batch))
    # When a gateway answered is kept as the age of what it said.
    answered = "coalesce(recovery_point_time + to_seconds(age_seconds), scanned_at)"
    yield from _found(database, f"scan_id, scan_id, {answered}", volumes, " AND verdict <> 'unknown'")
    carried = history.paths(LAST_KNOWN.name, batch)
    if carried:
        yield from _found(database, "scan_id, seen_in_scan, observed_at", parquet_of(carried))


def _found(
    database: "duckdb.DuckDBPyConnection", scans: str, source: str, condition: str = ""
) -> Iterator[_Row]:
    found = database.execute(
        f"SELECT {scans}, arn, gateway_arn, account_id, region, recovery_point_time, rpo_seconds,"
        f" verdict, waived FROM {source} AS kept"
        " WHERE EXISTS (SELECT 1 FROM wanted WHERE wanted.account_id = kept.account_id"
        f" AND coalesce(wanted.region, kept.region) = kept.region){condition}"
    ).fetchall()
    return (_row(values) for values in found)


def _row(values: tuple[Any, ...]) -> _Row:
    kept_in, scan_id, seen, arn, gateway_arn, account_id, region, point, *rest = values
    point = point.replace(tzinfo=UTC) if point else None
    return _Row(
        kept_in, scan_id, seen.replace(tzinfo=UTC), arn, gateway_arn, account_id, region, point, *rest
    )


def _record(row: _Row, moment: datetime, rpo_now: float | None) -> LastKnown:
    age = (moment - row.recovery_point_time).total_seconds() if row.recovery_point_time else None
    rpo = row.rpo_seconds if rpo_now is None else rpo_now
    return LastKnown(
        arn=row.arn,
        gateway_arn=row.gateway_arn,
        account_id=row.account_id,
        region=row.region,
        recovery_point_time=row.recovery_point_time,
        observed_at=row.observed_at,
        scan_id=row.scan_id,
        at_most_age_seconds=age,
        rpo_seconds=rpo,
        within_rpo=None if rpo is None else age is not None and age <= rpo,
        verdict=VerdictStatus(row.verdict),
        waived=row.waived,
    )
