"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="Configuration; else $SGW_SCANNER_CONFIG, else ./scanner.toml.",
        metavar="FILE",
    ),
]
HistoryPath = Annotated[
    str | None,
    typer.Option("--history", help="The history, a folder or s3://bucket/prefix.", metavar="PATH"),
]
