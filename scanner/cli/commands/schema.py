"""`schema`: the JSON Schemas of what goes in and what comes out."""

from enum import StrEnum
from typing import Annotated

import typer


class Subject(StrEnum):
    CONFIG = "config"
    INVENTORY = "inventory"


def schema(subject: Annotated[Subject, typer.Argument(help="Of what.")]) -> None:
    """Print the JSON Schema of configuration or inventory."""
    import json

    from scanner.config.schema import config_schema
    from scanner.inventory.schema import inventory_schema

    document = config_schema() if subject is Subject.CONFIG else inventory_schema()
    typer.echo(json.dumps(document, indent=2))
