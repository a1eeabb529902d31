"""The page, opened in a real browser: its first screen, and what it cannot be made to do."""

from datetime import timedelta
from itertools import pairwise

import pytest

from benchmarks.outputs import fleet
from scanner.inventory.model import Inventory
from scanner.output.text import printable
from tests.output.fleet import HOSTILE, hostile, inventory, judged, written
from tests.output.html import fleets
from tests.output.html.browser import NEEDED, PHONE, Open
from tests.output.html.fleets import BREACH, OK
from tests.strategies import NOW

pytestmark = NEEDED

ALL_HOSTILE = " ".join(HOSTILE)


@pytest.mark.parametrize("of", [inventory(), inventory(whole=False), inventory(0, 0), fleets.unreachable()])
def test_the_page_does_nothing_that_nobody_asked_for(opened: Open, of: Inventory) -> None:
    """No message on the console, no request, and every style is applied."""
    assert opened(of).drawn().unasked == []


@pytest.mark.parametrize("size", [{}, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize(
    "of",
    [inventory(whole=False), judged(OK), inventory(0, 0), fleet(2000)],
    ids=["partial", "well", "empty", "2,000"],
)
def test_the_first_screen_answers(opened: Open, of: Inventory, size: dict[str, object]) -> None:
    """The sentence, the three numbers, the verdicts and the head of the worst, without scrolling."""
    page = opened(of, **size).drawn().page
    height = page.evaluate("window.innerHeight")
    for seen in ("#answer-title", ".numbers", ".tiles", "#worst-title"):
        box = page.locator(seen).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= height, seen
    numbers = page.locator(".numbers .count").all_text_contents()
    counts = of.coverage.volumes
    assert (numbers[0], numbers[2]) == (f"{counts.need_action:,}", f"{counts.known:,}")


def test_danger_and_coverage_are_red_and_what_is_well_alone_is_green(opened: Open) -> None:
    """Each for itself: what is half well is not green."""
    colours = """() => Array.from(document.querySelectorAll(".numbers li"), (one) => {
      const [red, green, blue] = getComputedStyle(one).backgroundColor.match(/[0-9]+/g).map(Number);
      return red > 2 * Math.max(green, blue) ? "red" : green > 1.5 * Math.max(red, blue) ? "green" : "plain";
    })"""
    assert opened(judged(OK)).drawn().ask(colours) == ["green"] * 3
    assert opened(judged(OK, BREACH)).drawn().ask(colours) == ["red", "plain", "plain"]
    assert opened(fleets.unreachable()).drawn().ask(colours) == ["plain", "red", "plain"]
    assert opened(inventory(whole=False)).drawn().ask(colours) == ["red", "red", "plain"]


def test_an_old_scan_is_not_green(opened: Open) -> None:
    """It is told how old it is, and in red when older than the RPO that it judges."""
    fresh = opened(judged(OK), now=NOW + timedelta(minutes=59)).drawn().page
    assert fresh.inner_text("#ago") == ", 59 minutes ago"
    assert not fresh.is_visible("#stale")
    old = opened(judged(OK), now=NOW + timedelta(hours=3)).drawn().page
    assert old.inner_text("#ago") == ", 3 hours ago"
    assert old.inner_text("#stale") == "Older than the RPO of 1h that it judges: scan again."
    assert old.locator(".good").count() == 0
    assert old.inner_text("#answer-title") == "All was well when this was scanned."
    assert old.title().startswith("Old: ")


def test_hostile_names_stay_text(opened: Open) -> None:
    """In lists, table, chart, map and the facts of a volume: nothing runs, nothing loads."""
    seen = opened(hostile(ALL_HOSTILE)).drawn()
    seen.page.locator("#table tbody a").first.click()
    seen.page.wait_for_selector("#volume[open]")
    assert printable(ALL_HOSTILE) in (seen.page.text_content("#volume-facts") or "")
    assert seen.unasked == []
    assert seen.ask("document.querySelectorAll('img, iframe, main script').length") == 0
    assert seen.ask(
        "Array.from(document.querySelectorAll('main a')).every((one) => /^#[^/]/.test(one.getAttribute('href')))"
    )
    assert set(seen.column("Gateway")) == {printable(ALL_HOSTILE)}


HASHES = [
    "#?q=<img src=x onerror=alert(1)>&account=</select><script>alert(1)</script>",
    "#?sort=constructor-&page=-7&columns=__proto__,toString",
    "#?verdict=__proto__&gateway=%00%ff&share=NaN~Infinity&volume=javascript:alert(1)",
    "#?page=1e99&share=~~~&tag==&waived=perhaps&ou=/",
    "#?%",
    "#?" + "q=x&" * 5000,
]


@pytest.mark.parametrize("asks", HASHES)
def test_hostile_addresses_are_harmless(opened: Open, asks: str) -> None:
    """What an address asks for is data, whoever made the link."""
    seen = opened(inventory(), asks).drawn()
    assert seen.unasked == []
    assert seen.ask("document.querySelectorAll('img, iframe').length") == 0
    assert seen.page.is_visible("#clear") or seen.column("Volume")


ATTACKS = {
    "an inline handler": "document.body.insertAdjacentHTML('beforeend', '<img src=data:, onerror=hit()>')",
    "an image": "document.body.insertAdjacentHTML('beforeend', '<img src=https://example.com/a.png>')",
    "a script": "document.body.append(Object.assign(document.createElement('script'), {text: 'hit()'}))",
    "a style": "document.body.insertAdjacentHTML('beforeend', '<p style=color:red>')",
    "a call": "fetch('https://example.com/').catch(() => 0)",
}


def test_the_policy_holds_even_if_markup_gets_in(opened: Open) -> None:
    """Inline handlers, scripts and styles of others, and requests are refused by the browser itself."""
    seen = opened(inventory()).drawn()
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
        assert refused.split("-")[0] in ("script", "img", "connect", "style"), attack
    assert seen.ask("window.wasHit") is None
    assert left == []


def test_a_screen_reader_finds_its_way(opened: Open) -> None:
    """Landmarks, headings in order, a name for everything, and no verdict told by its colour alone."""
    page = opened(inventory(whole=False)).drawn().page
    for role in ("banner", "contentinfo", "main"):
        assert page.get_by_role(role).count() == 1
    assert page.get_by_role("heading", level=1).count() == 1
    levels = page.locator("main :is(h2, h3, h4)").evaluate_all(
        "(all) => all.map((one) => Number(one.tagName[1]))"
    )
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.locator("svg.chart").evaluate_all("(all) => all.every((one) => one.ariaLabel)")
    assert page.locator("th:not([scope])").count() == 0
    assert page.locator("html[lang=en]").count() == 1
    ids = page.locator("[id]").evaluate_all("(all) => all.map((one) => one.id)")
    assert len(ids) == len(set(ids))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the answer"


def test_without_scripts_the_page_still_answers(opened: Open) -> None:
    """In a mail's preview: numbers, the worst, the causes, the charts; and it says what is missing."""
    page = opened(inventory(whole=False), java_script_enabled=False).page
    assert page.is_visible(".numbers .bad")
    assert "open this page with JavaScript" in page.inner_text("#needs-script")
    assert not page.is_visible("#live")
    assert page.locator("#static tbody tr").count() > 5
    assert page.locator("svg.chart.wide a").count() > 0
    assert '"Action": ["storagegateway:ListGateways"]' in page.inner_text("#not-read")


def test_a_browser_that_cannot_inflate_shows_the_worst(opened: Open) -> None:
    """As one older than 2023."""
    page = opened(written(inventory(), ".html").replace(b'"DecompressionStream" in window', b"false")).page
    assert page.locator("#static tbody tr").count() > 5
    assert not page.is_visible("#live")


def test_a_damaged_page_says_so_and_shows_the_worst(opened: Open) -> None:
    """Cut or mangled data costs the table of all volumes, not the answer."""
    damaged = written(inventory(), ".html").replace(b'id="data">H4sI', b'id="data">H4sJ').decode()
    # The script's own policy allows no other script, and the data is none.
    seen = opened(damaged.encode())
    seen.page.wait_for_function(
        "() => document.getElementById('needs-script').textContent.includes('could not be read')"
    )
    assert seen.page.locator("#static tbody tr").count() > 5
    assert not seen.page.is_visible("#live")
    assert [each.split(":")[0] for each in seen.unasked] == ["error"]
