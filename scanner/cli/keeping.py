"""The history and the alerts around one scan on the command line: proven before it, written and sent after it."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from scanner.config.settings import ScannerConfig
from scanner.errors import HistoryError
from scanner.inventory.model import Inventory

if TYPE_CHECKING:
    from scanner.history.open import OpenHistory
    from scanner.history.since import Since
    from scanner.notify.notifier import Notifier
    from scanner.summary.past import Past

LOG = logging.getLogger("scanner")


class Keeping:
    """Keeps one scan, if the configuration names a history; `failed` says whether that went wrong.

    `say` tells of a failure that comes after the scan.
    """

    def __init__(self, config: ScannerConfig, say: Callable[[str], None]) -> None:
        self.wanted = config.history.path is not None
        self.failed = False
        self._config = config
        self._say = say
        self._kept: OpenHistory | None = None
        self._notifier: Notifier | None = None
        self._done = False
        self.since: Since | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Opens the history, where there is one to be; raises HistoryError for one that cannot be read."""
        if not self.wanted:
            yield
            return
        # Imported here, for most of it is needed by nobody else.
        from scanner.history.open import open_history
        from scanner.notify.notifier import Notifier

        async with (
            open_history(self._config) as self._kept,
            Notifier.opened(self._config) as self._notifier,
        ):
            yield

    async def prove(self) -> None:
        """Raises HistoryError where the scan could not be kept."""
        if self._kept:
            await self._kept.prove()

    async def carry(self, inventory: Inventory | None) -> Inventory | None:
        """`inventory` with its last known points; `since` says afterwards what became of the volumes before."""
        if self._kept and inventory:
            try:
                inventory = await self._kept.carry(inventory)
                self.since = await self._kept.since(inventory)
            except HistoryError as error:
                self._fail(f"no last known points: {error}")
        return inventory

    async def append(self, inventory: Inventory | None) -> None:
        """Keeps the scan."""
        if self._kept and inventory:
            try:
                await self._kept.append(inventory)
                self._done = True
            except HistoryError as error:
                self._fail(f"the scan is not in the history: {error}")

    async def past(self, inventory: Inventory | None) -> "Past | None":
        """What the history knows beside the scan, once that is kept; without it a page is written all the same."""
        if self._kept and inventory and self._done:
            try:
                return await self._kept.past(inventory)
            except HistoryError as error:
                LOG.warning("the page has no trends: %s", error)
        return None

    async def tell(self, inventory: Inventory | None, outputs: Sequence[str]) -> None:
        """Sends the alerts of a scan that is kept; `outputs` are where its report lies.

        What cannot be sent is a warning, and changes no exit code.
        """
        if self._kept and self._notifier and inventory and self._done:
            try:
                await self._notifier.tell(inventory, self._kept, outputs)
            except HistoryError as error:
                LOG.warning("what has been told is not in the history, and is told again: %s", error)

    def given_up(self) -> None:
        """What was left to do has been cancelled."""
        if self.wanted and not self._done:
            self._fail("the scan is not in the history: it was to end")

    def _fail(self, told: str) -> None:
        self.failed = True
        self._say(told)
