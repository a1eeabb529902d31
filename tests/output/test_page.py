"""The page, opened in a real browser: what it shows, what it does, and what it cannot be made to do."""

from itertools import pairwise

import pytest

from benchmarks.outputs import fleet
from scanner.inventory.model import Inventory
from scanner.inventory.records import Verdict, VerdictStatus
from scanner.output.text import age, printable
from tests.output.browser import NEEDED, Open
from tests.output.fleet import HOSTILE, hostile, inventory, judged

pytestmark = NEEDED

ALL_HOSTILE = " ".join(HOSTILE)


@pytest.mark.parametrize("of", [inventory(), inventory(whole=False), inventory(0, 0)])
def test_the_page_does_nothing_that_nobody_asked_for(opened: Open, of: Inventory) -> None:
    """No message on the console, no request, and all three charts are drawn."""
    seen = opened(of).drawn()
    assert seen.page.locator(".chart .main-svg").count() >= 3
    assert seen.unasked == []


def test_hostile_names_stay_text(opened: Open) -> None:
    """In the lists, the table and the charts: nothing runs, nothing loads, all of it can be read."""
    seen = opened(hostile(ALL_HOSTILE)).drawn()
    seen.page.locator("#heat .heatmaplayer").hover(force=True)
    seen.page.wait_for_selector("#heat .hoverlayer text")
    assert seen.unasked == []
    assert seen.ask("document.querySelectorAll('img, iframe, main script, main a[href]').length") == 0
    assert set(seen.column("Gateway")) == {printable(ALL_HOSTILE)}
    labels = seen.page.locator("#heat .ytick text").all_text_contents()
    assert ["<script>" in label for label in labels] == [True]


ATTACKS = {
    "an inline handler": "document.body.insertAdjacentHTML('beforeend', '<img src=data:, onerror=hit()>')",
    "an image": "document.body.insertAdjacentHTML('beforeend', '<img src=https://example.com/a.png>')",
    "a script": "document.body.append(Object.assign(document.createElement('script'), {text: 'hit()'}))",
    "a call": "fetch('https://example.com/').catch(() => 0)",
}


def test_the_policy_holds_even_if_markup_gets_in(opened: Open) -> None:
    """Inline handlers, scripts of others and requests are refused by the browser itself."""
    seen = opened(inventory()).listed()
    left: list[str] = []
    # A request that the policy refuses is announced, but never gets as far as this.
    seen.page.route("**", lambda route: left.append(route.request.url))
    seen.ask("() => { window.hit = () => { window.wasHit = true } }")
    for attack in ATTACKS.values():
        refused: str = seen.ask(
            f"""() => new Promise((resolve) => {{
              const heard = (event) => resolve(event.violatedDirective);
              document.addEventListener("securitypolicyviolation", heard, {{ once: true }});
              {attack};
            }})"""
        )
        assert refused.split("-")[0] in ("script", "img", "connect"), attack
    assert seen.ask("window.wasHit") is None
    assert left == []


def test_a_click_on_a_head_sorts_and_a_second_one_turns_it(opened: Open) -> None:
    """By value, not by text; what is not known comes last both ways."""
    fleet_of_six = inventory(1, 6)
    seen = opened(fleet_of_six).listed()
    known = sorted(v.verdict.age_seconds for v in fleet_of_six.volumes if v.verdict.age_seconds is not None)
    missing = ["none"] * (len(fleet_of_six.volumes) - len(known))
    head = seen.page.locator("#table thead th", has_text="Age")
    head.locator("button").click()
    assert seen.column("Age") == [age(each) for each in known] + missing
    assert head.get_attribute("aria-sort") == "ascending"
    head.locator("button").click()
    assert seen.column("Age") == [age(each) for each in reversed(known)] + missing
    assert head.get_attribute("aria-sort") == "descending"
    assert (
        seen.page.locator("[aria-sort=none]").count() == seen.page.locator("#table th[scope=col]").count() - 1
    )
    seen.page.select_option("#order", label="Gateway ↓")
    assert seen.column("Gateway") == sorted(seen.column("Gateway"), reverse=True)


