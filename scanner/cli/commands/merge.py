"""`merge`: several inventories as one."""

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
        str,
        typer.Option(
            "--output",
            "-o",
            help="Where to write the whole; the suffix names the format, - is JSON on stdout.",
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
        missing = ", ".join(map(str, scan.missing_shards))
        typer.echo(f"sgw-scanner: the whole lacks the shards {missing}; merge them, too", err=True)
        raise typer.Exit(3)
