"""Which scans a history may let go: counted from the newest scan, never from the clock."""

import time
from dataclasses import dataclass
from datetime import timedelta

from scanner.history.manifest import Manifest
from scanner.history.parquet import read_table
from scanner.history.store import History
from scanner.history.tables import TABLES, TARGETS

ORPHANS_AFTER = timedelta(days=1)
"""Files without a manifest that are older belong to no writer that is still at work."""


@dataclass(frozen=True, slots=True)
class Pruning:
    """What was, or with a dry run would be, removed: the scans' keys, and files that belong to no scan."""

    scans: tuple[str, ...]
    orphans: tuple[str, ...]
    kept: int


def prune(history: History, keep: timedelta, *, dry_run: bool = False) -> Pruning:
    """Removes scans that are older than `keep`, counted from the newest one; and files of killed writers.

    The newest scan that read each target stays, however old it is. Manifests go first, so that nobody ever
    sees half of a scan. Raises HistoryError where the history cannot be read or changed.
    """
    manifests = history.manifests()
    newest = max((manifest.scan.started_at for manifest in manifests), default=None)
    old = [each for each in manifests if newest and newest - each.scan.started_at > keep]
    needed = _needed(history, manifests) if old else set()
    gone = [manifest for manifest in old if manifest.key not in needed]
    orphans = _orphans(history, manifests)
    if not dry_run:
        for manifest in gone:
            history.folder.remove(manifest.name)
        for name in (*(file.name for manifest in gone for file in manifest.files), *orphans):
            history.folder.remove(name)
    return Pruning(tuple(each.key for each in gone), tuple(orphans), len(manifests) - len(gone))


def _needed(history: History, manifests: list[Manifest]) -> set[str]:
    """The keys of the scans that were the last to read some target."""
    last: dict[tuple[str, str], str] = {}
    for manifest in manifests:
        for row in read_table(TARGETS, [history.folder.path(manifest.file("targets").name)]):
            if row["status"] in ("complete", "partial"):
                last[row["account_id"], row["region"]] = manifest.key
    return set(last.values())


def _orphans(history: History, manifests: list[Manifest]) -> list[str]:
    known = {file.name for manifest in manifests for file in manifest.files}
    before = time.time() - ORPHANS_AFTER.total_seconds()
    return [
        name
        for table in TABLES
        for name in history.folder.names(table)
        if name not in known and history.folder.path(name).stat().st_mtime < before
    ]