def test_a_point_in_the_future_is_shown_as_such_and_sorts_as_unknown(opened: Open) -> None:
    """By its age it were the best of all; a clock that is a little off is no anomaly."""
    ahead = Verdict(status=VerdictStatus.UNKNOWN, age_seconds=-2_580_000, rpo_seconds=5400)
    verdicts = [
        ahead,
        Verdict(status=VerdictStatus.OK, age_seconds=-90, rpo_seconds=3600),
        Verdict(status=VerdictStatus.BREACH, age_seconds=7200, rpo_seconds=3600),
    ]
    seen = opened(judged(*verdicts)).listed()
    for way in "↑↓":
        seen.page.select_option("#order", label=f"Of RPO {way}")
        shares = ["0 %", "200 %"] if way == "↑" else ["200 %", "0 %"]
        assert seen.column("Of RPO") == [*shares, "in the future"]
        seen.page.select_option("#order", label=f"Age {way}")
        assert seen.column("Age")[-1] == age(-2_580_000) == "29d 20h ahead"


def test_none_and_not_known_are_told_apart(opened: Open) -> None:
    """Nobody could ask a failed gateway; a volume without a recovery point has none."""
    verdicts = [
        Verdict(status=VerdictStatus.NO_RECOVERY_POINT, rpo_seconds=3600),
        Verdict(status=VerdictStatus.UNKNOWN),
        Verdict(status=VerdictStatus.UNRATED, age_seconds=60),
    ]
    seen = opened(judged(*verdicts)).listed()
    assert seen.column("Age") == ["none", "not known", "1m"]
    assert seen.column("Recovery point") == ["none", "not known", "2026-11-24 02:59Z"]
    assert seen.column("RPO") == ["1h", "not known", "none"]
    seen.page.select_option("#order", label="Age ↓")
    assert seen.column("Age")[0] == "1m"


def test_the_heat_map_tells_the_counts_of_each_verdict_when_pointed_at(opened: Open) -> None:
    """A cell in which two of three are unknown does not look as if all were well."""
    unknown = Verdict(status=VerdictStatus.UNKNOWN)
    waived = Verdict(status=VerdictStatus.BREACH, age_seconds=7200, rpo_seconds=3600, waived="ticket 4711")
    fine = Verdict(status=VerdictStatus.OK, age_seconds=1, rpo_seconds=3600)
    of = judged(unknown, unknown, waived, fine)
    seen = opened(of).drawn()
    assert seen.page.locator("#heat .heatmap-label").all_text_contents() == ["? 2 ◇ 1 of 4"]
    seen.page.locator("#heat .heatmaplayer").hover(force=True)
    seen.page.wait_for_selector("#heat .hoverlayer text")
    lines = seen.page.locator("#heat .hoverlayer text .line").all_text_contents()
    assert lines[-4:] == ["us-east-1: 4 volumes", "? 2 unknown", "◇ 1 waived", "✓ 1 ok"]
    assert seen.unasked == []


def test_the_worst_stand_first_until_something_else_is_asked(opened: Open) -> None:
    """Volumes without a recovery point, then breaches; the waived ones after all others."""
    of = inventory(1, 40)
    seen = opened(of).listed()
    verdicts = seen.column("Verdict")
    waived = [bool(reason) for reason in seen.column("Waived")]
    assert verdicts[0] == "⊘ no recovery point"
    assert waived == sorted(waived)
    assert any(waived)
    assert len(verdicts) == len(of.volumes)


def test_filters_narrow_and_say_how_far(opened: Open) -> None:
    """Every word must be found; the verdict is chosen beside it; the count is announced.

    Ids of gateways that have a name are found, too, as failures give them; so are organizational units.
    """
    of = inventory(3, 40)
    seen = opened(of).listed()
    seen.page.fill("#filter", "US-EAST vol-0000006")
    wanted = [v for v in of.volumes if v.region == "us-east-1" and "vol-0000006" in v.id]
    assert seen.page.inner_text("#count") == f"{len(wanted)} of {len(of.volumes)} volumes"
    assert set(seen.column("Region")) == {"us-east-1"}
    assert all("vol-0000006" in identifier for identifier in seen.column("Volume"))
    seen.page.select_option("#verdict", "breach")
    breaches = [v for v in wanted if v.verdict.status is VerdictStatus.BREACH]
    assert sorted(seen.column("Volume")) == sorted(v.id for v in breaches)
    assert seen.page.locator("#count").get_attribute("aria-live") == "polite"
    for hidden in (of.gateways[0].id, "Workloads/Prod"):
        seen.page.select_option("#verdict", "")
        seen.page.fill("#filter", hidden)
        assert seen.column("Volume")
    seen.page.fill("#filter", "no such thing")
    assert seen.column("Volume") == []


