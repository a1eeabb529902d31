"""Options that several commands share."""

from typing import Annotated

import typer

HistoryPath = Annotated[
    str | None,
    typer.Option("--history", help="The history, a folder or s3://bucket/prefix.", metavar="PATH"),
]
