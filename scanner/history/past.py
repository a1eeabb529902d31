"""What a history knows beside one of its scans, for whoever shows that scan."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from scanner.history.changes import Change, ChangeKind, diff
from scanner.history.queries import asked
from scanner.history.store import History, KeptScan
from scanner.inventory.model import Inventory
from scanner.inventory.records import VerdictStatus, is_breach
from scanner.summary.past import Aged, Changed, Compliance, Danger, Past, VolumeKey, key_of

if TYPE_CHECKING:
    import duckdb

MOST_VOLUMES = 20
"""Volumes whose ages are told scan by scan."""
MOST_EXAMPLES = 10
"""Changes of one kind that are told by name."""
COMPLIANCE = """
SELECT scan_id, scanned_at, sum(within_rpo)::BIGINT, sum(beyond_rpo)::BIGINT, sum(unknown)::BIGINT
FROM compliance WHERE scanned_at >= $begin AND scanned_at <= $end
GROUP BY ALL ORDER BY scanned_at, scan_id
"""
OPEN = """
SELECT account_id, region, split_part(arn, '/', -1), since, possibly_since
FROM spells WHERE first_seen <= $end AND (ended_seen IS NULL OR ended_seen > $end) ORDER BY first_seen
"""
AGES = """
SELECT account_id, region, id, scan_id, scanned_at, age_seconds, rpo_seconds
FROM volumes WHERE id IN (SELECT unnest($ids::VARCHAR[])) AND scanned_at >= $begin AND scanned_at <= $end
ORDER BY scanned_at, scan_id
"""
ALARMING = (VerdictStatus.NO_RECOVERY_POINT.value, VerdictStatus.BREACH.value)
ORDER = (
    ChangeKind.BACKWARDS,
    ChangeKind.VANISHED,
    ChangeKind.NOT_READ,
    ChangeKind.LEFT_SCOPE,
    ChangeKind.STATUS,
    ChangeKind.CAME,
    ChangeKind.MOVED,
    ChangeKind.READ,
    ChangeKind.ENDED,
    ChangeKind.NOT_ASKED,
)
"""Kinds of changes, those to look at first."""
SUBJECTS = ("volume", "gateway", "target", "failure")


def past_of(
    history: History, kept: KeptScan, inventory: Inventory, over: timedelta = timedelta(days=90)
) -> Past:
    """What the history knows up to the scan `kept`, which is `inventory`. Blocks; raises HistoryError."""
    scans = [each for each in history.scans() if each.started_at <= kept.started_at]
    # A part of the fleet tells nothing of the whole.
    alike = {each.id: each for each in scans if each.narrowed <= kept.narrowed}
    bounds = {"begin": _naive(kept.started_at - over), "end": _naive(max(_begins(kept)))}

    def read(database: "duckdb.DuckDBPyConnection") -> Past:
        rows = database.execute(COMPLIANCE, bounds).fetchall()
        danger = {
            (account, region, id): Danger(_utc(since), _utc(possibly))
            for account, region, id, since, possibly in database.execute(
                OPEN, {"end": bounds["end"]}
            ).fetchall()
        }
        return Past(
            scans=tuple(_by_scan(rows, alike)),
            danger=danger,
            ages=_ages(database, _longest(inventory, danger), alike, bounds),
        )

    found = asked(history, read)
    before = [each for each in alike.values() if (each.started_at, each.id) < (kept.started_at, kept.id)]
    if not before:
        return found
    changes = diff(
        history.read(before[-1]), inventory, old_narrowed=before[-1].narrowed, new_narrowed=kept.narrowed
    )
    return Past(found.scans, found.danger, found.ages, before[-1].started_at, tuple(_grouped(changes)))


def _begins(kept: KeptScan) -> Iterator[datetime]:
    return (part.scan.started_at for part in kept.parts)


def _by_scan(rows: Iterable[tuple[Any, ...]], alike: Iterable[str]) -> Iterator[Compliance]:
    """A scan in shards has a row for the beginning of each, and is one scan all the same."""
    wanted = set(alike)
    parts: dict[str, list[tuple[datetime, int, int, int]]] = defaultdict(list)
    for scan_id, *counts in rows:
        if scan_id in wanted:
            parts[scan_id].append((counts[0], counts[1], counts[2], counts[3]))
    for scan_id, each in parts.items():
        moments, within, beyond, unknown = zip(*each, strict=True)
        yield Compliance(scan_id, _utc(min(moments)), sum(within), sum(beyond), sum(unknown))


def _longest(inventory: Inventory, danger: dict[VolumeKey, Danger]) -> list[VolumeKey]:
    """The volumes that need action, those in danger for longest first."""
    keys = [key_of(volume) for volume in inventory.volumes if is_breach(volume.verdict)]
    known = [key for key in keys if key in danger]
    return sorted(known, key=lambda key: (danger[key].since, key))[:MOST_VOLUMES]


def _ages(
    database: "duckdb.DuckDBPyConnection",
    keys: Sequence[VolumeKey],
    scans: Iterable[str],
    bounds: dict[str, datetime],
) -> dict[VolumeKey, tuple[Aged, ...]]:
    ages: dict[VolumeKey, list[Aged]] = {key: [] for key in keys}
    wanted = set(scans)
    for account, region, id, scan_id, at, age, rpo in database.execute(
        AGES, {"ids": [id for _, _, id in keys], **bounds}
    ).fetchall():
        if (account, region, id) in ages and scan_id in wanted:
            ages[account, region, id].append(Aged(_utc(at), age, rpo))
    return {key: tuple(each) for key, each in ages.items()}


def _grouped(changes: Iterable[Change]) -> list[Changed]:
    groups: dict[tuple[str, ChangeKind, str | None, str | None], list[Change]] = defaultdict(list)
    for change in changes:
        # What moved or went backwards differs from volume to volume.
        states = (change.before, change.after) if change.kind in _TOLD_BY_STATE else (None, None)
        groups[(change.what, change.kind, *states)].append(change)
    found = [
        Changed(
            what,
            kind.value,
            before,
            after,
            len(each),
            tuple((one.account_id, one.region, one.key) for one in each[:MOST_EXAMPLES]),
        )
        for (what, kind, before, after), each in groups.items()
    ]
    return sorted(found, key=_alarm)


_TOLD_BY_STATE = (ChangeKind.STATUS, ChangeKind.CAME, ChangeKind.READ)


def _alarm(group: Changed) -> tuple[bool, int, int, int, str]:
    """What got worse first, then by what it is and how many there are."""
    worse = group.what == "volume" and group.after in ALARMING
    what, kind = SUBJECTS.index(group.what), ORDER.index(ChangeKind(group.kind))
    return not worse, what, kind, -group.count, group.after or ""


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
