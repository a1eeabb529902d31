"""Ages as a share of the RPO, on a logarithmic scale: the bars of the chart, and where its lines are."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import log10

from scanner.inventory.records import VerdictStatus, Volume
from scanner.output.html.cells import WAIVED, waives

EDGES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Multiples of the RPO. The first bar holds what is younger, too, and the last what is older."""
_ENDS = EDGES[1:-1]
STATES = (
    VerdictStatus.OK.value,
    VerdictStatus.AT_RISK.value,
    WAIVED,
    VerdictStatus.BREACH.value,
    VerdictStatus.NO_RECOVERY_POINT.value,
)
"""What a bar is made of, from its foot."""
_THINNEST = 4
"""Pixels of what would else not be seen beside a bar that is a thousand times as high."""


@dataclass(frozen=True)
class Bar:
    """Volumes whose age is more than `low` and at most `high` times their RPO; None is no bound."""

    low: float | None
    high: float | None
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def name(self) -> str:
        if self.low is None and self.high is None:
            return "no recovery point"
        if self.low is None:
            return f"up to {share(self.high or 0)}"
        return f"over {share(self.low)}" if self.high is None else f"{share(self.low)} to {share(self.high)}"

    @property
    def filter(self) -> str:
        """What the table of all volumes is asked for, to show these."""
        if self.low is None and self.high is None:
            return "verdict=no_recovery_point"
        return f"share={self.low or ''}~{self.high or ''}"


@dataclass(frozen=True)
class Ages:
    bars: list[Bar]
    warn_at: float | None
    """From which share volumes were at risk; None where none was."""

    @property
    def measured(self) -> int:
        return sum(bar.total for bar in self.bars)


@dataclass(frozen=True)
class Piece:
    state: str
    y: float
    height: float


@dataclass(frozen=True)
class Drawn:
    """A bar with its pieces, in pixels from the top left."""

    bar: Bar
    x: float
    width: float
    top: float
    pieces: list[Piece]


@dataclass(frozen=True)
class Chart:
    """Everything of the chart that is measured in pixels; ticks, lines and bars from the left."""

    width: int
    height: int
    foot: int
    ticks: list[tuple[float, str]]
    limit: float
    warn: float | None
    bars: list[Drawn]


def share(of: float) -> str:
    """A share of the RPO as people write it: `50 %`, and from the RPO on `2×`."""
    return f"{of * 100:.3g} %" if of <= 1 else f"{of:g}×"


def ages_of(volumes: Iterable[Volume], warn_at: float | None = None) -> Ages:
    """The bars, youngest first, and last the volumes without any recovery point.

    `warn_at` is the share from which volumes are at risk, where the policy is known.
    """
    counts: list[Counter[str]] = [Counter() for _ in EDGES]
    fine, risky = 0.0, float("inf")
    for volume in volumes:
        verdict = volume.verdict
        state = WAIVED if waives(volume) else verdict.status.value
        if verdict.status is VerdictStatus.NO_RECOVERY_POINT:
            counts[-1][state] += 1
        elif state in STATES and verdict.age_seconds is not None and verdict.rpo_seconds:
            of = verdict.age_seconds / verdict.rpo_seconds
            counts[bisect_left(_ENDS, of)][state] += 1
            if verdict.status is VerdictStatus.OK:
                fine = max(fine, of)
            elif verdict.status is VerdictStatus.AT_RISK:
                risky = min(risky, of)
    bounds: list[tuple[float | None, float | None]] = [(low, high) for low, high in pairwise(EDGES)]
    bounds[0], bounds[-1] = (None, EDGES[1]), (EDGES[-2], None)
    bars = [Bar(*bound, dict(of)) for bound, of in zip([*bounds, (None, None)], counts, strict=True)]
    return Ages(bars, warn_at or (None if risky > 1 else _warn_at(fine, risky)))


def _warn_at(fine: float, risky: float) -> float:
    """The roundest share between what was well and what was at risk: an older inventory does not hold the policy."""
    for digits in (1, 2, 3):
        rounded = int(risky * 10**digits) / 10**digits
        if rounded > fine:
            return rounded
    return risky


def chart_of(ages: Ages, width: int, height: int) -> Chart:
    """The chart in that many pixels; the bar of what has no point stands apart at the right."""
    left, gap, apart, foot, head = 6, 2, width / 13, height - 34, 34
    scale = (width - 2 * left - apart - 14) / log10(EDGES[-1] / EDGES[0])
    highest = max((bar.total for bar in ages.bars), default=0) or 1

    def place(of: float) -> float:
        return round(left + log10(of / EDGES[0]) * scale, 1)

    drawn = []
    for bar, (low, high) in zip(ages.bars, [*pairwise(EDGES), (None, None)], strict=True):
        x = width - left - apart if low is None else place(low) + gap / 2
        wide = apart if high is None else place(high) - gap / 2 - x
        pieces, y = [], float(foot)
        for state in STATES:
            count = bar.counts.get(state, 0)
            if count:
                tall = round(max(_THINNEST, count / highest * (foot - head - 2 * _THINNEST)), 1)
                y = round(y - tall, 1)
                pieces.append(Piece(state, y, tall))
        drawn.append(Drawn(bar, round(x, 1), round(wide, 1), y, pieces))
    every = 1 if width > 600 else 2
    ticks = [(place(edge), share(edge)) for edge in EDGES[every:-1:every]]
    warn = None if ages.warn_at is None else place(ages.warn_at)
    return Chart(width, height, foot, ticks, place(1.0), warn, drawn)
