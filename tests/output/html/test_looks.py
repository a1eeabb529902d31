"""How the page looks: for every eye, light and dark, on a phone, on paper."""

import re
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from shutil import which
from typing import Literal

import pytest

from benchmarks.outputs import fleet
from scanner.inventory.model import Inventory
from scanner.inventory.records import Verdict, VerdictStatus
from scanner.output.html.ages import STATES
from scanner.output.html.cells import SIGNS
from tests.output.fleet import hostile, inventory, judged
from tests.output.html import fleets
from tests.output.html.browser import CONTRASTS, DARK, NEEDED, PHONE, Open, Watched
from tests.output.html.colours import SIGHTS, contrast, difference
from tests.output.html.fleets import BREACH, OK
from tests.output.html.test_over_time import page_of, past_of

LONG = "x" * 255
SHEET = (1032, 703)
"""What the margins leave of A4 in landscape, in CSS pixels."""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
NEIGHBOURS = {*pairwise(SIGNS), *pairwise(STATES), ("breach", "at_risk"), ("at_risk", "ok"), ("breach", "ok")}
"""Verdicts that follow each other in a list, in a bar of the chart, or in a gateway's share."""


def palettes() -> Iterator[dict[str, str]]:
    """The colours of each scheme, as the style sheet gives them; dark has those of light but for its own."""
    style = files("scanner.output.html").joinpath("page.css").read_text(encoding="utf-8")
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{(.+?)\}", style, re.S)
    )
    yield light
    yield light | dark


@pytest.mark.parametrize("colours", list(palettes()), ids=SCHEMES)
@pytest.mark.parametrize("sight", SIGHTS)
def test_neighbouring_verdicts_stay_apart_for_every_eye(colours: dict[str, str], sight: str) -> None:
    """By 15 (CIEDE2000), for those without red or green cones, too."""
    apart = {pair: difference(colours[pair[0]], colours[pair[1]], sight) for pair in NEIGHBOURS}
    assert min(apart.values()) >= 15, sorted(apart.items(), key=lambda item: item[1])[:3]


@pytest.mark.parametrize("colours", list(palettes()), ids=SCHEMES)
def test_colours_are_told_from_the_page_and_signs_from_their_colour(colours: dict[str, str]) -> None:
    """Bars and cells at 3 to 1, signs and numbers on them at 4.5 to 1."""
    for state in SIGNS:
        assert contrast(colours[state], colours["page"]) >= 3, state
        assert contrast(colours[state], colours[f"on-{state}"]) >= 4.5, state


def test_each_verdict_has_a_sign_and_each_bar_a_pattern_of_its_own() -> None:
    """So that none is told by its colour alone."""
    assert len(set(SIGNS.values())) == len(SIGNS)
    page = files("scanner.output.html").joinpath("page.html.j2").read_text(encoding="utf-8")
    patterns = dict(re.findall(r'<pattern id="pattern-(\w+)"[^>]*>(.*?)</pattern>', page))
    assert set(patterns) == set(SIGNS) - {"not_read"}
    assert len({re.sub(r"on-\w+", "", drawn) for drawn in patterns.values()}) == len(patterns)


@NEEDED
def test_all_text_has_the_contrast_that_aa_asks_for(opened: Open) -> None:
    """4.5 to 1, for every text on the page, in light and dark."""
    seen = opened(inventory(whole=False)).drawn()
    seen.ask("for (const box of document.querySelectorAll('details')) box.open = true")
    for scheme in SCHEMES:
        seen.page.emulate_media(color_scheme=scheme)
        contrasts = seen.ask(CONTRASTS)
        assert len(contrasts) > 300
        assert contrasts[0][0] >= 4.5, contrasts[:5]


@NEEDED
@pytest.mark.parametrize(
    "of", [inventory(whole=False), hostile(LONG), fleet(2000)], ids=["usual", "long", "2,000"]
)
def test_a_phone_shows_it_without_scrolling_sideways(opened: Open, of: Inventory) -> None:
    """Wide tables scroll inside their own boxes, which the keyboard reaches; also with all that folds open."""
    seen = opened(of, **PHONE).drawn()
    seen.ask("for (const box of document.querySelectorAll('details')) box.open = true")
    for width in (390, 320):
        seen.page.set_viewport_size({"width": width, "height": 640})
        assert seen.ask("document.documentElement.scrollWidth") <= width
    assert seen.ask("Array.from(document.querySelectorAll('.scroll')).every((box) => box.tabIndex === 0)")


