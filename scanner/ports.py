"""What lower rooms ask of higher ones: connected in `scanner/__init__.py`, so that imports run one way."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

Whole = TypeVar("Whole")


class InventoryFiles(Protocol[Whole]):
    """Reads and writes whole inventories, wherever they lie and in whatever format."""

    def read_inventory(self, source: str) -> Whole: ...

    def write_inventory(self, inventory: Whole, destination: str) -> None: ...


_connected: list[Callable[[], InventoryFiles[Any]]] = []


def connect(load: Callable[[], InventoryFiles[Any]]) -> None:
    """Has `load` called at the first use, for what it loads may be heavy."""
    _connected[:] = [load]


def inventory_files() -> InventoryFiles[Any]:
    return _connected[0]()