def test_pages_of_the_table_hold_every_volume_once(opened: Open) -> None:
    """A hundred at a time, to the end and back."""
    of = inventory(3, 40)
    seen = opened(of).listed()
    found = seen.column("Volume")
    while seen.page.is_enabled("#next"):
        seen.page.click("#next")
        found += seen.column("Volume")
    assert sorted(found) == sorted(volume.id for volume in of.volumes)
    assert seen.page.inner_text("#page") == "Page 3 of 3"
    seen.page.click("#previous")
    assert len(seen.column("Volume")) == 100


def test_an_incomplete_scan_says_so_in_red_before_anything_else(opened: Open) -> None:
    """And in the title; a complete one says that."""
    seen = opened(inventory(whole=False))
    alert = seen.page.get_by_role("alert")
    assert "Incomplete. 2 of 3 targets were not read" in alert.inner_text()
    red, green, blue, *_ = seen.ask(
        "(box) => getComputedStyle(box).backgroundColor.match(/\\d+/g).map(Number)", alert.element_handle()
    )
    assert red > 2 * max(green, blue)
    assert alert.bounding_box()["y"] < 300  # type: ignore[index]
    assert seen.page.title().startswith("INCOMPLETE: ")
    assert "access denied" in seen.page.inner_text("#coverage")
    whole = opened(inventory())
    assert whole.page.get_by_role("alert").count() == 0
    assert "Complete." in whole.page.inner_text(".banner")
    assert not whole.page.title().startswith("INCOMPLETE")


def test_a_screen_reader_finds_its_way(opened: Open) -> None:
    """Landmarks, headings in order, a name for everything, and no verdict told by its colour alone."""
    page = opened(inventory(whole=False)).drawn().page
    assert page.get_by_role("banner").count() == page.get_by_role("contentinfo").count() == 1
    assert page.get_by_role("main").count() == 1
    assert page.get_by_role("navigation", name="Sections").count() == 1
    assert page.get_by_role("heading", level=1).count() == 1
    levels = page.locator("h1, h2, h3, h4").evaluate_all("(all) => all.map((one) => Number(one.tagName[1]))")
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for region in ("What was scanned, and what was not", "Worst volumes", "All volumes"):
        assert page.get_by_role("region", name=region).count() >= 1
    assert page.locator(".chart").evaluate_all("(all) => all.every((one) => one.ariaLabel)")
    assert page.locator("th:not([scope])").count() == 0
    assert page.locator("label #filter, label #verdict, label #order").count() == 3
    assert page.locator("html[lang=en]").count() == 1
    for status in VerdictStatus:
        words = status.value.replace("_", " ")
        assert page.locator(f"#verdicts .tiles .verdict.{status.value}").inner_text().endswith(words)
    ids = page.locator("[id]").evaluate_all("(all) => all.map((one) => one.id)")
    assert len(ids) == len(set(ids))


def test_the_keyboard_alone_is_enough(opened: Open) -> None:
    """The first stop skips to the results, and a head sorts with the space bar."""
    page = opened(inventory()).listed().page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the results"
    page.locator("#table thead button").nth(3).focus()
    page.keyboard.press("Space")
    assert page.locator("#table thead th").nth(3).get_attribute("aria-sort") == "ascending"


def test_without_scripts_the_page_still_answers(opened: Open) -> None:
    """In a mail's preview: coverage, verdicts, the worst, failures; and it says what is missing."""
    page = opened(inventory(whole=False), java_script_enabled=False).page
    assert page.is_visible(".banner.broken")
    assert page.is_visible("#needs-script")
    assert not page.is_visible("#controls")
    assert page.locator("#worst tbody tr").count() > 5
    assert '"Action": ["storagegateway:ListGateways"]' in page.inner_text("#failures")


def test_twenty_thousand_volumes_stay_quick(opened: Open) -> None:
    """Under half a second for a letter typed or a column sorted; here with room for a slow machine."""
    seen = opened(fleet(20_000)).drawn()
    assert seen.unasked == []
    assert seen.page.inner_text("#count").startswith("20,000 of 20,000")
    spent = seen.ask(
        """() => {
          const timed = (work) => {
            const began = performance.now();
            work();
            return performance.now() - began;
          };
          const filter = document.getElementById("filter");
          const type = (text) => () => {
            filter.value = text;
            filter.dispatchEvent(new Event("input"));
          };
          const heads = Array.from(document.querySelectorAll("#table thead button"));
          return [type("team-07 eu-"), type("team-0"), type(""),
            ...heads.map((head) => () => head.click())].map(timed);
        }"""
    )
    assert len(spent) == 15
    assert max(spent) < 2000, spent
