"""How this program prints on a terminal: as wide as it is, and with nothing that other people sent."""

from typing import TextIO

from rich.console import Console

from scanner.inventory.records import FailureKind, VerdictStatus

WIDTH = 140
"""Of what no terminal bounds."""


def console_for(stream: TextIO) -> Console:
    """A console that takes nothing in what it prints for markup."""
    width = None if stream.isatty() else WIDTH
    return Console(file=stream, highlight=False, markup=False, emoji=False, width=width)


def unbroken(console: Console) -> bool:
    """Whether a long line stays one: in a file or a pipe it does, a terminal breaks it between words."""
    return not console.file.isatty()


def show(printed: str, stream: TextIO) -> None:
    """Writes what a console has captured, without the blanks at the ends of its lines."""
    # Rich pads every line, and ends the process with 1, which means a breach, where it cannot write.
    stream.write("".join(f"{line.rstrip()}\n" for line in printed.splitlines()))
    stream.flush()


def count_of(count: int, noun: str) -> str:
    """So many of something: `1 volume`, `2,000 volumes`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def words_of(status: VerdictStatus | FailureKind) -> str:
    """A verdict or a kind of failure in words."""
    return status.value.replace("_", " ")