@NEEDED
def test_a_phone_shows_volumes_as_cards(opened: Open) -> None:
    """Account and Region of each within the screen, with their names; and an order to choose."""
    seen = opened(inventory(), **PHONE).drawn()
    cells = seen.ask(
        """() => Array.from(document.querySelectorAll("#table tbody tr:first-child > *"), (cell) =>
          [cell.dataset.title, cell.getBoundingClientRect().right, getComputedStyle(cell, "::before").content])"""
    )
    assert {title for title, *_ in cells} >= {"Account", "Region", "Age"}
    assert max(right for _, right, _ in cells) <= 390
    assert {name for title, _, name in cells if title == "Region"} == {'"Region "'}
    seen.page.select_option("[name=order]", "age-")
    assert seen.column("Verdict")[0] != "ok"
    assert seen.page.locator("#table").get_by_role("row").count() > 10


@NEEDED
def test_a_desk_shows_the_most_important_columns_in_single_lines(opened: Open) -> None:
    """Beside each other, whatever the names, under a head that stays."""
    for of in (fleet(2000), hostile(LONG)):
        seen = opened(of).drawn()
        heights = seen.ask(
            "Array.from(document.querySelectorAll('#table tbody tr'), (row) => row.offsetHeight)"
        )
        assert max(heights) < 40
    seen = opened(fleet(2000)).drawn()
    assert seen.ask("(box => box.scrollWidth <= box.clientWidth)(document.getElementById('table-box'))")
    assert seen.page.locator("#table thead th").all_text_contents()[:3] == ["Verdict", "Volume", "Age"]
    seen.ask("document.getElementById('table-box').scrollTop = 600")
    top = seen.ask("""document.querySelector("#table thead th").getBoundingClientRect().top -
      document.getElementById("table-box").getBoundingClientRect().top""")
    assert 0 <= top < 3


@NEEDED
def test_many_regions_scroll_in_their_box_rather_than_lose_their_numbers(opened: Open) -> None:
    """On a phone there is no room for fifteen, but each cell stays wide enough to be read."""
    verdict = Verdict(status=VerdictStatus.BREACH, age_seconds=9999, rpo_seconds=1)
    of = Inventory.merge([judged(verdict, region=f"eu-west-{number}") for number in range(1, 16)])
    seen = opened(of, **PHONE).drawn()
    assert seen.ask("document.documentElement.scrollWidth") <= 390
    widths = seen.page.locator("#heat td").evaluate_all("(all) => all.map((one) => one.offsetWidth)")
    assert len(widths) == 15
    assert min(widths) > 35


@NEEDED
def test_dark_is_dark(opened: Open) -> None:
    """Also when the system changes while the page is open."""
    seen = opened(inventory(), **DARK).drawn()
    assert _shade(seen) < 60
    seen.page.emulate_media(color_scheme="light")
    assert _shade(seen) > 200


def _shade(seen: Watched) -> int:
    found: int = seen.ask("Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])")
    return found


@NEEDED
def test_print_is_light_and_leaves_out_what_paper_cannot_do(opened: Open) -> None:
    """From a dark screen too: no buttons, no filters, nothing wider than the paper."""
    seen = opened(inventory(whole=False), **DARK).drawn()
    seen.page.set_viewport_size({"width": SHEET[0], "height": SHEET[1]})
    seen.page.emulate_media(media="print")
    assert _shade(seen) == 255
    for hidden in ("#filters", "#next", "#csv", "#needs-script"):
        assert not seen.page.is_visible(hidden)
    assert seen.ask("document.documentElement.scrollWidth") <= SHEET[0]


