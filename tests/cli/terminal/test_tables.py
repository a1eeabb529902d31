"""Rows of answers on a terminal and in a file."""

import io

import pytest

from scanner.cli.terminal.tables import print_rows
from tests.cli.terminal.test_summary import COLOUR, Terminal

COLUMNS = ("scan_id", "outcome", "volumes", "missing")
ROWS = [("0199-aaaa-bbbb-cccc-dddd", "complete", 20000, None), ("0199-eeee", "partial", 7, "3")]


def printed(monkeypatch: pytest.MonkeyPatch, width: int, stream: io.StringIO) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    print_rows(COLUMNS, ROWS, stream=stream)
    return COLOUR.sub("", stream.getvalue()).splitlines()


def test_a_row_is_a_line_where_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(monkeypatch, 80, Terminal())
    assert len(lines) == 3
    assert lines[1].split() == ["0199-aaaa-bbbb-cccc-dddd", "complete", "20000"]


def test_a_narrow_terminal_has_a_line_for_each_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no id is broken; what there is not has no line."""
    assert printed(monkeypatch, 40, Terminal()) == [
        "scan_id  0199-aaaa-bbbb-cccc-dddd",
        "outcome  complete",
        "volumes  20000",
        "",
        "scan_id  0199-eeee",
        "outcome  partial",
        "volumes  7",
        "missing  3",
    ]


def test_a_file_keeps_each_row_on_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(printed(monkeypatch, 40, io.StringIO())) == 3
