"""Inventories that commands read from files."""

from pathlib import Path

from scanner.errors import ConfigError
from scanner.inventory.model import Inventory
from scanner.inventory.read import parse_inventory


def read_inventory(path: Path) -> Inventory:
    """The inventory in a JSON or NDJSON file; raises ConfigError, naming file and cause, for anything else."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name a file that `scan -o FILE.json` wrote") from None
    return parse_inventory(content, str(path), lines=path.suffix.lower() == ".ndjson")
