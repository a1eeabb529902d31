"""`report`: an inventory as a page, with what its history knows."""

from typing import Annotated

import typer

from scanner.cli.commands.options import HistoryPath
from scanner.cli.commands.scan import Config


def report(
    source: Annotated[
        str,
        typer.Argument(
            help="An inventory, FILE.json, FILE.ndjson or s3://bucket/key.json; or with trends a history, FOLDER or"
            " s3://bucket/prefix, or a scan of it: its id, latest, latest~1.",
            metavar="SOURCE",
        ),
    ],
    output: Annotated[str, typer.Option("--output", "-o", help="The page, FILE.html.", metavar="FILE")],
    config: Config = None,
    history: HistoryPath = None,
) -> None:
    """Write an inventory as one page that opens offline; that of a history with trends and changes."""
    from scanner.cli.settings import settings_of
    from scanner.cli.sources import read_for_page
    from scanner.errors import OutputError
    from scanner.output import check_output, open_output
    from scanner.output.html import write

    destination = check_output(output)
    if destination.format.suffix != ".html" or destination.bucket:
        raise OutputError(f"{output}: a report is a file that ends in .html")
    inventory, past = read_for_page(source, settings_of(config, flags={"history.path": history}))
    with open_output(destination) as stream:
        write(inventory, stream, past)
