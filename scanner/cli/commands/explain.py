"""`explain`: why a volume has the verdict it has."""

from typing import Annotated

import typer

from scanner.cli.commands.scan import Config


def explain(
    volume: Annotated[str, typer.Argument(help="The volume's ARN, or its id.", metavar="VOLUME_ARN")],
    inventory: Annotated[
        str,
        typer.Argument(help="An inventory: FILE.json, FILE.ndjson or s3://bucket/key.", metavar="INVENTORY"),
    ],
    config: Config = None,
) -> None:
    """Say why a volume has its verdict.

    Names which rule of the policy applies to it, and why the others do not.
    """
    from scanner.cli.settings import settings_of
    from scanner.cli.terminal.explaining import print_explanation
    from scanner.inventory.model import Inventory

    print_explanation(volume, Inventory.read(inventory), settings_of(config))
