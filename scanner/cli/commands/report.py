"""`report`: an inventory as a page."""

from pathlib import Path
from typing import Annotated

import typer


def report(
    source: Annotated[Path, typer.Argument(help="An inventory that `scan -o FILE.json` wrote.")],
    output: Annotated[str, typer.Option("--output", "-o", help="The page, FILE.html.", metavar="FILE")],
) -> None:
    """Write an inventory as one page that opens offline."""
    from scanner.cli.files import read_inventory
    from scanner.errors import OutputError
    from scanner.output import check_output, open_output

    place = check_output(output)
    if place.format.suffix != ".html" or place.bucket:
        raise OutputError(f"{output}: a report is a file that ends in .html")
    inventory = read_inventory(source)
    with open_output(place) as stream:
        place.format.write(inventory, stream)
