"""How the page looks: light and dark, on a phone, on paper."""

import subprocess
from pathlib import Path
from shutil import which
from typing import Literal

import pytest

from benchmarks.outputs import fleet
from scanner.inventory.model import Inventory
from scanner.inventory.records import Verdict, VerdictStatus
from scanner.output.html.cells import SIGNS
from tests.output.browser import CONTRASTS, DARK, NEEDED, PHONE, Open, Watched
from tests.output.fleet import hostile, inventory, judged

pytestmark = NEEDED

LONG = "x" * 255
SHEET = (1032, 703)
"""What the margins leave of A4 in landscape, in CSS pixels."""
LINES = """(all) => all.map((one) => Array.from(
  one.querySelectorAll(".line, text:not(:has(.line))"), (line) => line.textContent))"""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


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
        shades = [f"shade-{state}" for state in (*SIGNS, "none", "unread")]
        names = ("page", "text", "bar", "bar-two", *VerdictStatus, *shades)
        colours = {name: _luminance(seen.ask(value, name)) for name in names}
        for shade in shades:
            assert _contrast(colours["text"], colours[shade]) >= 4.5
        for bar in ("bar", "bar-two", *VerdictStatus):
            assert _contrast(colours["page"], colours[bar]) >= 3


def _luminance(colour: str) -> float:
    parts = [int(colour.strip()[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def test_a_phone_shows_signs_and_numbers_in_the_heat_map(opened: Open) -> None:
    """Breaches, what was not read completely, and a sign: never a colour alone."""
    seen = opened(inventory(1, 8, whole=False), **PHONE).drawn()
    cells = seen.page.locator("#heat .heatmap-label").evaluate_all(LINES)
    assert cells == [["*"], ["⊘ 1 *", "✖ 1"], ["⊘ 1", "✖ 1"]]
    sizes = seen.page.locator("#heat .heatmap-label text").evaluate_all(
        "(all) => all.map((one) => parseFloat(getComputedStyle(one).fontSize))"
    )
    assert min(sizes) >= 8


def test_many_regions_scroll_in_their_box_rather_than_lose_their_numbers(opened: Open) -> None:
    """On a phone there is no room for fifteen, but each cell stays wide enough to be read."""
    verdict = Verdict(status=VerdictStatus.BREACH, age_seconds=9999, rpo_seconds=1)
    of = Inventory.merge([judged(verdict, region=f"eu-west-{number}") for number in range(1, 16)])
    seen = opened(of, **PHONE).drawn()
    assert seen.ask("document.documentElement.scrollWidth") <= 375
    assert seen.page.locator("#heat .heatmap-label").all_text_contents() == ["✖ 1"] * 15
    cell = seen.ask("document.querySelector('#heat .hm image').getBoundingClientRect().width / 15")
    assert cell > 35
    assert seen.page.get_by_role("region", name="Heat map").get_attribute("tabindex") == "0"


@pytest.mark.parametrize("of", [inventory(whole=False), hostile(LONG)], ids=["usual", "long names"])
def test_a_phone_shows_what_matters_of_a_volume_without_scrolling(opened: Open, of: Inventory) -> None:
    """Verdict, volume, age and RPO; what is less urgent lies to the right of them, for all who want it."""
    seen = opened(of, **PHONE).listed()
    for table, box in (("#worst table", "#worst .scroll"), ("#table", "#table-box")):
        edge = seen.ask("(box) => document.querySelector(box).getBoundingClientRect().right", box)
        ends = seen.ask(
            """(table) => Array.from(document.querySelectorAll(`${table} tr`), (row) =>
              Array.from(row.cells, (cell) => cell.getBoundingClientRect().right)[3])""",
            table,
        )
        assert len(ends) > 3
        assert max(ends) <= edge
        heads = seen.page.locator(f"{table} thead th").all_text_contents()
        assert heads[:4] == ["Verdict", "Volume", "Age", "RPO"]


def test_a_phone_shows_the_whole_table_of_coverage(opened: Open) -> None:
    """Also that of a large fleet."""
    of = inventory(whole=False)
    counts = {"planned": 54_321, "complete": 43_210, "partial": 1_111, "failed": 5_000, "skipped": 5_000}
    coverage = of.coverage.model_copy(
        update={
            "targets": of.coverage.targets.model_copy(update=counts),
            "volumes": of.coverage.volumes.model_copy(update={"known": 1_234_567}),
        }
    )
    seen = opened(of.model_copy(update={"coverage": coverage}), **PHONE)
    wide, room = seen.ask("""() => {
      const box = document.querySelector("#coverage .scroll");
      return [box.scrollWidth, box.clientWidth];
    }""")
    assert wide <= room


@pytest.mark.parametrize("of", [inventory(whole=False), hostile(LONG)], ids=["usual", "long names"])
def test_a_phone_shows_it_without_scrolling_sideways(opened: Open, of: Inventory) -> None:
    """Wide tables scroll inside their own boxes, which the keyboard reaches."""
    seen = opened(of, **PHONE).drawn()
    for width in (375, 320):
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
    seen.page.wait_for_function(f"() => {tick} !== '{dark}'")


def _shade(seen: Watched) -> int:
    found: int = seen.ask("Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])")
    return found


def test_print_is_light_and_leaves_out_what_paper_cannot_do(opened: Open) -> None:
    """From a dark screen too: no buttons, no filters, nothing wider than the paper."""
    seen = on_paper(opened(inventory(whole=False), **DARK).drawn())
    assert _shade(seen) == 255
    for hidden in ("#filter", "#next", "body > nav"):
        assert not seen.page.is_visible(hidden)
    assert seen.page.is_visible(".banner.broken")
    assert seen.ask("document.documentElement.scrollWidth") <= SHEET[0]
    assert seen.page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def on_paper(seen: Watched) -> Watched:
    seen.page.set_viewport_size({"width": SHEET[0], "height": SHEET[1]})
    seen.page.emulate_media(media="print")
    seen.page.wait_for_function("() => document.querySelector('#heat .main-svg').clientWidth === 980")
    return seen


def test_no_chart_is_cut_between_sheets(opened: Open) -> None:
    """None may be broken, and none is higher than a sheet, with the words that belong to it."""
    seen = on_paper(opened(fleet(6000)).drawn())
    charts = seen.page.locator(".chart").evaluate_all(
        """(all) => all.map((one) => {
          const section = one.closest("section");
          const head = Array.from(section.querySelectorAll("h2, h3")).at(-1);
          return [getComputedStyle(one).breakInside,
            one.getBoundingClientRect().bottom - head.getBoundingClientRect().top];
        })"""
    )
    assert len(charts) == 3
    for breaks, height in charts:
        assert breaks == "avoid"
        assert 200 < height < SHEET[1]
    before = "(all) => all.map((one) => getComputedStyle(one).breakAfter)"
    assert set(seen.page.locator("h2, h3, .before-chart").evaluate_all(before)) == {"avoid"}
    assert seen.page.locator("#heat .ytick text").count() == 40


def test_the_head_of_all_volumes_stands_on_every_sheet_and_in_no_button(opened: Open) -> None:
    """Chromium repeats it without the buttons in it, so on paper its words stand in none."""
    seen = on_paper(opened(inventory(3, 40)).drawn())
    head = seen.page.locator("#table thead")
    assert head.evaluate("(one) => getComputedStyle(one).display") == "table-header-group"
    assert not any(button.is_visible() for button in head.locator("button").all())
    shown = head.locator("th").evaluate_all(
        "(all) => all.map((one) => getComputedStyle(one, '::before').content.slice(1, -1))"
    )
    assert shown == head.locator("th").all_text_contents()
    assert "Recovery point" in shown


@pytest.mark.skipif(which("pdftotext") is None, reason="needs pdftotext")
def test_paper_has_every_row_under_a_head_and_no_empty_sheet(opened: Open, tmp_path: Path) -> None:
    """As printed: the sheets are counted before the charts shrink to fit them."""
    of = fleet(6000)
    (tmp_path / "page.pdf").write_bytes(opened(of).drawn().page.pdf(prefer_css_page_size=True))
    command = ["pdftotext", "-layout", str(tmp_path / "page.pdf"), "-"]
    *sheets, rest = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\f")
    assert not rest
    assert all(sheet.strip() for sheet in sheets)
    begun = next(number for number, sheet in enumerate(sheets) if "All volumes" in sheet)
    listed = [sheet for sheet in sheets[begun:] if "vol-" in sheet]
    assert len(listed) > 1
    assert all("Of RPO" in sheet for sheet in listed)
    assert sum(sheet.count("vol-") for sheet in sheets) == 50 + 100
