"""`explain`: why a volume has the verdict it has."""

from pathlib import Path
from typing import Annotated

import typer

from scanner.cli.commands.scan import Config


def explain(
    volume: Annotated[str, typer.Argument(help="The volume's ARN, or its id.", metavar="VOLUME_ARN")],
    inventory: Annotated[
        Path, typer.Argument(help="An inventory that `scan -o FILE.json` wrote.", metavar="INVENTORY")
    ],
    config: Config = None,
) -> None:
    """Say why a volume has its verdict.

    Names which rule of the policy applies to it, and why the others do not.
    """
    from scanner.cli.files import read_inventory
    from scanner.cli.settings import settings_of
    from scanner.cli.terminal.explaining import print_explanation

    print_explanation(volume, read_inventory(inventory), settings_of(config))
