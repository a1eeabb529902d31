"""`init`: a configuration to start from."""

from pathlib import Path
from typing import Annotated

import typer


def init(
    path: Annotated[Path, typer.Argument(help="Where to write it.", show_default=True)] = Path(
        "scanner.toml"
    ),
) -> None:
    """Write a commented scanner.toml, in which every setting is explained; never overwrites a file."""
    from scanner.cli.starter import write_starter

    write_starter(path)
    typer.echo(
        f"{path}: written. Edit it, then prove that a scan can work: sgw-scanner check -c {path}", err=True
    )
