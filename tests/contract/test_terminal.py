"""What a person at a terminal sees, and what a machine without one does."""

import os
import pty
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from scanner.emulator import Emulator
from tests.cli.conftest import fleet, place

__all__ = ["place"]
COMMAND = [sys.executable, "-c", "from scanner.cli.app import run; run()"]
ALLOWED = re.compile(r"\x1b\[[0-9;?]*[mAKJhl]|\r|\n")
"""Colours, and what a progress bar needs to draw itself anew."""


@pytest.fixture
def sgw_fleet() -> object:
    served = fleet()
    served.accounts[0].gateways[0].name = "\x1b]0;owned\x07 Größe 大 [red]x[/red]"
    served.accounts[0].gateways[0].volumes[0].recovery_point = timedelta(days=3)
    return served


def seen_on_a_terminal(*words: str, folder: Path) -> tuple[int, str]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*COMMAND, *words], cwd=folder, stdout=theirs, stderr=theirs, stdin=theirs)
    os.close(theirs)
    pieces = []
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            # Linux ends a terminal with an error instead of an empty read.
            break
        pieces.append(piece)
    os.close(ours)
    return process.wait(timeout=30), b"".join(pieces).decode()


def test_a_terminal_shows_progress_colours_and_nothing_that_others_sent(
    place: Path, sgw_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    code, seen = seen_on_a_terminal("scan", folder=place)
    assert code == 1
    assert "Scanning" in seen
    assert "\x1b[1;32mcomplete" in seen
    assert "[red]x[/red]" in ALLOWED.sub("", seen).replace("\n", "")
    assert all(char.isprintable() for char in ALLOWED.sub("", seen))


def test_nothing_is_told_twice_on_a_terminal(
    place: Path, sgw_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be signed in to stands in the summary, and in no line of the log before it."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    code, seen = seen_on_a_terminal("scan", folder=place)
    assert code == 4
    text = ALLOWED.sub("", seen)
    assert text.count("at AssumeRole") == 1, "once for both accounts"
    assert "[warning" not in text
    assert "[error" not in text


def test_an_encoding_that_lacks_a_letter_ends_no_scan(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    ended = subprocess.run([*COMMAND, "scan"], cwd=place, capture_output=True, check=False)
    assert ended.returncode == 1, ended.stderr
    assert b"Gr\\xf6\\xdfe" in ended.stdout


def test_the_demo_needs_no_network_and_heeds_no_aws_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proxies, profiles and endpoints that lead nowhere, a broken configuration beside it: all the same."""
    nowhere = "http://127.0.0.1:1"
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "AWS_ENDPOINT_URL_STS"):
        monkeypatch.setenv(name, nowhere)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere/config")
    monkeypatch.setenv("SGW_SCANNER_CONFIG", "/nowhere/scanner.toml")
    monkeypatch.setenv("SGW_SCANNER_SCAN__MAX_CONCURRENCY", "none")
    (tmp_path / "scanner.toml").write_text("this is no TOML")
    ended = subprocess.run(
        [*COMMAND, "demo"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    assert "Scan partial" in ended.stdout
    assert "gateway unreachable" in ended.stdout
    assert {each.name for each in (tmp_path / "sgw-demo").iterdir()} == {"inventory.json", "report.html"}
