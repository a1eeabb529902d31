"""Inventories that commands read from files."""

from pathlib import Path

from pydantic import ValidationError

from scanner.errors import ConfigError
from scanner.inventory.model import Inventory

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_inventory(path: Path) -> Inventory:
    """The inventory in a JSON file; raises ConfigError, naming file and cause, for anything else."""
    try:
        return Inventory.model_validate_json(path.read_bytes().removeprefix(BYTE_ORDER_MARK))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name a file that `scan -o FILE.json` wrote") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise ConfigError(f"{path}: is no inventory: {where + ': ' if where else ''}{first['msg']}") from None
