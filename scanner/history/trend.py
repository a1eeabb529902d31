"""How well a fleet kept its recovery point objectives over time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from scanner.history.queries import asked
from scanner.history.store import History
from scanner.summary.past import Compliance

if TYPE_CHECKING:
    import duckdb

COMPLIANCE = """
SELECT scan_id, scanned_at, sum(within_rpo)::BIGINT, sum(beyond_rpo)::BIGINT, sum(unknown)::BIGINT
FROM compliance WHERE scanned_at >= (SELECT max(scanned_at) FROM scans) - to_seconds($over)
GROUP BY ALL ORDER BY scanned_at, scan_id
"""
SPELLS = "SELECT since, possibly_since, last_seen, ended_seen FROM spells"


@dataclass(frozen=True, slots=True)
class Trend:
    """Compliance scan by scan, and minutes in danger: those that are certain, and those that are possible.

    A volume was certainly in danger from when its RPO was exceeded to the last scan that saw it so, and possibly
    up to the first scan that saw it well. `burn_3_days` and `burn_30_days`: possible minutes in danger for each
    rated volume and day, over the last days; None where the history does not reach so far back.
    """

    scans: tuple[Compliance, ...]
    certain_minutes: float
    possible_minutes: float
    burn_3_days: float | None
    burn_30_days: float | None


@dataclass(frozen=True, slots=True)
class _Spell:
    since: datetime
    possibly_since: datetime
    last_seen: datetime
    ended_seen: datetime | None


def trend(history: History, over: timedelta = timedelta(days=90)) -> Trend:
    """The trend over the time before the newest scan. Blocks. Raises HistoryError as `query` does."""
    scans, spells = asked(history, lambda database: _read(database, over))
    if not scans:
        return Trend((), 0.0, 0.0, None, None)
    newest = scans[-1].scanned_at
    start = newest - over
    rated = scans[-1].within_rpo + scans[-1].beyond_rpo

    def possible(begin: datetime) -> float:
        return sum(_minutes(each.possibly_since, each.ended_seen or newest, begin, newest) for each in spells)

    def burn(days: int) -> float | None:
        begin = newest - timedelta(days=days)
        return None if scans[0].scanned_at > begin or not rated else possible(begin) / rated / days

    certain = sum(_minutes(each.since, each.last_seen, start, newest) for each in spells)
    return Trend(scans, certain, possible(start), burn(3), burn(30))


def _read(
    database: "duckdb.DuckDBPyConnection", over: timedelta
) -> tuple[tuple[Compliance, ...], list[_Spell]]:
    rows = database.execute(COMPLIANCE, {"over": over.total_seconds()}).fetchall()
    scans = tuple(Compliance(scan_id, _utc(at), *counts) for scan_id, at, *counts in rows)
    spells = [
        _Spell(_utc(since), _utc(possibly), _utc(seen), _utc(ended) if ended else None)
        for since, possibly, seen, ended in database.execute(SPELLS).fetchall()
    ]
    return scans, spells


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


def _minutes(since: datetime, until: datetime, start: datetime, end: datetime) -> float:
    """The minutes of a stretch that lie between `start` and `end`."""
    return max(0.0, (min(until, end) - max(since, start)).total_seconds() / 60)
