"""How well a fleet kept its recovery point objectives over time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from scanner.history.queries import views
from scanner.history.store import History

DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Compliance:
    """Of one scan: how many volumes were within their RPO, beyond it, and not known."""

    scan_id: str
    scanned_at: datetime
    within_rpo: int
    beyond_rpo: int
    unknown: int

    @property
    def share(self) -> float | None:
        """The share of rated volumes that were within their RPO; None where none was rated."""
        rated = self.within_rpo + self.beyond_rpo
        return self.within_rpo / rated if rated else None


@dataclass(frozen=True, slots=True)
class Trend:
    """Compliance scan by scan, and minutes in danger: those that are certain, and those that are possible.

    A spell is certain up to the last scan that saw it, and possible up to the first that saw its end.
    `burn_3_days` and `burn_30_days`: minutes in danger for each volume and day, over the last days.
    """

    scans: tuple[Compliance, ...]
    certain_minutes: float
    possible_minutes: float
    burn_3_days: float | None
    burn_30_days: float | None


def trend(history: History, over: timedelta = timedelta(days=90)) -> Trend:
    """The trend over the time before the newest scan. Blocks. Raises HistoryError as `query` does."""
    with views(history) as database:
        rows = database.execute(
            "SELECT scan_id, scanned_at, sum(within_rpo)::BIGINT, sum(beyond_rpo)::BIGINT,"
            " sum(unknown)::BIGINT FROM compliance WHERE scanned_at >= (SELECT max(scanned_at) FROM scans) - to_seconds($over)"
            " GROUP BY ALL ORDER BY scanned_at, scan_id",
            {"over": over.total_seconds()},
        ).fetchall()
        spells = [
            (
                since.replace(tzinfo=UTC),
                seen.replace(tzinfo=UTC),
                ended.replace(tzinfo=UTC) if ended else None,
            )
            for since, seen, ended in database.execute(
                "SELECT since, last_seen, ended_seen FROM spells"
            ).fetchall()
        ]
    scans = tuple(
        Compliance(scan_id, at.replace(tzinfo=UTC), within, beyond, unknown)
        for scan_id, at, within, beyond, unknown in rows
    )
    if not scans:
        return Trend((), 0.0, 0.0, None, None)
    newest = scans[-1].scanned_at
    start = newest - over
    certain = sum(_minutes(since, seen, start, newest) for since, seen, _ in spells)
    possible = sum(_minutes(since, ended or newest, start, newest) for since, _, ended in spells)
    volumes = scans[-1].within_rpo + scans[-1].beyond_rpo

    def burn(days: int) -> float | None:
        begin = newest - timedelta(days=days)
        if scans[0].scanned_at > begin or not volumes:
            return None
        return (
            sum(_minutes(since, ended or newest, begin, newest) for since, _, ended in spells)
            / volumes
            / days
        )

    return Trend(scans, certain, possible, burn(3), burn(30))


def _minutes(since: datetime, until: datetime, start: datetime, end: datetime) -> float:
    """The minutes of a stretch that lie between `start` and `end`."""
    return max(0.0, (min(until, end) - max(since, start)).total_seconds() / 60)
