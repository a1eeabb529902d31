"""Rows of answers, as a table for people, or as CSV or JSON for programs."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scanner.cli.terminal.console import show
from scanner.errors import ConfigError
from scanner.inventory.records import rfc3339
from scanner.output.csv import in_cell
from scanner.output.text import printable

GAP = 2


class TableFormat(StrEnum):
    """How a command prints rows."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    NDJSON = "ndjson"


def table_format(name: str, known: Sequence[str]) -> TableFormat:
    """The format that a flag names; raises ConfigError for one that is not among those `known`."""
    if name not in known:
        raise ConfigError(f"--format: {name!r} is not known; choose from {', '.join(known)}")
    return TableFormat(name)


def print_rows(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    format: TableFormat = TableFormat.TABLE,
    stream: TextIO | None = None,
) -> None:
    """Prints to `stream`, stdout by default; other people's text can neither colour nor move anything."""
    stream = stream or sys.stdout
    match format:
        case TableFormat.TABLE:
            _print_table(columns, rows, stream)
        case TableFormat.CSV:
            stream.write(",".join(map(in_cell, columns)) + "\r\n")
            for row in rows:
                stream.write(
                    ",".join(in_cell(_text(value)) if value is not None else "" for value in row) + "\r\n"
                )
        case TableFormat.JSON:
            stream.write(
                json.dumps([_object(columns, row) for row in rows], indent=2, ensure_ascii=False) + "\n"
            )
        case TableFormat.NDJSON:
            for row in rows:
                stream.write(json.dumps(_object(columns, row), ensure_ascii=False) + "\n")
    stream.flush()


def _print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], stream: TextIO) -> None:
    rows = list(rows)
    names = [printable(name) for name in columns]
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(map(cell_len, (name, *(row[n] for row in cells)))) for n, name in enumerate(names)]
    # A file or a pipe keeps each row on its line.
    width = None if stream.isatty() else 10_000
    console = Console(file=stream, highlight=False, markup=False, emoji=False, width=width)
    with console.capture() as printed:
        if sum(widths) + GAP * (len(widths) - 1) <= console.width:
            numeric = [all(isinstance(row[n], int | float | None) for row in rows) for n in range(len(names))]
            console.print(_table(names, cells, numeric))
        else:
            _print_records(names, cells, console)
    show(printed.get(), stream)


def _table(names: Sequence[str], cells: Iterable[Sequence[str]], numeric: Sequence[bool]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name, right in zip(names, numeric, strict=True):
        table.add_column(name, no_wrap=True, justify="right" if right else "left")
    for row in cells:
        table.add_row(*row)
    return table


def _print_records(names: Sequence[str], cells: Iterable[Sequence[str]], console: Console) -> None:
    """Prints a line for each value that there is, where a terminal is too narrow for a row: no word is cut."""
    longest = max(map(cell_len, names))
    for number, row in enumerate(cells):
        if number:
            console.print()
        for name, value in zip(names, row, strict=True):
            if value:
                console.print(Text.assemble((name.ljust(longest), "dim"), " " * GAP, value), soft_wrap=True)


def _cell(value: Any) -> str:
    return "" if value is None else printable(_text(value))


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return rfc3339(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.1f}"
    if isinstance(value, dict | list | tuple):
        return json.dumps(_plain(value), ensure_ascii=False)
    return str(value)


def _object(columns: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(columns, map(_plain, row), strict=True))


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        # JSON has no NaN and no infinity.
        return value if not isinstance(value, float) or value - value == 0 else None
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return _text(value)
