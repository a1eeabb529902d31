"""Pages in a browser, for every test that looks at one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scanner.inventory.model import Inventory
from tests.output.browser import DESKTOP, Open, Watched, chromium
from tests.output.fleet import written


@pytest.fixture(scope="package")
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
