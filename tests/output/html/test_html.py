"""The page as a file: its policy, its bytes, and what it needs."""

import subprocess
import sys
import zipfile
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from scanner.errors import OutputError
from scanner.output import check_output, formats
from scanner.output.html import SCRIPTS
from tests.output.fleet import inventory, written
from tests.output.page import Page

ROOT = Path(__file__).parents[3]


def test_the_same_inventory_is_the_same_page() -> None:
    """So that two reports can be compared, and kept once."""
    assert written(inventory(), ".html") == written(inventory(), ".html")


def test_the_policy_of_the_page_allows_its_own_script_and_style_and_nothing_else() -> None:
    """Everything that is not allowed by its hash is refused, and there is nowhere to send anything."""
    page = Page(written(inventory(), ".html"))
    (content,) = (
        given["content"] for _, given in page.tags if given.get("http-equiv") == "Content-Security-Policy"
    )
    policy = dict(part.strip().split(" ", 1) for part in str(content).split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    script = b64encode(sha256(page.scripts[None].encode()).digest()).decode()
    assert policy["script-src"] == f"'sha256-{script}'"
    assert policy["style-src"].startswith("'sha256-")
    assert set(policy) == {"default-src", "script-src", "style-src", "base-uri", "form-action"}


def test_nothing_on_the_page_is_styled_or_run_inline() -> None:
    """The policy would refuse it."""
    for _, given in Page(written(inventory(whole=False), ".html")).tags:
        assert not any(name == "style" or name.startswith("on") for name in given)


@pytest.mark.parametrize("missing", ["jinja2", "markupsafe"])
def test_a_missing_library_names_the_install_command(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found out before the scan."""
    monkeypatch.setattr(formats, "find_spec", lambda name: None if name == missing else object())
    with pytest.raises(OutputError, match=rf'needs {missing}; .*pip install "sgw-scanner\[report\]"'):
        check_output(str(tmp_path / "a.html"))


def test_heavy_libraries_are_loaded_only_when_used() -> None:
    """A scan that writes JSON does not pay for the page."""
    code = (
        "import sys, scanner.output; print([name for name in ('jinja2', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_wheel_carries_the_page(tmp_path: Path) -> None:
    """Its style, its scripts and its template are no Python, and go along all the same."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert {f"scanner/output/html/{name}" for name in ("page.css", "page.html.j2", *SCRIPTS)} <= inside
