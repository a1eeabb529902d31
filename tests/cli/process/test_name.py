"""The next command is told as it can be typed."""

import sys
from importlib import import_module

import pytest

from scanner.cli.process.name import command_name


@pytest.mark.parametrize(
    ("found", "called", "told"),
    [
        ("/usr/local/bin/sgw-scanner", "/usr/local/bin/sgw-scanner", "sgw-scanner"),
        (None, ".venv/bin/sgw-scanner", ".venv/bin/sgw-scanner"),
        (None, "/src/scanner/__main__.py", "/v/bin/python -m scanner"),
    ],
)
def test_it_is_named_as_it_was_called_unless_the_shell_finds_it(
    found: str | None, called: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After `make demo` it is in `.venv/bin`, and a bare `sgw-scanner` is not found."""
    monkeypatch.setattr(import_module("scanner.cli.process.name"), "which", lambda name: found)
    monkeypatch.setattr(sys, "argv", [called])
    monkeypatch.setattr(sys, "executable", "/v/bin/python")
    assert command_name() == told
