"""What became of the volumes of the scan before: seen again, or why not."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scanner.errors import HistoryError
from scanner.history.changes import ChangeKind, Scope, went_backwards
from scanner.history.database import connected
from scanner.history.parquet import parquet_of
from scanner.history.store import History, KeptScan
from scanner.history.tables import LAST_KNOWN, VOLUMES
from scanner.inventory.model import Inventory
from scanner.inventory.records import VerdictStatus

TOLD = (ChangeKind.BACKWARDS, ChangeKind.VANISHED, ChangeKind.LEFT_SCOPE, ChangeKind.NOT_ASKED)
"""What the inventory itself cannot tell; what was not read stands in it."""


@dataclass(frozen=True, slots=True)
class Since:
    """Against the last scan that asked the whole fleet: how many of its volumes came to what, in the order of `TOLD`.

    `backwards` are the ARNs of volumes whose recovery point is older than one that was seen before, or gone.
    """

    scan_id: str
    scanned_at: datetime
    counts: Mapping[ChangeKind, int]
    backwards: tuple[str, ...]


def since(history: History, inventory: Inventory, *, narrowed: bool = False) -> Since | None:
    """What became of the volumes of the scan before; None where there is none.

    `narrowed`: `inventory` was asked for a part of the fleet only. Blocks, and holds no second inventory. Raises
    HistoryError where the history cannot be read.
    """
    scan = inventory.scan
    earlier = [
        each
        for each in history.scans()
        if each.started_at < scan.started_at and each.id != scan.id and not each.narrowed
    ]
    if not earlier:
        return None
    rows = _volumes_of(history, earlier[-1])
    if rows is None:
        # It is damaged, and left out from now on.
        return since(history, inventory, narrowed=narrowed)
    scope = Scope(inventory, narrowed=narrowed)
    seen = {(each.account_id, each.region, each.id): each for each in inventory.volumes}
    counts: Counter[ChangeKind] = Counter()
    backwards = []
    for account_id, region, id, point in rows:
        volume = seen.get((account_id, region, id))
        if volume is None:
            counts[scope.absence(account_id, region)] += 1
        elif volume.verdict.status is not VerdictStatus.UNKNOWN and went_backwards(
            point.replace(tzinfo=UTC) if point else None, volume.recovery_point_time
        ):
            counts[ChangeKind.BACKWARDS] += 1
            backwards.append(volume.arn)
    found = {kind: counts[kind] for kind in TOLD if counts[kind]}
    return Since(earlier[-1].id, earlier[-1].started_at, found, tuple(sorted(backwards)))


def _volumes_of(history: History, scan: KeptScan) -> Sequence[tuple[Any, ...]] | None:
    """The volumes that a scan saw, and those that it knew from earlier ones; None for one that is damaged."""
    import duckdb

    files = [path for table in (VOLUMES, LAST_KNOWN) for path in history.paths(table.name, scan.parts)]
    with connected() as database:
        try:
            # A volume that is not known stands in both, and its point in one of them.
            return database.execute(
                "SELECT account_id, region, split_part(arn, '/', -1), max(recovery_point_time)"
                f" FROM {parquet_of(files)} GROUP BY ALL"
            ).fetchall()
        except duckdb.Error as error:
            if not history.leave_out_damaged():
                raise HistoryError(f"{history.folder.root}: cannot be read: {error}") from None
    return None
