"""What a history adds to the page: what changed, since when, and how well RPOs were kept."""

import re
from datetime import timedelta
from html import unescape
from io import BytesIO

import pytest

from scanner.inventory.model import Inventory
from scanner.output.html import write
from scanner.output.html.over_time import line_of, points_of, spark_of, told
from scanner.output.text import printable
from scanner.summary.past import Aged, Changed, Compliance, Danger, Past, key_of
from tests.output.fleet import HOSTILE, hostile, judged
from tests.output.html.browser import NEEDED, Open
from tests.output.html.fleets import BREACH, OK
from tests.output.page import Page
from tests.strategies import NOW

HOUR = timedelta(hours=1)


def compliance(hours: int, beyond: int | None, unknown: int = 0) -> Compliance:
    """Ten volumes, so many hours before now; None: nobody could be asked."""
    within = 0 if beyond is None else 10 - beyond
    return Compliance(
        f"scan-{hours}", NOW - hours * HOUR, within, beyond or 0, 10 if beyond is None else unknown
    )


def past_of(of: Inventory, name: str = "vol-1") -> Past:
    """A past in which the volumes of `of` that are in breach have been so for four days."""
    keys = [key_of(volume) for volume in of.volumes if volume.verdict.status.value == "breach"]
    ages = tuple(Aged(NOW - day * timedelta(days=1), 7200.0 * (9 - day), 3600.0) for day in range(8, -1, -1))
    change = Changed("volume", "status", "ok", "breach", 12, (("000000000001", "us-east-1", name),))
    return Past(
        scans=tuple(compliance(hours, hours % 3, hours % 2) for hours in range(30, -1, -1)),
        danger={key: Danger(NOW - timedelta(days=4), NOW - timedelta(days=5)) for key in keys},
        ages=dict.fromkeys(keys[:20], ages),
        compared_with=NOW - timedelta(days=1),
        changes=(change, Changed("failure", "came", None, "timeout", 1, (("000000000001", None, name),))),
    )


def page_of(of: Inventory, past: Past | None) -> bytes:
    stream = BytesIO()
    write(of, stream, past)
    return stream.getvalue()


def text_of(of: Inventory, past: Past | None) -> str:
    body = re.sub(r"<(style|script).*?</\1>", "", page_of(of, past).decode(), flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_the_page_tells_what_changed_and_since_when_volumes_need_action() -> None:
    of = judged(OK, BREACH)
    said = text_of(of, past_of(of))
    assert "What changed since the scan of 2026-11-23 03:00 UTC 12 volumes: ok → breach" in said
    assert "and 11 more; sgw-scanner diff names all" in said
    assert "2026-11-20 03:00 UTC or as early as 2026-11-19 03:00 UTC 4d" in said
    assert "2h of 1h; needs action since 2026-11-20 03:00 UTC" in said
    data = Page(page_of(of, past_of(of))).data
    assert data["columns"]["since"] == [None, round((NOW - timedelta(days=4)).timestamp())]


def test_without_a_history_nothing_is_said_of_the_past() -> None:
    assert "Over time" not in text_of(judged(BREACH), None)
    said = text_of(judged(BREACH), Past())
    assert "holds no scan before this one" in said
    assert "too few scans" in said


def test_a_line_breaks_where_nothing_was_rated() -> None:
    line = line_of([compliance(4, 0), compliance(3, 1), compliance(2, None), compliance(1, 0)], 900, 160)
    assert line is not None
    assert [len(stretch) for stretch in line.stretches] == [2, 1]
    assert line_of([compliance(1, 0), compliance(0, None)], 900, 160) is None


def test_the_axis_leaves_room_for_the_least_share() -> None:
    """And says where it begins."""
    for beyond, begins in ((0, "99 %"), (1, "75 %"), (10, "0 %")):
        line = line_of([compliance(1, beyond), compliance(0, 0)], 900, 160)
        assert line is not None
        assert line.shares[0] == (line.foot, begins)
        assert max(dot.y for stretch in line.stretches for dot in stretch) <= line.foot


def test_of_many_scans_the_worst_are_drawn_and_the_newest() -> None:
    scans = [compliance(hours, 3 if hours == 777 else 0) for hours in range(2000, -1, -1)]
    points = points_of(scans)
    assert len(points) <= 120
    assert min(each.share or 0 for each in points) == 0.7
    assert points[-1] is scans[-1]


def test_ages_are_drawn_under_and_over_the_rpo() -> None:
    """What is not known leaves a gap, and one age alone is no line."""
    ages = [Aged(NOW + hour * HOUR, old, 3600.0) for hour, old in enumerate((1800.0, None, 3600.0, 7200.0))]
    spark = spark_of(ages)
    assert spark is not None
    first, rest = (
        [tuple(map(float, point.split(","))) for point in each.split()] for each in spark.stretches
    )
    assert first[0] == first[1]
    assert rest[0][1] == spark.limit
    assert rest[1][1] < (spark.limit or 0) < first[0][1]
    assert spark.said == "Age over 4 scans: from 30m to 2h, RPO 1h"
    assert spark_of(ages[:2]) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Changed("volume", "status", "at_risk", "breach", 1, ()), "1 volume: at risk → breach"),
        (Changed("volume", "not_read", None, None, 3000, ()), "3,000 volumes could not be read this time"),
        (Changed("volume", "came", None, "no_recovery_point", 2, ()), "2 volumes new, no recovery point"),
        (Changed("gateway", "vanished", None, None, 1, ()), "1 gateway gone"),
        (Changed("failure", "ended", None, None, 2, ()), "2 failures over"),
    ],
)
def test_changes_are_told_in_words(change: Changed, words: str) -> None:
    assert told(change) == words


@NEEDED
def test_hostile_names_stay_text_in_what_changed(opened: Open) -> None:
    text = " ".join(HOSTILE)
    of = hostile(text)
    seen = opened(page_of(of, past_of(of, text))).drawn()
    assert printable(text) in (seen.page.text_content(".changes") or "")
    assert seen.unasked == []


@NEEDED
def test_the_table_can_be_sorted_by_since_when(opened: Open) -> None:
    """The column is there with a history only."""
    of = judged(OK, BREACH)
    titles = "Array.from(document.querySelectorAll('#table thead th'), (head) => head.dataset.title)"
    assert "Needs action since" not in opened(of).drawn().ask(titles)
    seen = opened(page_of(of, past_of(of)), "#?sort=since").drawn()
    assert seen.column("Needs action since") == ["2026-11-20 03:00Z", ""]


@NEEDED
def test_what_changed_is_on_paper_too(opened: Open) -> None:
    """Folded or not: what is folded away otherwise is not printed."""
    of = judged(OK, BREACH)
    seen = opened(page_of(of, past_of(of))).drawn()
    seen.page.emulate_media(media="print")
    assert seen.page.locator(".changes summary").first.is_visible()
