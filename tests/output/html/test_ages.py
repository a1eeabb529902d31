"""Ages as a share of the RPO: which bar a volume is in, and where bars and lines are drawn."""

import pytest

from scanner.inventory.records import Verdict, VerdictStatus
from scanner.output.html.ages import EDGES, Ages, ages_of, chart_of
from tests.output.fleet import inventory, judged
from tests.output.html.fleets import AT_RISK, BREACH, NONE, OK, UNKNOWN, UNRATED, excused


def ages(*verdicts: Verdict) -> Ages:
    return ages_of(judged(*verdicts).volumes)


@pytest.mark.parametrize(
    ("share", "bar"),
    [
        (-0.01, "up to 2 %"),
        (0.02, "up to 2 %"),
        (0.021, "2 % to 5 %"),
        (1, "50 % to 100 %"),
        (1.01, "100 % to 2×"),
        (50, "20× to 50×"),
        (50.1, "over 50×"),
        (9999, "over 50×"),
    ],
)
def test_a_share_of_the_rpo_finds_its_bar(share: float, bar: str) -> None:
    """The bound belongs to the bar that ends there: what is exactly its RPO old has not missed it."""
    found = ages(OK.model_copy(update={"age_seconds": share * 3600}))
    assert [each.name for each in found.bars if each.total] == [bar]


def test_what_has_no_share_stands_beside_the_bars_or_nowhere() -> None:
    """A volume without a point has a bar of its own; what cannot be measured has none."""
    assert [each.name for each in ages(NONE).bars if each.total] == ["no recovery point"]
    ahead = Verdict(status=VerdictStatus.UNKNOWN, age_seconds=-999, rpo_seconds=3600)
    assert ages(UNRATED, UNKNOWN, ahead).measured == 0


def test_a_waiver_is_seen_in_the_bars() -> None:
    (bar,) = (each for each in ages(excused(BREACH), BREACH).bars if each.total)
    assert bar.counts == {"waived": 1, "breach": 1}


@pytest.mark.parametrize(
    ("fine", "risky", "warn_at"),
    [(0.7, 0.85, 0.8), (0.79, 0.801, 0.8), (0.0, 0.75, 0.7), (0.71, 0.755, 0.75), (0.7, 1.0, 1.0)],
)
def test_the_line_of_what_is_at_risk_follows_from_the_verdicts(
    fine: float, risky: float, warn_at: float
) -> None:
    """An inventory does not hold the policy: the roundest share between what was well and what was not."""
    well, late = (
        OK.model_copy(update={"age_seconds": fine * 3600}),
        AT_RISK.model_copy(update={"age_seconds": risky * 3600}),
    )
    assert ages(well, late).warn_at == pytest.approx(warn_at)
    assert ages(well).warn_at is None


@pytest.mark.parametrize("width", [980, 360])
def test_the_chart_is_drawn_to_scale(width: int) -> None:
    """A decade is as wide as any other; the line at the RPO parts the bars; nothing leaves the picture."""
    chart = chart_of(ages_of(inventory(3, 40).volumes), width, 250)
    *bars, last = chart.bars
    edge = {bar.bar.low: bar.x for bar in bars[1:]}
    assert edge[0.2] - edge[0.02] == pytest.approx(edge[20.0] - edge[2.0], abs=0.5)
    for bar in bars:
        at_most_one = bar.bar.high is not None and bar.bar.high <= 1
        assert (bar.x + bar.width <= chart.limit) is at_most_one
    assert len(chart.bars) == len(EDGES)
    assert last.x > bars[-1].x + bars[-1].width
    assert last.x + last.width <= width
    for bar in chart.bars:
        assert sum(piece.height for piece in bar.pieces) == pytest.approx(chart.foot - bar.top, abs=0.5)
        assert bar.top > 0


def test_one_volume_is_seen_beside_a_hundred_thousand() -> None:
    counts = [OK] * 4000 + [BREACH]
    chart = chart_of(ages(*counts), 980, 250)
    (breach,) = (piece for bar in chart.bars for piece in bar.pieces if piece.state == "breach")
    assert breach.height >= 4
