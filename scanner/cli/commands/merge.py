"""`merge`: several inventories as one."""

from collections.abc import Sequence
from typing import Annotated

import typer


def merge(
    files: Annotated[
        list[str],
        typer.Argument(
            help="Inventories of different targets; FOLDER/ is all of them in it.", metavar="FILE..."
        ),
    ],
    output: Annotated[
        list[str],
        typer.Option(
            "--output",
            "-o",
            help="Where to write the whole; the suffix names the format, - is JSON on stdout. Repeatable.",
            metavar="OUT",
        ),
    ],
) -> None:
    """Merge inventories of different targets into one, such as those of all shards of a scan.

    Exit codes: 0 merged, 2 two claim the same target or one cannot be read, 3 merged, but shards are missing.
    """
    from scanner.output.inventories import merge_inventories

    scan = merge_inventories(files, output)
    if scan.missing_shards:
        typer.echo(f"sgw-scanner: {_missing(scan.missing_shards)}", err=True)
        raise typer.Exit(3)


def _missing(shards: Sequence[int]) -> str:
    if len(shards) == 1:
        return f"shard {shards[0]} is missing; merge it, too"
    named = f"{', '.join(map(str, shards[:-1]))} and {shards[-1]}"
    return f"shards {named} are missing; merge them, too"
