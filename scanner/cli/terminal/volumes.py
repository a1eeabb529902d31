"""Volumes on a terminal: a table where it fits, else a few lines for each."""

from collections.abc import Mapping, Sequence
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scanner.cli.terminal.console import console_for, show, words_of
from scanner.inventory.records import Gateway, Verdict, VerdictStatus, Volume
from scanner.output.text import DETACHED, age_of, gateway_label, printable, rpo_of, size

Rated = tuple[Volume, Gateway | None]
COLUMNS = ("volume", "verdict", "age", "gateway", "account", "Region", "RPO", "used")
FEWER = 6
"""Columns of a table that has no room for the last two."""
LONGEST_NAME = 24
"""Letters of a name that a table shows before others have to go without a column."""
NAMES = (3, 4)
"""The columns that hold names, which people make as long as they like."""
GAP = 2
VERDICT_STYLES = {
    VerdictStatus.NO_RECOVERY_POINT: "red",
    VerdictStatus.BREACH: "red",
    VerdictStatus.UNKNOWN: "magenta",
    VerdictStatus.AT_RISK: "yellow",
    VerdictStatus.UNRATED: "",
    VerdictStatus.OK: "green",
}


def print_volumes(volumes: Sequence[Rated], accounts: Mapping[str, str | None], stream: TextIO) -> None:
    """Prints each volume; or that there is none."""
    console = console_for(stream)
    with console.capture() as printed:
        if volumes:
            print_table(volumes, accounts, console)
        else:
            console.print("No volume matches.")
    show(printed.get(), stream)


def print_table(volumes: Sequence[Rated], accounts: Mapping[str, str | None], console: Console) -> None:
    """Prints a row for each volume, or two lines where the terminal is too narrow: no id and no Region is cut."""
    rows = [_row(volume, gateway, accounts.get(volume.account_id)) for volume, gateway in volumes]
    for count in (len(COLUMNS), FEWER):
        if _width(rows, count) <= console.width:
            console.print(_table(rows, count))
            return
    for row in rows:
        volume, verdict, age, gateway, account, region, rpo, _ = row
        holder = "  detached, in " if gateway == DETACHED else f"  on {gateway} in "
        of = f" of {rpo}" if age not in ("none", "not known") else f", RPO {rpo}"
        # Spaces are where a line may break.
        console.print(Text.assemble(verdict, "  ", volume, "  ", age, of))
        console.print(Text.assemble(holder, account, ", ", region))


def _width(rows: Sequence[Sequence[str | Text]], count: int) -> int:
    widths = []
    for column in range(count):
        cells = [cell_len(str(row[column])) for row in rows]
        most = max((*cells, cell_len(COLUMNS[column])))
        widths.append(min(most, LONGEST_NAME) if column in NAMES else most)
    return sum(widths) + GAP * (count - 1)


def _table(rows: Sequence[Sequence[str | Text]], count: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for number, heading in enumerate(COLUMNS[:count]):
        # What is not a name keeps its width.
        least = None if number in NAMES else max(cell_len(str(row[number])) for row in rows)
        table.add_column(heading, no_wrap=True, overflow="ellipsis", min_width=least)
    for row in rows:
        table.add_row(*row[:count])
    return table


def _row(volume: Volume, gateway: Gateway | None, account_name: str | None) -> list[str | Text]:
    verdict = volume.verdict
    waived = " (waived)" if verdict.waived else ""
    return [
        volume.id,
        Text(words_of(verdict.status) + waived, VERDICT_STYLES[verdict.status]),
        _age(verdict),
        gateway_label(volume, gateway),
        printable(account_name or volume.account_id),
        volume.region,
        rpo_of(verdict),
        size(volume.usage_bytes),
    ]


def _age(verdict: Verdict) -> str:
    # In two units an age just over its RPO reads like the RPO itself.
    age = age_of(verdict)
    return f"over {age}" if verdict.status is VerdictStatus.BREACH and age == rpo_of(verdict) else age
