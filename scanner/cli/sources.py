"""What a command compares or shows: an inventory in a file, or a scan of the history."""

import re
from dataclasses import dataclass
from pathlib import Path

from scanner.cli.files import read_inventory
from scanner.cli.kept import history_of
from scanner.config.settings import ScannerConfig
from scanner.errors import ConfigError
from scanner.inventory.model import Inventory

_FILE = re.compile(r".*\.(json|ndjson)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Source:
    """An inventory, and whether its scan was asked for a part of the fleet only."""

    inventory: Inventory
    narrowed: bool = False


def read_source(reference: str, config: ScannerConfig) -> Source:
    """The inventory that `reference` names: a file, or a scan's id, `latest` or `latest~1` in the history.

    Raises ConfigError or HistoryError, which names what is wrong and the remedy.
    """
    if _FILE.fullmatch(reference) or Path(reference).is_file():
        return Source(read_inventory(Path(reference)))
    if config.history.path is None:
        raise ConfigError(
            f"{reference}: is no file that ends in .json or .ndjson, and no history is named to look for a scan;"
            " name a file, or give --history PATH"
        )
    history = history_of(config)
    kept = history.find(reference)
    return Source(history.read(kept), kept.narrowed)
