"""The table of all volumes in a real browser: order, filters, address, pages, and what one does next."""

import csv
import json
from io import StringIO
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from benchmarks.outputs import fleet
from scanner.inventory.records import Verdict, VerdictStatus
from scanner.output.csv import harmless
from scanner.output.text import age, printable
from tests.output.fleet import HOSTILE, inventory, judged
from tests.output.html import fleets
from tests.output.html.browser import NEEDED, Open, Watched, hash_of
from tests.output.html.fleets import BREACH, NONE, OK, UNKNOWN, UNRATED, excused, gateways_of

pytestmark = NEEDED


def test_the_first_click_on_an_age_shows_the_oldest_and_a_second_one_turns_it(opened: Open) -> None:
    """By value, not by text; what is not known comes last both ways."""
    of = inventory(1, 6)
    seen = opened(of).drawn()
    known = sorted(
        (v.verdict.age_seconds for v in of.volumes if v.verdict.age_seconds is not None), reverse=True
    )
    missing = ["none"] * (len(of.volumes) - len(known))
    head = seen.page.locator("#table thead th", has_text="Age")
    head.locator("button").click()
    assert seen.column("Age") == [age(ceil(each)) for each in known] + missing
    assert head.get_attribute("aria-sort") == "descending"
    head.locator("button").click()
    assert seen.column("Age") == [age(ceil(each)) for each in reversed(known)] + missing
    assert head.get_attribute("aria-sort") == "ascending"
    assert seen.page.locator("[aria-sort]:not([aria-sort=none])").count() == 1
    assert hash_of(seen) == {"sort": "age"}


def test_a_head_keeps_the_keyboard_while_it_sorts(opened: Open) -> None:
    """The space bar sorts; so does the next one."""
    seen = opened(inventory()).drawn()
    seen.page.locator("#table thead button", has_text="Region").focus()
    for way in ("ascending", "descending"):
        seen.page.keyboard.press("Space")
        assert seen.ask("document.activeElement.closest('th').getAttribute('aria-sort')") == way
    assert seen.column("Region") == sorted(seen.column("Region"), reverse=True)


def test_a_point_in_the_future_is_shown_as_such_and_sorts_as_unknown(opened: Open) -> None:
    """By its age it were the best of all; a clock that is a little off is no anomaly."""
    verdicts = [
        Verdict(status=VerdictStatus.UNKNOWN, age_seconds=-2_580_000, rpo_seconds=5400),
        Verdict(status=VerdictStatus.OK, age_seconds=-90, rpo_seconds=3600),
        BREACH,
    ]
    for way, shares in (("", ["0 %", "200 %"]), ("-", ["200 %", "0 %"])):
        assert opened(judged(*verdicts), f"#?sort=share{way}").drawn().column("Of RPO") == [
            *shares,
            "in the future",
        ]
        assert opened(judged(*verdicts), f"#?sort=age{way}").drawn().column("Age")[-1] == "29d 20h ahead"


def test_an_age_just_over_its_rpo_does_not_read_like_the_rpo(opened: Open) -> None:
    """Nor does its share, nor does it fall into the bar of those that are in time."""
    late = Verdict(status=VerdictStatus.BREACH, age_seconds=86400.4, rpo_seconds=86400)
    early = Verdict(status=VerdictStatus.AT_RISK, age_seconds=86399.6, rpo_seconds=86400)
    seen = opened(judged(late, early)).drawn()
    assert seen.column("Age") == ["over 1d", "1d"]
    assert seen.column("Of RPO") == ["101 %", "100 %"]
    assert "just over 1d" in seen.page.inner_text("#worst")
    seen.page.locator("svg.chart.wide a").last.click()
    seen.page.wait_for_selector("#clear")
    assert seen.column("Verdict") == ["breach"]


