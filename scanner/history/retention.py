"""Which scans a history may let go: counted from the newest scan, never from the clock."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from scanner.errors import HistoryError
from scanner.history.database import connected
from scanner.history.parquet import parquet_of
from scanner.history.store import History
from scanner.history.tables import LAST_KNOWN, TABLES, TARGETS

CLOCK_TOLERANCE = timedelta(hours=1)
"""How far ahead of this machine's clock a scan may be and still count as the newest."""


@dataclass(frozen=True, slots=True)
class Pruning:
    """What was, or with a dry run would be, removed: the scans' keys, and files that belong to no scan.

    `removed` names every file, manifests first.
    """

    scans: tuple[str, ...]
    orphans: tuple[str, ...]
    removed: tuple[str, ...]
    kept: int


def prune(history: History, keep: timedelta, *, dry_run: bool = False) -> Pruning:
    """Removes scans that are older than `keep`, counted from the newest one; and files of killed writers.

    The newest scan that read each target stays, however old it is. Manifests go first, so that nobody ever
    sees half of a scan. Blocks. Raises HistoryError where the history cannot be read or changed.
    """
    needed = _needed(history)
    manifests = history.manifests()
    # A scan that a wrong clock has dated in the future must not make all others old.
    latest = datetime.now(UTC) + CLOCK_TOLERANCE
    past = [each.scan.started_at for each in manifests if each.scan.started_at <= latest]
    newest = max(past, default=None)
    old = [each for each in manifests if newest and newest - each.scan.started_at > keep]
    gone = [manifest for manifest in old if manifest.file(TARGETS.name).name not in needed]
    orphans = _orphans(history)
    removed = [manifest.name for manifest in gone]
    removed += [file.name for manifest in gone for file in manifest.files]
    removed += orphans + _alerts(history, {manifest.key for manifest in gone})
    if not dry_run:
        for name in removed:
            history.folder.remove(name)
        history.folder.sweep()
    return Pruning(
        tuple(each.key for each in gone), tuple(orphans), tuple(removed), len(manifests) - len(gone)
    )


def _needed(history: History) -> set[str]:
    """The files of targets of those scans that were the last to read some target; damaged scans are left out."""
    import duckdb

    paths = history.paths(TARGETS.name, history.manifests())
    if not paths:
        return set()
    with connected() as database:
        try:
            found = database.execute(
                f"SELECT DISTINCT arg_max(filename, scanned_at) FROM {parquet_of(paths, more=', filename = true')}"
                " WHERE status IN ('complete', 'partial') GROUP BY account_id, region"
            ).fetchall()
        except duckdb.Error as error:
            if not history.leave_out_damaged():
                raise HistoryError(f"{history.folder.root}: cannot be read: {error}") from None
        else:
            return {str(path).removeprefix(f"{history.folder.root}/") for (path,) in found}
    return _needed(history)


def _alerts(history: History, gone: set[str]) -> list[str]:
    """What was told of scans that are let go; the newest of all still says what is open."""
    names = history.folder.names("alerts")
    return [name for name in names[:-1] if name.removeprefix("alerts/").removesuffix(".json") in gone]


def _orphans(history: History) -> list[str]:
    """Files of no scan at all; those of a scan whose manifest cannot be read may yet be of use."""
    known = {name.removeprefix("scans/").removesuffix(".json") for name in history.manifest_names()}
    return [
        name
        for table in (*TABLES, LAST_KNOWN.name)
        for name in history.folder.abandoned(table)
        if name.removeprefix(f"{table}/").removesuffix(".parquet") not in known
    ]
