"""`report`: an inventory as a page."""

from typing import Annotated

import typer


def report(
    source: Annotated[str, typer.Argument(help="An inventory: FILE.json, FILE.ndjson or s3://bucket/key.")],
    output: Annotated[str, typer.Option("--output", "-o", help="The page, FILE.html.", metavar="FILE")],
) -> None:
    """Write an inventory as one page that opens offline."""
    from scanner.errors import OutputError
    from scanner.inventory.model import Inventory
    from scanner.output import check_output, open_output

    destination = check_output(output)
    if destination.format.suffix != ".html" or destination.bucket:
        raise OutputError(f"{output}: a report is a file that ends in .html")
    inventory = Inventory.read(source)
    with open_output(destination) as stream:
        destination.format.write(inventory, stream)