def test_none_and_not_known_are_told_apart(opened: Open) -> None:
    """Nobody could ask a failed gateway; a volume without a recovery point has none."""
    asks = "#?columns=verdict,age,rpo,point"
    seen = opened(judged(NONE, UNKNOWN, UNRATED), asks).drawn()
    assert seen.column("Verdict") == ["no recovery point", "unknown", "unrated"]
    assert seen.column("Age") == ["none", "not known", "1m"]
    assert seen.column("Recovery point") == ["none", "not known", "2026-11-24 02:59Z"]
    assert seen.column("RPO") == ["1h", "not known", "none"]


def test_what_was_not_read_detached_or_carried_looks_like_what_it_is(opened: Open) -> None:
    """Never like well: at most so old, within its RPO or perhaps beyond, and held by no gateway."""
    seen = opened(fleets.unreachable()).drawn()
    assert dict(zip(seen.column("Verdict"), seen.column("Age"), strict=True)) == {
        "unknown": "at most 2h",
        "not read": "at most 2h",
        "ok": "1m",
    }
    assert dict(zip(seen.column("Verdict"), seen.column("Of RPO"), strict=True))["not read"] == "within"
    assert seen.page.inner_text("#count") == "2 volumes, and 1 that only earlier scans know"
    assert seen.page.locator("#table .carried").count() > 2
    beyond = opened(fleets.unreachable(within=False)).drawn()
    assert beyond.column("Of RPO").count("may be beyond") == 2
    loose = opened(fleets.with_detached(judged(OK))).drawn()
    assert dict(zip(loose.column("Verdict"), loose.column("Gateway"), strict=True))["unknown"] == "detached"


def test_the_worst_stand_first_until_something_else_is_asked(opened: Open) -> None:
    """Volumes without a recovery point, then breaches; the waived ones before what is well, and named so."""
    seen = opened(judged(OK, excused(BREACH), UNKNOWN, BREACH, NONE)).drawn()
    assert seen.column("Verdict") == ["no recovery point", "breach", "unknown", "breach, waived", "ok"]


def test_filters_narrow_and_say_how_far(opened: Open) -> None:
    """Every word must be found; several verdicts may be chosen; the count is announced."""
    of = inventory(3, 40)
    seen = opened(of).drawn()
    seen.page.fill("[name=q]", "US-EAST vol-0000006")
    wanted = [v for v in of.volumes if v.region == "us-east-1" and "vol-0000006" in v.id]
    assert seen.page.inner_text("#count") == f"{len(wanted)} of {len(of.volumes)} volumes"
    assert all("vol-0000006" in identifier for identifier in seen.column("Volume"))
    for status in ("breach", "ok"):
        seen.page.check(f"#verdicts [value={status}]")
    chosen = [v for v in wanted if v.verdict.status in (VerdictStatus.BREACH, VerdictStatus.OK)]
    assert sorted(seen.column("Volume")) == sorted(v.id for v in chosen)
    assert seen.page.locator("#count").get_attribute("aria-live") == "polite"


@pytest.mark.parametrize(
    ("asks", "keeps"),
    [
        ("account=000000000001", lambda v: True),
        ("account=999999999999", lambda v: False),
        ("ou=Root/Workloads", lambda v: True),
        ("ou=Root/Work", lambda v: False),
        ("region=eu-west-1", lambda v: v.region == "eu-west-1"),
        ("gateway=gateway+1", lambda v: v.gateway_arn.endswith("sgw-00000001")),
        ("gateway=SGW-00000001", lambda v: v.gateway_arn.endswith("sgw-00000001")),
        ("gateway=none", lambda v: False),
        ("tag=team", lambda v: v.tags is not None),
        ("tag=team=red", lambda v: v.tags == {"team": "red"}),
        ("tag=team=blue", lambda v: False),
        ("waived=yes", lambda v: v.verdict.waived is not None),
        ("waived=no", lambda v: v.verdict.waived is None),
        ("verdict=ok,unknown", lambda v: v.verdict.status in ("ok", "unknown")),
        (
            "verdict=breach,no_recovery_point&waived=no",
            lambda v: v.verdict.status in ("breach", "no_recovery_point") and v.verdict.waived is None,
        ),
        ("q=4711", lambda v: v.verdict.waived is not None),
        ("region=eu-west-1&verdict=ok", lambda v: v.region == "eu-west-1" and v.verdict.status == "ok"),
    ],
)
def test_an_address_filters(opened: Open, asks: str, keeps: Any) -> None:
    """So that what one sees can be shared: by account, unit, Region, gateway, tag, verdicts, waiver, text."""
    base = inventory(2, 20)
    tagged = tuple(
        v.model_copy(update={"tags": {"team": "red"} if n % 3 else None}) for n, v in enumerate(base.volumes)
    )
    of = base.model_copy(update={"volumes": tagged})
    seen = opened(of, f"#?{asks}").drawn()
    assert sorted(seen.column("Volume")) == sorted(v.id for v in of.volumes if keeps(v))
    assert seen.page.is_visible("#nothing") is not any(map(keeps, of.volumes))
    assert seen.page.is_visible("#clear")


