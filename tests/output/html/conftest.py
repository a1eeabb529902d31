"""Pages in a browser, for every test that looks at one."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scanner.inventory.model import Inventory
from tests.output.fleet import written
from tests.output.html.browser import DESKTOP, Open, Watched, chromium
from tests.strategies import NOW


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    contexts = []

    def open_page(
        of: Inventory | bytes, asks: str = "", now: datetime = NOW + timedelta(minutes=1), **options: Any
    ) -> Watched:
        path = tmp_path / "report.html"
        path.write_bytes(of if isinstance(of, bytes) else written(of, ".html"))
        contexts.append(browser.new_context(**{**DESKTOP, **options}))
        contexts[-1].add_init_script(f"Date.now = () => {now.timestamp() * 1000:.0f}")
        return Watched(contexts[-1].new_page(), path.as_uri() + asks)

    yield open_page
    for context in contexts:
        context.close()
