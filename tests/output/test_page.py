"""The page, opened in a real browser: what it shows, what it does, and what it cannot be made to do."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pytest

from benchmarks.outputs import fleet
from scanner.model import Inventory
from scanner.output.text import age, printable
from scanner.records import VerdictStatus
from tests.output.browser import CHROMIUM, CONTRASTS, DARK, DESKTOP, PHONE, Watched, chromium
from tests.output.fleet import HOSTILE, hostile, inventory, written

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs a browser at {CHROMIUM}")

ALL_HOSTILE = " ".join(HOSTILE)
LONG = "x" * 255
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
Open = Callable[..., Watched]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    contexts = []

    def open_page(of: Inventory, **options: Any) -> Watched:
        place = tmp_path / "report.html"
        place.write_bytes(written(of, ".html"))
        contexts.append(browser.new_context(**{**DESKTOP, **options}))
        return Watched(contexts[-1].new_page(), place)

    yield open_page
    for context in contexts:
        context.close()


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
    """Every word must be found; the verdict is chosen beside it; the count is announced."""
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


def test_all_text_has_the_contrast_that_aa_asks_for(opened: Open) -> None:
    """4.5 to 1, for every text on the page, in light and dark."""
    seen = opened(inventory(whole=False)).listed()
    seen.ask("for (const box of document.querySelectorAll('details')) box.open = true")
    for scheme in SCHEMES:
        seen.page.emulate_media(color_scheme=scheme)
        contrasts = seen.ask(CONTRASTS)
        assert len(contrasts) > 300
        assert contrasts[0][0] >= 4.5, contrasts[:5]


def test_cells_and_bars_can_be_told_from_what_is_behind_them(opened: Open) -> None:
    """Numbers on every shade of the heat map at 4.5 to 1, bars against the page at 3 to 1."""
    seen = opened(inventory())
    value = "(name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`)"
    for scheme in SCHEMES:
        seen.page.emulate_media(color_scheme=scheme)
        names = ("page", "text", "cold", "hot", "unread", "bar", "bar-two", *VerdictStatus)
        colours = {name: _luminance(seen.ask(value, name)) for name in names}
        for shade in ("cold", "hot", "unread"):
            assert _contrast(colours["text"], colours[shade]) >= 4.5
        for bar in ("bar", "bar-two", *VerdictStatus):
            assert _contrast(colours["page"], colours[bar]) >= 3


def _luminance(colour: str) -> float:
    parts = [int(colour.strip()[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


@pytest.mark.parametrize("of", [inventory(whole=False), hostile(LONG)], ids=["usual", "long names"])
def test_a_phone_shows_it_without_scrolling_sideways(opened: Open, of: Inventory) -> None:
    """Wide tables scroll inside their own boxes, which the keyboard reaches."""
    seen = opened(of, **PHONE).drawn()
    for width in (390, 320):
        seen.page.set_viewport_size({"width": width, "height": 640})
        assert seen.ask("document.documentElement.scrollWidth") <= width
    assert seen.ask("Array.from(document.querySelectorAll('.scroll')).every((box) => box.tabIndex === 0)")


def test_charts_follow_the_window_and_keep_their_height(opened: Open) -> None:
    """A phone that is turned, a window that is dragged."""
    seen = opened(inventory()).drawn()
    heights = "Array.from(document.querySelectorAll('.chart'), (box) => box.clientHeight)"
    before = seen.ask(heights)
    assert min(before) > 100
    for width in (700, 400, 1280):
        seen.page.set_viewport_size({"width": width, "height": 900})
        seen.page.wait_for_function(
            """() => {
              const chart = document.querySelector("#heat");
              return chart.querySelector(".main-svg").clientWidth === chart.clientWidth;
            }"""
        )
        assert seen.ask(heights) == before


def test_dark_is_dark_and_charts_follow(opened: Open) -> None:
    """Also when the system changes while the page is open."""
    seen = opened(inventory(), **DARK).drawn()
    assert _shade(seen) < 60
    tick = "getComputedStyle(document.querySelector('#heat .xtick text')).fill"
    dark = seen.ask(tick)
    seen.page.emulate_media(color_scheme="light")
    assert _shade(seen) > 200
    seen.page.wait_for_function(f"{tick} !== '{dark}'")


def _shade(seen: Watched) -> int:
    found: int = seen.ask("Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])")
    return found


def test_print_is_light_and_leaves_out_what_paper_cannot_do(opened: Open) -> None:
    """From a dark screen too: no buttons, no filters, nothing wider than the paper."""
    seen = opened(inventory(whole=False), **DARK).drawn()
    seen.page.set_viewport_size({"width": 1032, "height": 730})
    seen.page.emulate_media(media="print")
    seen.page.wait_for_function("document.querySelector('#heat .main-svg').clientWidth === 980")
    assert _shade(seen) == 255
    for hidden in ("#filter", "#next", "body > nav"):
        assert not seen.page.is_visible(hidden)
    assert seen.page.is_visible(".banner.broken")
    assert seen.ask("document.documentElement.scrollWidth") <= 1032
    assert seen.page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


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
        assert page.locator(f"#verdicts .verdict.{status.value}").inner_text().endswith(words)
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