def test_nothing_matches_says_so_and_is_undone_with_one_click(opened: Open) -> None:
    seen = opened(inventory()).drawn()
    seen.page.fill("[name=q]", "no such thing")
    assert seen.page.inner_text("#nothing") == "Nothing matches these filters."
    assert seen.page.inner_text("#count").startswith("0 of 48 volumes")
    seen.page.click("#clear")
    assert len(seen.column("Volume")) == 48
    assert seen.ask("document.activeElement.name") == "q"
    assert opened(inventory(0, 0)).drawn().page.inner_text("#nothing") == "There are no volumes."


@pytest.mark.parametrize(
    ("link", "asks"),
    [
        (".numbers li:first-child a", {"verdict": "no_recovery_point,breach", "waived": "no"}),
        (".tiles li:last-child a", {"verdict": "ok"}),
        ("#heat td a >> nth=0", {"account": "000000000001", "region": "eu-west-1"}),
        ("svg.chart.wide a >> nth=0", {"share": "~0.02"}),
        ("#worst .few li:last-child a >> nth=0", {"account": "000000000001", "gateway": "sgw-00000000"}),
    ],
)
def test_tiles_cells_bars_and_groups_filter_the_table(opened: Open, link: str, asks: dict[str, str]) -> None:
    """A click shows what was counted, and moves the focus there; the back button undoes it."""
    seen = opened(inventory(1, 20, whole=False)).drawn()
    every = seen.column("Volume")
    seen.page.locator(link).click()
    seen.page.wait_for_selector("#clear")
    assert asks.items() <= hash_of(seen).items()
    assert 0 < len(seen.column("Volume")) < len(every)
    assert seen.ask("document.activeElement.id") == "volumes-title"
    seen.page.go_back()
    seen.page.wait_for_selector("#clear", state="hidden")
    assert seen.column("Volume") == every


def test_a_bar_shows_as_many_volumes_as_it_counts(opened: Open) -> None:
    """Each of them."""
    seen = opened(inventory(3, 40)).drawn()
    bars = seen.page.locator("svg.chart.wide a")
    for number in range(bars.count()):
        counted = bars.nth(number).locator(".count").text_content()
        bars.nth(number).click()
        seen.page.wait_for_function(
            f"() => document.getElementById('count').textContent.startsWith('{counted} of ')"
        )


def test_the_address_outlives_a_reload(opened: Open) -> None:
    """Filters, order and page."""
    of = inventory(3, 80)
    seen = opened(of).drawn()
    seen.page.select_option("[name=region]", "eu-west-1")
    seen.page.locator("#table thead button", has_text="Age").click()
    seen.page.click("#next")
    before = seen.column("Volume")
    seen.page.reload()
    seen.drawn()
    assert seen.column("Volume") == before
    assert seen.page.input_value("[name=region]") == "eu-west-1"
    assert hash_of(seen) == {"region": "eu-west-1", "sort": "age-", "page": "2"}
    seen.page.go_back()
    seen.page.wait_for_function("() => document.getElementById('page').textContent.startsWith('Page 1 ')")


