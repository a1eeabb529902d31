"""What a command compares or shows: an inventory in a file, or a scan of the history."""

import re
from dataclasses import dataclass
from pathlib import Path

from scanner.cli.kept import history_of
from scanner.config.settings import ScannerConfig
from scanner.errors import ConfigError
from scanner.inventory.model import Inventory
from scanner.output.inventories import read_inventory

_FILE = re.compile(r"s3:.*|.*\.(json|ndjson)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Source:
    """An inventory, and whether its scan was asked for a part of the fleet only."""

    inventory: Inventory
    narrowed: bool = False


def read_source(reference: str, config: ScannerConfig) -> Source:
    """The inventory in a file or a bucket, or that of a scan in the history: its id, `latest` or `latest~1`.

    Raises ConfigError or HistoryError, which names what is wrong and the remedy.
    """
    if _FILE.fullmatch(reference) or Path(reference).is_file():
        return Source(read_inventory(reference, config))
    if config.history.path is None:
        raise ConfigError(
            f"{reference}: is no file that ends in .json or .ndjson, and no history is named to look for a scan;"
            " name a file, or give --history PATH"
        )
    history = history_of(config)
    kept = history.find(reference)
    return Source(history.read(kept), kept.narrowed)
