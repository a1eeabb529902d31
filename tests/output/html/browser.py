"""The page in a real browser, with a record of everything it did that nobody asked for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
NEEDED = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs a browser at {CHROMIUM}")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DARK = {**DESKTOP, "color_scheme": "dark"}

# The contrast of every visible text with what lies behind it, as WCAG counts it; worst first.
CONTRASTS = """() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const [r, g, b, alpha = 1] = channels(getComputedStyle(at).backgroundColor);
      if (alpha === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.textContent.trim(), element = walk.currentNode.parentElement;
    if (!text || element.closest("script, svg, option") || !element.checkVisibility()) continue;
    const [one, other] = [channels(getComputedStyle(element).color), behind(element)].map(light);
    found.push([(Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05), text.slice(0, 40)]);
  }
  return found.sort((one, other) => one[0] - other[0]);
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


class Watched:
    """An open page; `unasked` lists console messages, errors, dialogs and requests."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.unasked: list[str] = []
        page.on("console", lambda said: self.unasked.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: self.unasked.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.unasked.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: self.unasked.append(f"request: {request.url}"))
        page.goto(address)
        # The page itself is the one thing that was asked for.
        self.unasked.remove(f"request: {address.partition('#')[0]}")

    def drawn(self) -> "Watched":
        """Waits until the script has drawn the table."""
        self.page.wait_for_selector("html[data-ready=true]", state="attached")
        return self

    def ask(self, script: str, argument: Any = None) -> Any:
        return self.page.evaluate(script, argument)

    def column(self, title: str) -> list[str]:
        """The texts of one column of the table of all volumes, as shown."""
        texts: list[str] = self.ask(
            """(title) => {
              const heads = Array.from(document.querySelectorAll("#table thead th"));
              const place = heads.findIndex((head) => head.dataset.title === title);
              return Array.from(document.querySelectorAll("#table tbody tr"), (row) =>
                row.cells[place].querySelector("bdi").textContent);
            }""",
            title,
        )
        return texts


Open = Callable[..., Watched]
"""Writes the page of an inventory and opens it, with the context's options."""


def hash_of(seen: Watched) -> dict[str, str]:
    """What the address asks for."""
    return dict(parse_qsl(str(seen.ask("location.hash")).removeprefix("#?")))