def test_what_is_typed_is_in_the_address_when_it_rests(opened: Open) -> None:
    """In one step of the history, however many letters it has."""
    seen = opened(inventory()).drawn()
    before = seen.ask("history.length")
    seen.page.type("[name=gateway]", "gateway 1")
    seen.page.wait_for_function("() => location.hash === '#?gateway=gateway+1'")
    assert seen.ask("history.length") == before


def test_a_link_to_a_section_takes_no_filter_away(opened: Open) -> None:
    seen = opened(inventory(), "#?region=eu-west-1").drawn()
    found = seen.column("Volume")
    seen.page.click("header a")
    seen.page.wait_for_function("() => location.hash === '#asked'")
    assert seen.column("Volume") == found
    assert seen.page.input_value("[name=region]") == "eu-west-1"


def test_pages_hold_every_volume_once_and_the_focus_stays(opened: Open) -> None:
    """A hundred at a time, to the end and back; a button at the end is not switched off under the keyboard."""
    of = inventory(3, 40)
    seen = opened(of).drawn()
    found = seen.column("Volume")
    seen.page.focus("#next")
    while seen.page.get_attribute("#next", "aria-disabled") == "false":
        seen.page.keyboard.press("Enter")
        found += seen.column("Volume")
    assert sorted(found) == sorted(volume.id for volume in of.volumes)
    assert seen.page.inner_text("#page") == "Page 3 of 3"
    assert "page 3 of 3, rows 201 to 240" in seen.page.inner_text("#count")
    assert seen.ask("document.activeElement.id") == "next"
    seen.page.click("#previous")
    assert len(seen.column("Volume")) == 100


def test_columns_can_be_chosen(opened: Open) -> None:
    """And the choice is in the address; the volume always stays."""
    seen = opened(inventory()).drawn()
    seen.page.click("#columns summary")
    seen.page.check("#columns [value=used]")
    seen.page.uncheck("#columns [value=rule]")
    heads = seen.page.locator("#table thead th").all_text_contents()
    assert "Used" in heads
    assert "Rule" not in heads
    assert "used" in hash_of(seen)["columns"]
    assert opened(inventory(), "#?columns=age").drawn().page.locator(
        "#table thead th"
    ).all_text_contents() == [
        "Volume",
        "Age",
    ]


def test_a_volume_is_acted_on_from_its_facts(opened: Open) -> None:
    """Its ARN, the console of its partition and Region, and the command that explains it."""
    of = judged(BREACH, OK, region="eu-west-1")
    seen = opened(of).drawn()
    seen.page.locator("#table tbody a").first.focus()
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_selector("#volume[open]")
    arn = of.volumes[0].arn
    facts = seen.page.inner_text("#volume-facts")
    assert arn in facts
    assert f"sgw-scanner explain {arn} inventory.json" in facts
    assert seen.page.get_attribute("#console", "href") == (
        "https://eu-west-1.console.aws.amazon.com/storagegateway/home?region=eu-west-1#/volumes/vol-00000000"
    )
    assert hash_of(seen)["volume"] == arn
    seen.page.keyboard.press("Escape")
    seen.page.wait_for_selector("#volume", state="hidden")
    assert "volume" not in hash_of(seen)
    assert seen.ask("document.activeElement.textContent") == "vol-00000000"
    seen.page.click("#worst .few a.id")
    seen.page.wait_for_selector("#volume[open]")
    seen.page.click("[data-copy=arn]")
    seen.page.wait_for_function("() => document.getElementById('copied').textContent.length > 0")


