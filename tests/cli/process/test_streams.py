"""What a command prints is what it was called for: where it cannot be printed, an error names the stream."""

import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.output.fleet import inventory, written

PRINTING = ["schema config", "iam policy", "--help", "show i.json", "diff i.json i.json"]


@pytest.mark.parametrize("words", PRINTING)
@pytest.mark.parametrize("unbuffered", [False, True])
def test_a_full_stdout_is_no_defect_but_named(
    command: Command, place: Path, monkeypatch: pytest.MonkeyPatch, words: str, unbuffered: bool
) -> None:
    """With PYTHONUNBUFFERED, as in a container, too."""
    (place / "i.json").write_bytes(written(inventory(), ".json"))
    with open("/dev/full", "w") as full:
        full.reconfigure(write_through=unbuffered)
        monkeypatch.setattr(sys, "stdout", full)
        said = command(*words.split())
    assert (said.code, said.err) == (2, "sgw-scanner: standard output: No space left on device\n")


@pytest.mark.parametrize("words", PRINTING)
def test_a_closed_stdout_is_told_rather_than_nothing(
    command: Command, place: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    (place / "i.json").write_bytes(written(inventory(), ".json"))
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "__stdout__", None)
    said = command(*words.split())
    assert (said.code, said.out) == (2, "")
    assert said.err == "sgw-scanner: standard output is closed; leave it open, or send it to a file\n"


def test_a_scan_with_a_closed_stdout_scans(
    command: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its summary is a courtesy; what was asked for are its outputs."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "__stdout__", None)
    said = command("scan", "-o", "i.json")
    assert said.code == 0
    assert (place / "i.json").exists()


def test_a_full_stdout_that_was_to_take_an_inventory_is_exit_3_to_the_end_of_the_process(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python flushes once more when it ends, as this block does, and nothing is refused any more."""
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        said = command("scan", "-o", "-")
    assert said.code == 3
    assert "\nNot written: -\n" in said.err
