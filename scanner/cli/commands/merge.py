"""`merge`: several inventories as one."""

from typing import Annotated

import typer


def merge(
    files: Annotated[list[str], typer.Argument(help="Inventories of different targets.", metavar="FILE...")],
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
    """Merge inventories of different targets into one.

    Two that claim the same target are an error, exit 2.
    """
    from scanner.errors import OutputError
    from scanner.inventory.model import Inventory
    from scanner.output import check_output, open_output

    destination = check_output(output)
    if destination.bucket:
        raise OutputError(f"{output}: merge writes files; copy the result to the bucket")
    whole = Inventory.merge([Inventory.read(file) for file in files])
    with open_output(destination) as stream:
        destination.format.write(whole, stream)
