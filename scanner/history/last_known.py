"""What was known of volumes that a scan could not read: the last recovery point ever seen of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scanner.errors import HistoryError
from scanner.history.database import connected
from scanner.history.manifest import Manifest
from scanner.history.parquet import parquet_of
from scanner.history.store import History
from scanner.history.tables import LAST_KNOWN, TARGETS, VOLUMES
from scanner.inventory.arns import id_of
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
COVERED = """
CREATE VIEW covered AS
SELECT account_id, region, max(scanned_at) AS covered_at FROM kept_targets WHERE status = 'complete' GROUP BY ALL
"""
# Accounts of which some scan that asked the whole fleet read every Region.
WHOLE_ACCOUNTS = """
SELECT DISTINCT account_id FROM (
    SELECT account_id, scan_id, bool_and(status IN ('complete', 'skipped')) AND bool_or(status = 'complete') AS whole
    FROM kept_targets GROUP BY ALL
) WHERE whole AND list_contains($scans, scan_id)
"""
NOTHING_CARRIED = """
SELECT NULL::VARCHAR AS arn, NULL::VARCHAR AS gateway_arn, NULL::VARCHAR AS account_id, NULL::VARCHAR AS region,
       NULL::VARCHAR AS seen_in_scan, NULL::TIMESTAMP AS observed_at, NULL::TIMESTAMP AS recovery_point_time,
       NULL::DOUBLE AS rpo_seconds, NULL::VARCHAR AS verdict, NULL::VARCHAR AS waived, NULL::TIMESTAMP AS scanned_at
LIMIT 0
"""
# When a gateway answered is kept as the age of what it said.
NEWEST = """
WITH known AS (
    SELECT arn, gateway_arn, account_id, region, scan_id AS seen_in_scan,
           coalesce(recovery_point_time + to_seconds(age_seconds), scanned_at) AS observed_at,
           recovery_point_time, rpo_seconds, verdict, waived, scanned_at
    FROM kept_volumes WHERE verdict <> 'unknown'
    UNION ALL
    SELECT arn, gateway_arn, account_id, region, seen_in_scan, observed_at,
           recovery_point_time, rpo_seconds, verdict, waived, scanned_at
    FROM kept_last_known
)
SELECT arn, gateway_arn, account_id, region, seen_in_scan, observed_at, recovery_point_time, rpo_seconds, verdict,
       waived
FROM known LEFT JOIN covered USING (account_id, region)
WHERE (covered_at IS NULL OR scanned_at >= covered_at) AND EXISTS (
    SELECT 1 FROM wanted
    WHERE wanted.account_id = known.account_id AND coalesce(wanted.region, known.region) = known.region
)
QUALIFY row_number() OVER (PARTITION BY account_id, region, split_part(arn, '/', -1) ORDER BY scanned_at DESC) = 1
"""
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
    """The newest that was known of a volume: as `scan_id` saw it."""

    arn: str
    gateway_arn: str | None
    account_id: str
    region: str
    scan_id: str
    observed_at: datetime
    recovery_point_time: datetime | None
    rpo_seconds: float | None
    verdict: str
    waived: str | None

    @property
    def key(self) -> VolumeKey:
        return self.account_id, self.region, id_of(self.arn)


def last_known(history: History, inventory: Inventory) -> tuple[LastKnown, ...]:
    """The last recovery point ever seen of each volume that `inventory` does not know, ordered by ARN.

    Those are volumes whose verdict is `unknown`, and all volumes of targets and gateways that were not read.
    Points only advance, so no volume is older than `at_most_age_seconds` says, counted up to the scan's end.
    Blocks. Raises HistoryError where the history cannot be read.
    """
    wanted = _Wanted.of(inventory)
    pending, accounts = wanted.pending(), set(wanted.accounts)
    if not pending and not accounts:
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
        covered, whole, rows = _read(history, batch, pending, accounts)
        for row in rows:
            if wanted.wants(row):
                found.setdefault(row.key, row)
        # Where a target was read whole, every volume that still exists has been seen, or carried so far.
        pending -= covered
        accounts -= whole
        if not pending and not accounts:
            break
    return tuple(
        _record(row, scan.finished_at, wanted.volumes.get(row.key))
        for row in sorted(found.values(), key=lambda row: row.arn)
    )


def _read(
    history: History, batch: Sequence[Manifest], pending: set[TargetKey], accounts: set[str]
) -> tuple[set[TargetKey], set[str], list[_Row]]:
    """Which targets and accounts were read whole in `batch`, and the newest that it knows of those wanted."""
    import duckdb

    with connected() as database:
        try:
            _choose(database, pending, accounts)
            _open(database, history, batch)
            covered = database.execute("SELECT account_id, region FROM covered").fetchall()
            asked_all = [each.scan.id for each in batch if not each.narrowed and not each.scan.shard]
            whole = database.execute(WHOLE_ACCOUNTS, {"scans": asked_all}).fetchall()
            return (
                {(account, region) for account, region in covered},
                {account for (account,) in whole},
                [_row(values) for values in database.execute(NEWEST).fetchall()],
            )
        except duckdb.Error as error:
            if not history.leave_out_damaged():
                raise HistoryError(f"{history.folder.root}: cannot be read: {error}") from None
    undamaged = {manifest.name for manifest in history.manifests()}
    left = [manifest for manifest in batch if manifest.name in undamaged]
    return _read(history, left, pending, accounts) if left else (set(), set(), [])


def _choose(database: "duckdb.DuckDBPyConnection", pending: set[TargetKey], accounts: set[str]) -> None:
    keys: list[tuple[str, str | None]] = [*pending, *((account, None) for account in accounts)]
    database.execute("CREATE TABLE wanted (account_id VARCHAR, region VARCHAR)")
    database.execute(
        "INSERT INTO wanted SELECT unnest($accounts), unnest($regions)",
        {"accounts": [account for account, _ in keys], "regions": [region for _, region in keys]},
    )


def _open(database: "duckdb.DuckDBPyConnection", history: History, batch: Sequence[Manifest]) -> None:
    targets = parquet_of(history.paths(TARGETS.name, batch))
    volumes = parquet_of(history.paths(VOLUMES.name, batch))
    carried = history.paths(LAST_KNOWN.name, batch)
    database.execute(f"CREATE VIEW kept_targets AS FROM {targets}")
    database.execute(f"CREATE VIEW kept_volumes AS FROM {volumes}")
    source = f"FROM {parquet_of(carried)}" if carried else NOTHING_CARRIED
    database.execute(f"CREATE VIEW kept_last_known AS {source}")
    database.execute(COVERED)


def _row(values: tuple[Any, ...]) -> _Row:
    arn, gateway_arn, account_id, region, scan_id, seen, point, *rest = values
    point = point.replace(tzinfo=UTC) if point else None
    return _Row(arn, gateway_arn, account_id, region, scan_id, seen.replace(tzinfo=UTC), point, *rest)


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
