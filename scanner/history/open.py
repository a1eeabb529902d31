"""A history wherever it lies, as a scan uses it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import run_sync

from scanner.config.settings import ScannerConfig
from scanner.errors import HistoryError
from scanner.history.last_known import last_known
from scanner.history.store import History
from scanner.inventory.model import Inventory


class OpenHistory:
    """A history that takes scans; `history` is what can be asked of it. All methods raise HistoryError."""

    def __init__(self, history: History) -> None:
        self.history = history

    async def prove(self) -> None:
        """Raises HistoryError where a scan could not be kept."""
        await run_sync(self.history.prove_writable)

    async def carry(self, inventory: Inventory) -> Inventory:
        """`inventory` with what earlier scans last knew of the volumes that it does not know."""
        found = await run_sync(last_known, self.history, inventory)
        return inventory.model_copy(update={"last_known": found})

    async def append(self, inventory: Inventory, *, narrowed: bool = False) -> None:
        """Keeps `inventory` for good. `narrowed`: the scan was asked for a part of the fleet only."""
        await run_sync(lambda: self.history.append(inventory, narrowed=narrowed))


@asynccontextmanager
async def open_history(config: ScannerConfig) -> AsyncIterator[OpenHistory]:
    """The history that `config.history.path` names.

    Raises HistoryError where none is named, or where it cannot be read.
    """
    path = config.history.path
    if path is None:
        raise HistoryError("no history is named; set history.path, or give --history PATH")
    yield OpenHistory(History(path))
