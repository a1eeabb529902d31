"""The documents as a site: it is built without a warning, and needs nothing from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="needs Sphinx, of the dependency group docs")

DOCS = Path(__file__).parents[1] / "docs"
LOADED = re.compile(r"<(?:script|img|iframe|source)[^>]+src=.([^\"' >]+)|<link[^>]+href=.([^\"' >]+)")
IN_STYLES = re.compile(r"(?:url\(|@import )[\"']?([^\"')]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-q",
        "-b",
        "html",
        str(DOCS),
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_in_the_site(site: Path) -> None:
    pages = {
        page.relative_to(DOCS).with_suffix(".html")
        for page in DOCS.rglob("*.md")
        if "_build" not in page.parts
    }
    assert pages <= {page.relative_to(site) for page in site.rglob("*.html")}


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    """It is read where there is no network, and tells nobody that it is read."""
    loaded = {
        address
        for page in site.rglob("*.html")
        for found in LOADED.findall(page.read_text())
        for address in found
        if address
    }
    loaded |= {address for sheet in site.rglob("*.css") for address in IN_STYLES.findall(sheet.read_text())}
    assert loaded
    assert not [each for each in loaded if re.match(r"(?:https?:)?//", each)]


def test_the_reference_explains_every_public_name(site: Path) -> None:
    text = (site / "reference/library.html").read_text()
    for name in (
        "scanner.Scanner",
        "scanner.Volume",
        "scanner.policy.Policy",
        "scanner.History",
    ):
        assert f'id="{name}"' in text, name