@pytest.mark.parametrize(
    ("partition", "console"),
    [
        (
            "aws-us-gov",
            "https://console.amazonaws-us-gov.com/storagegateway/home?region=us-east-1#/volumes/vol-00000000",
        ),
        ("aws-cn", "https://console.amazonaws.cn/storagegateway/home?region=us-east-1#/volumes/vol-00000000"),
        ("aws-iso", None),
    ],
)
def test_a_partition_has_the_console_that_is_known_of_it(
    opened: Open, partition: str, console: str | None
) -> None:
    """Or none."""
    base = judged(BREACH)
    (one,), (only,) = base.volumes, base.gateways
    moved = {
        "arn": one.arn.replace(":aws:", f":{partition}:"),
        "gateway_arn": only.arn.replace(":aws:", f":{partition}:"),
    }
    of = base.model_copy(
        update={
            "volumes": (one.model_copy(update=moved),),
            "gateways": (only.model_copy(update={"arn": moved["gateway_arn"]}),),
        }
    )
    seen = opened(of).drawn()
    seen.page.locator("#table tbody a").first.click()
    seen.page.wait_for_selector("#volume[open]")
    assert seen.page.is_visible("#console") is (console is not None)
    assert seen.page.get_attribute("#console", "href") == console


def saved(seen: Watched, tmp_path: Path) -> list[dict[str, str]]:
    with seen.page.expect_download() as download:
        seen.page.click("#csv")
    download.value.save_as(tmp_path / "rows.csv")
    text = (tmp_path / "rows.csv").read_bytes().decode()
    return list(csv.DictReader(StringIO(text, newline="")))


def test_the_rows_seen_can_be_saved(opened: Open, tmp_path: Path) -> None:
    """The filtered ones, all pages of them, in the order shown."""
    of = inventory(3, 80)
    seen = opened(of, "#?region=eu-west-1&sort=volume").drawn()
    rows = saved(seen, tmp_path)
    wanted = [v for v in of.volumes if v.region == "eu-west-1"]
    assert [row["volume_arn"] for row in rows] == [v.arn for v in sorted(wanted, key=lambda v: v.id)]
    by_arn = {v.arn: v for v in of.volumes}
    for row in rows:
        volume = by_arn[row["volume_arn"]]
        assert row["account_id"] == "000000000001"
        assert row["verdict"] == volume.verdict.status
        given = volume.verdict.age_seconds
        assert row["age_seconds"] == ("" if given is None else f"{ceil(given)}")
    assert seen.unasked == []


def test_no_spreadsheet_runs_what_was_saved(opened: Open, tmp_path: Path) -> None:
    """As in the scanner's own CSV: what could be a formula, wherever a spreadsheet splits, is text."""
    base = gateways_of(*[[BREACH]] * len(HOSTILE))
    of = base.model_copy(
        update={
            "gateways": tuple(
                one.model_copy(update={"name": text})
                for one, text in zip(base.gateways, HOSTILE, strict=True)
            ),
            "volumes": tuple(
                one.model_copy(
                    update={
                        "tags": {text: text},
                        "attachment_status": text,
                        "verdict": one.verdict.model_copy(update={"rule": text, "waived": text}),
                    }
                )
                for one, text in zip(base.volumes, HOSTILE, strict=True)
            ),
        }
    )
    rows = saved(opened(of, "#?sort=volume").drawn(), tmp_path)
    for name in ("gateway_name", "rule", "waived", "attachment_status"):
        assert [row[name] for row in rows] == [harmless(printable(text)) for text in HOSTILE], name
    for row, text in zip(rows, HOSTILE, strict=True):
        assert json.loads(row["tags"]) == {printable(text): printable(text)}
        assert ";" not in row["tags"]


def test_all_accounts_of_the_map_can_be_shown(opened: Open) -> None:
    """Those beyond the worst, on demand, with the same cells."""
    seen = opened(fleet(6000)).drawn()
    rows = "document.querySelectorAll('#heat tbody tr').length"
    assert seen.ask(rows) == 40
    seen.page.click("#heat-more button")
    assert seen.ask(rows) == 60
    texts = seen.page.locator("#heat tbody tr").evaluate_all(
        "(all) => all.map((one) => one.cells[1].textContent.trim())"
    )
    assert all(texts)
    seen.page.locator("#heat tbody tr").last.locator("a").last.click()
    seen.page.wait_for_selector("#clear")
    assert len(set(seen.column("Region"))) == len(set(seen.column("Account"))) == 1
    assert seen.unasked == []
