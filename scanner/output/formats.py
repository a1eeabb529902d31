"""The one table of formats: which suffix means what, and what each needs."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from scanner.errors import OutputError
from scanner.extras import install_command

if TYPE_CHECKING:
    from scanner.inventory.contents import Contents
    from scanner.summary.past import Past


@dataclass(frozen=True)
class Format:
    """How a suffix is written; `module` is imported when it is first used, as some are heavy.

    New files get `mode` where there is one, else what the umask says. One that is `in_memory` needs all of an
    inventory at once. `table` is the one of `TABLE_NAMES` that is written, of a format that holds one table; `fleet`
    a label of each metric; `past` what a history knows, for a page.
    """

    suffix: str
    module: str
    media_type: str
    streams: bool = False
    in_memory: bool = False
    extra: str | None = None
    needs: tuple[str, ...] = ()
    mode: int | None = None
    table: str | None = None
    fleet: str | None = None
    past: "Past | None" = field(default=None, compare=False)

    def write(self, inventory: "Contents", stream: BinaryIO) -> None:
        """Writes all of `inventory` to `stream`, which stays open."""
        writer: Callable[..., None] = import_module(self.module).write
        if self.in_memory:
            from scanner.inventory.spooled import loaded

            inventory = loaded(inventory)
        if self.table:
            writer(inventory, stream, self.table)
        elif self.past:
            writer(inventory, stream, past=self.past)
        elif self.fleet:
            writer(inventory, stream, fleet=self.fleet)
        else:
            writer(inventory, stream)

    def check(self, destination: str) -> None:
        """Raises `OutputError` when a library that this format needs is not installed."""
        missing = [name for name in self.needs if find_spec(name) is None]
        if missing:
            assert self.extra
            raise OutputError(
                f"{destination}: {self.suffix} needs {' and '.join(missing)}; "
                f"install it with: {install_command(self.extra or 'all')}"
            )


TABLE_NAMES = ("volumes", "targets", "gateways", "failures")
FORMATS = {
    each.suffix: each
    for each in (
        Format(".json", "scanner.output.json", "application/json"),
        Format(".ndjson", "scanner.output.ndjson", "application/x-ndjson", streams=True),
        Format(".csv", "scanner.output.csv", "text/csv; charset=utf-8", table="volumes"),
        Format(
            ".parquet",
            "scanner.output.parquet",
            "application/vnd.apache.parquet",
            extra="parquet",
            needs=("pyarrow",),
            table="volumes",
        ),
        Format(
            ".html",
            "scanner.output.html",
            "text/html; charset=utf-8",
            extra="report",
            needs=("jinja2", "markupsafe"),
            in_memory=True,
        ),
        # Another user reads it: the one of node_exporter.
        Format(".prom", "scanner.output.prometheus", "text/plain; version=0.0.4; charset=utf-8", mode=0o644),
    )
}


def format_of(destination: str) -> Format:
    """The format that the suffix of `destination` names; `-` is JSON. An infix names a table: `x.targets.csv`."""
    suffix = ".json" if destination == "-" else PurePosixPath(destination).suffix.lower()
    if suffix not in FORMATS:
        known = ", ".join(FORMATS)
        named = f"{suffix} cannot be written" if suffix else "the name needs a suffix that tells the format"
        raise OutputError(f"{destination}: {named}; use one of {known}")
    found = FORMATS[suffix]
    infix = PurePosixPath(PurePosixPath(destination).stem).suffix.lower().removeprefix(".")
    if infix in TABLE_NAMES:
        if not found.table:
            tables = " or ".join(each.suffix for each in FORMATS.values() if each.table)
            raise OutputError(
                f"{destination}: .{infix} names a table, and {suffix} is written whole;"
                f" use {tables}, or leave .{infix} out"
            )
        return replace(found, table=infix)
    close = get_close_matches(infix, TABLE_NAMES, n=1, cutoff=0.75) if found.table else None
    if close:
        raise OutputError(
            f"{destination}: .{infix} is no table; did you mean .{close[0]}? There are {', '.join(TABLE_NAMES)}"
        )
    return found
