"""The pictures in docs/: the page and the terminal, of the demo's fleet, as Chromium draws them.

Run `python -m scripts.screenshots` after a change of how they look. Needs Chromium and the dependency group `dev`.
"""

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

DOCS = Path(__file__).parents[1] / "docs"
LARGEST = 150_000
"""Bytes of a picture; each reader of the README loads it."""
COLUMNS = 118
SHEET = """<body style="margin:0;background:#16181d"><pre id="screen" style="display:inline-block;margin:0;padding:18px;
color:#d8dbe2;font:14px/1.35 'DejaVu Sans Mono',monospace">{code}</pre></body>"""


def main() -> None:
    with TemporaryDirectory() as folder, browser() as page:
        text = _demo(Path(folder))
        page.set_viewport_size({"width": 1080, "height": 660})
        page.goto((Path(folder) / "sgw-demo/report.html").as_uri())
        _save(page.screenshot(), "page.png")
        # Not in the page's own document, whose policy lets nobody add a style.
        page.goto("about:blank")
        page.set_content(_drawn(text))
        _save(page.locator("#screen").screenshot(), "terminal.png")


@contextmanager
def browser() -> Iterator[Page]:
    """A page in the system's Chromium, in the light."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        try:
            yield chromium.new_page(color_scheme="light")
        finally:
            chromium.close()


def _demo(folder: Path) -> str:
    """Runs the demo in `folder`; what it prints on a terminal, with its colours."""
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    environment = {**environment, "PYTHONPATH": str(DOCS.parent)}
    ours, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "scanner", "demo"],
        cwd=folder, env=environment, stdin=terminal, stdout=terminal, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(terminal)
    printed = b""
    # The system tells by an error that nobody has the other end any more.
    with suppress(OSError):
        while piece := os.read(ours, 1 << 16):
            printed += piece
    os.close(ours)
    if process.wait():
        sys.exit("the demo failed")
    return printed.decode().replace("\r\n", "\n")


def _drawn(text: str) -> str:
    # From the worst volumes to the answer: what a reader looks for.
    lines = text.splitlines()
    first = next(number for number, line in enumerate(lines) if "The worst volumes" in line)
    last = next(number for number, line in enumerate(lines) if "Exit code" in line)
    console = Console(
        record=True, file=StringIO(), width=COLUMNS, force_terminal=True, color_system="truecolor"
    )
    console.print("$ sgw-scanner demo\n", highlight=False)
    console.print(Text.from_ansi("\n".join(lines[first : last + 1])), soft_wrap=True)
    return console.export_html(theme=SVG_EXPORT_THEME, inline_styles=True, code_format=SHEET)


def _save(picture: bytes, name: str) -> None:
    if len(picture) > LARGEST:
        sys.exit(f"{name}: {len(picture)} bytes are more than {LARGEST}; make it smaller")
    (DOCS / name).write_bytes(picture)


if __name__ == "__main__":
    main()
