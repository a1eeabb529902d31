"""What a command compares or shows: an inventory in a file, or a scan of the history."""

import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from scanner.cli.kept import history_of
from scanner.config.settings import HistorySettings, ScannerConfig
from scanner.errors import ConfigError
from scanner.history.past import past_of
from scanner.inventory.model import Inventory
from scanner.output.inventories import read_inventory
from scanner.summary.past import Past

_FILE = re.compile(r"s3:.*|.*\.(json|ndjson)", re.IGNORECASE | re.DOTALL)
_INVENTORY = re.compile(r".*\.(json|ndjson)", re.IGNORECASE | re.DOTALL)


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
        raise _no_history(reference)
    history = history_of(config)
    kept = history.find(reference)
    return Source(history.read(kept), kept.narrowed)


def _no_history(reference: str) -> ConfigError:
    return ConfigError(
        f"{reference}: is no file that ends in .json or .ndjson, and no history is named to look for a scan;"
        " name a file, or give --history PATH"
    )


def read_for_page(reference: str, config: ScannerConfig) -> tuple[Inventory, Past | None]:
    """The inventory that `reference` names, and what its history knows beside it, if it is of one.

    `reference` is what `read_source` takes, or a history, of which it is the newest scan. Raises as `read_source`.
    """
    in_bucket = reference.startswith("s3:")
    if Path(reference).is_dir() or (in_bucket and not _INVENTORY.fullmatch(reference)):
        try:
            kept_in = HistorySettings.model_validate({"path": reference})
        except ValidationError as error:
            raise ConfigError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
        config = config.model_copy(update={"history": kept_in})
        reference = "latest"
    elif in_bucket or _INVENTORY.fullmatch(reference) or Path(reference).is_file():
        return read_inventory(reference, config), None
    if config.history.path is None:
        raise _no_history(reference)
    history = history_of(config)
    kept = history.find(reference)
    inventory = history.read(kept)
    return inventory, past_of(history, kept, inventory)
