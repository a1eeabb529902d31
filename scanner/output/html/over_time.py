"""What a history adds to the page: compliance and ages over time as drawings, and what changed in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from scanner.inventory.arns import id_of
from scanner.inventory.model import Inventory
from scanner.inventory.records import ANY_REGION, Volume
from scanner.output.text import age, region_name
from scanner.summary.past import Aged, Changed, Compliance, Danger, Past, key_of

MOST_POINTS = 120
"""Points of the line; of scans that are closer together, the one with the least compliance stands for the others."""
MOST_DOTS = 60
_FLOORS = (0.99, 0.95, 0.9, 0.75, 0.5, 0.0)
"""Where the axis of shares may begin."""
_SPARK = (150, 30)
"""Width and height of the line of one volume's ages, in pixels."""
_WORDS = {
    "came": "new",
    "vanished": "gone",
    "left_scope": "no longer asked for",
    "not_asked": "not asked this time",
    "not_read": "could not be read this time",
    "read": "could be read again",
    "moved": "moved to another gateway",
    "backwards": "went backwards: the latest point is older than one seen before",
    "ended": "over",
}


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    scan: Compliance


@dataclass(frozen=True)
class Line:
    """Compliance in pixels from the top left: stretches of dots, for nothing is known between two others."""

    width: int
    height: int
    left: int
    foot: int
    stretches: list[list[Dot]]
    shares: list[tuple[float, str]]
    days: list[tuple[float, str]]
    dotted: bool


@dataclass(frozen=True)
class Spark:
    """The ages of one volume in pixels, and where its RPO lies; `stretches` are the points of lines."""

    width: int
    height: int
    stretches: list[str]
    limit: float | None
    last: tuple[float, float] | None
    said: str


@dataclass(frozen=True)
class Endangered:
    volume: Volume
    danger: Danger
    lasted: float
    """Seconds for which it has been in danger for certain."""
    spark: Spark | None


def points_of(scans: Sequence[Compliance], most: int = MOST_POINTS) -> list[Compliance]:
    """At most so many scans, each the least compliant of its stretch of time; the newest is one of them."""
    if len(scans) <= most:
        return list(scans)
    start, end = scans[0].scanned_at, scans[-1].scanned_at
    width = (end - start) / (most - 1) or timedelta(seconds=1)
    found = []
    for _, each in groupby(scans[:-1], key=lambda scan: (scan.scanned_at - start) // width):
        found.append(min(each, key=lambda scan: 2.0 if scan.share is None else scan.share))
    return [*found, scans[-1]]


def line_of(scans: Sequence[Compliance], width: int, height: int) -> Line | None:
    """Compliance from scan to scan; None where fewer than two scans have any."""
    points = points_of(scans)
    shares = [scan.share for scan in points if scan.share is not None]
    if len(shares) < 2:
        return None
    left, right, foot, head = 52, 14, height - 26, 14
    floor = next(each for each in _FLOORS if each < min(shares) or each == 0.0)
    start, end = points[0].scanned_at, points[-1].scanned_at
    span = (end - start).total_seconds() or 1.0

    def across(moment: datetime) -> float:
        return round(left + (moment - start).total_seconds() / span * (width - left - right), 1)

    def down(of: float) -> float:
        return round(foot - (of - floor) / (1 - floor) * (foot - head), 1)

    stretches: list[list[Dot]] = [[]]
    for scan in points:
        if scan.share is not None:
            stretches[-1].append(Dot(across(scan.scanned_at), down(scan.share), scan))
        elif stretches[-1]:
            stretches.append([])
    marks = (floor, floor + (1 - floor) / 2, 1.0)
    every = 5 if width > 600 else 3
    moments = [start + (end - start) * number / (every - 1) for number in range(every)]
    days = end - start > timedelta(days=2)
    return Line(
        width,
        height,
        left,
        foot,
        [each for each in stretches if each],
        [(down(mark), f"{mark * 100:.4g} %") for mark in marks],
        [(across(moment), f"{moment:%m-%d}" if days else f"{moment:%m-%d %H:%M}") for moment in moments],
        len(points) <= MOST_DOTS,
    )


def spark_of(ages: Sequence[Aged]) -> Spark | None:
    """The ages of a volume from scan to scan, up to twice its RPO or the oldest; None where no two are known."""
    known = [(each.scanned_at, each.age_seconds) for each in ages if each.age_seconds is not None]
    if len(known) < 2:
        return None
    width, height = _SPARK
    rpo = ages[-1].rpo_seconds
    most = max(*(max(old, 0.0) for _, old in known), (rpo or 0.0) * 1.25, 1.0)
    start, end = ages[0].scanned_at, ages[-1].scanned_at
    span = (end - start).total_seconds() or 1.0

    def down(old: float) -> float:
        return round(height - 3 - max(old, 0.0) / most * (height - 6), 1)

    stretches: list[list[tuple[float, float]]] = [[]]
    for each in ages:
        if each.age_seconds is None:
            stretches.append([])
        else:
            x = round(3 + (each.scanned_at - start).total_seconds() / span * (width - 6), 1)
            stretches[-1].append((x, down(each.age_seconds)))
    drawn = [each for each in stretches if each]
    said = f"Age over {len(ages)} scans: from {age(known[0][1])} to {age(known[-1][1])}"
    return Spark(
        width,
        height,
        # A stretch of one point would be invisible as a line.
        [" ".join(f"{x},{y}" for x, y in (each * 2 if len(each) == 1 else each)) for each in drawn],
        None if rpo is None else down(rpo),
        drawn[-1][-1],
        f"{said}, RPO {age(rpo)}" if rpo else said,
    )


def endangered(inventory: Inventory, past: Past) -> list[Endangered]:
    """The volumes in danger for longest."""
    moment = inventory.scan.started_at
    volumes = {key_of(volume): volume for volume in inventory.volumes}
    return [
        Endangered(
            volumes[key],
            past.danger[key],
            max(0.0, (moment - past.danger[key].since).total_seconds()),
            spark_of(ages),
        )
        for key, ages in past.ages.items()
        if key in volumes and key in past.danger
    ]


def told(change: Changed) -> str:
    """A group of changes in words: `3 volumes: ok → breach`."""
    count = f"{change.count:,} {change.what}{'' if change.count == 1 else 's'}"
    if change.kind == "status":
        return f"{count}: {_words(change.before)} → {_words(change.after)}"
    said = _WORDS.get(change.kind, _words(change.kind))
    return f"{count} {said}{f', {_words(change.after)}' if change.after else ''}"


def named(example: tuple[str, str | None, str], what: str) -> str:
    """One changed thing, by what people call it."""
    _, region, key = example
    where = None if region in (None, ANY_REGION) else region
    if what == "target":
        return where or region_name(ANY_REGION)
    name = key if what == "failure" else id_of(key)
    return f"{name} in {where}" if where else name


def _words(state: str | None) -> str:
    return (state or "none").replace("_", " ")


def per_day(scans: Iterable[Compliance]) -> list[Compliance]:
    """The last scan of each day, newest first: the table beside the line."""
    days = [list(each)[-1] for _, each in groupby(scans, key=lambda scan: scan.scanned_at.date())]
    return days[::-1]