def pages_of(seen: Watched, tmp_path: Path) -> list[str]:
    (tmp_path / "page.pdf").write_bytes(seen.page.pdf(prefer_css_page_size=True))
    command = ["pdftotext", "-layout", str(tmp_path / "page.pdf"), "-"]
    *sheets, rest = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\f")
    assert not rest
    return sheets


@NEEDED
@pytest.mark.skipif(which("pdftotext") is None, reason="needs pdftotext")
@pytest.mark.parametrize(("choice", "rows"), [("page", 100), ("rows", 330), ("all", 2000), ("none", 0)])
def test_paper_has_the_answer_on_its_first_sheet_and_the_rows_that_were_chosen(
    opened: Open, tmp_path: Path, choice: str, rows: int
) -> None:
    """Each sheet of rows under a head; none is empty."""
    seen = opened(fleet(2000), "#?region=eu-west-1").drawn()
    seen.page.select_option("#paper", choice)
    sheets = pages_of(seen, tmp_path)
    assert all(sheet.strip() for sheet in sheets)
    assert "409 of 2,000 volumes need action; 1 gateway or target was not read." in sheets[0]
    assert "The worst, by gateway" in sheets[0]
    begun = next((number for number, sheet in enumerate(sheets) if "All volumes" in sheet), len(sheets))
    listed = [sheet for sheet in sheets[begun:] if "vol-" in sheet]
    assert all("Of RPO" in sheet for sheet in listed)
    assert sum(sheet.count("vol-") for sheet in sheets[begun:]) == rows


@NEEDED
@pytest.mark.parametrize("choice", ["page", "rows", "all", "none"])
def test_what_was_chosen_is_there_when_the_paper_is(opened: Open, choice: str) -> None:
    """And afterwards the page is as it was."""
    seen = opened(fleet(2000), "#?region=eu-west-1").drawn()
    count = "document.querySelectorAll('#table tbody tr').length"
    matching = int(str(seen.page.inner_text("#count")).split()[0].replace(",", ""))
    expected = {"page": 100, "rows": matching, "all": 2000, "none": 0}[choice]
    seen.page.select_option("#paper", choice)
    seen.ask("window.dispatchEvent(new Event('beforeprint'))")
    assert seen.ask(count) == expected
    seen.ask("window.dispatchEvent(new Event('afterprint'))")
    assert seen.ask(count) == 100


PAGES = {
    "partial": inventory(whole=False),
    "well": judged(OK),
    "empty": inventory(0, 0),
    "carried": fleets.unreachable(),
    "detached": fleets.with_detached(judged(BREACH)),
    "2,000": fleet(2000),
    "trends": page_of(judged(OK, BREACH), past_of(judged(OK, BREACH))),
}


@pytest.fixture(scope="session")
def axe(request: pytest.FixtureRequest) -> str:
    """The checker's source, from npm when it is not there yet."""
    folder = request.config.cache.mkdir("axe")
    source = folder / "package" / "axe.min.js"
    if not source.exists():
        if which("npm") is None:
            pytest.skip("needs axe-core, which npm would fetch, and there is no npm")
        command = ["npm", "pack", "--silent", "axe-core@4.14.1"]
        packed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if packed.returncode:
            pytest.skip("needs axe-core, which npm could not fetch")
        unpack = ["tar", "xzf", packed.stdout.split()[-1], "package/axe.min.js"]
        subprocess.run(unpack, cwd=folder, check=True)
    return source.read_text(encoding="utf-8")


@NEEDED
@pytest.mark.parametrize("options", [{}, PHONE, DARK], ids=["desk", "phone", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_checker_of_accessibility_finds_nothing(
    opened: Open, axe: str, name: str, options: dict[str, object]
) -> None:
    """With all that folds open, and with the facts of a volume before it."""
    seen = opened(PAGES[name], **options).drawn()
    seen.ask(axe)
    seen.ask("for (const box of document.querySelectorAll('details')) box.open = true")
    violations = """axe.run().then((found) => found.violations.map((one) =>
      [one.id, one.nodes.map((node) => node.html.slice(0, 120))]))"""
    assert seen.ask(violations) == []
    link = seen.page.locator("#table tbody a")
    if link.count():
        link.first.click()
        assert seen.ask(violations) == []
