"""The pictures of the documents: small, shown somewhere, and all made by one script."""

import re
from pathlib import Path

import pytest

from scripts.screenshots import LARGEST

ROOT = Path(__file__).parents[1]
PICTURES = sorted((ROOT / "docs").glob("*.png"))


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.stem)
def test_each_is_small_and_shown_with_words_for_who_cannot_see_it(picture: Path) -> None:
    assert picture.stat().st_size <= LARGEST
    pages = "".join(page.read_text() for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")))
    assert re.search(rf"!\[[^\]]{{20,}}\]\((?:docs/)?{picture.name}\)", pages)


def test_each_is_made_by_the_script() -> None:
    script = (ROOT / "scripts/screenshots.py").read_text()
    assert {picture.name for picture in PICTURES} == set(re.findall(r'"(\w+\.png)"', script))
