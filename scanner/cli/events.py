"""The events of a scan, whichever machines make it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from anyio.to_thread import run_sync

from scanner.api import EventStream, Scanner
from scanner.config.settings import ScannerConfig
from scanner.inventory.collect import Collector
from scanner.inventory.events import Event
from scanner.inventory.model import Inventory
from scanner.inventory.spooled import SpooledInventory

if TYPE_CHECKING:
    from scanner.scale import DistributedScan


class Events:
    """One scan as it happens, and what it found: in memory, or of a cluster in files."""

    def __init__(self, stream: "EventStream | DistributedScan", *, collected: bool) -> None:
        self._stream = stream
        self._collector = Collector() if collected and isinstance(stream, EventStream) else None
        self._collected = collected

    async def __aiter__(self) -> AsyncIterator[Event]:
        async for event in self._stream:
            if self._collector:
                self._collector.add(event)
            yield event

    def interrupt(self) -> None:
        """Ends the scan in order."""
        self._stream.interrupt()

    async def inventory(self) -> Inventory | SpooledInventory | None:
        """What the scan found; None unless it was to be collected. Close what lies in files."""
        if self._collector:
            return self._collector.inventory()
        if not self._collected or isinstance(self._stream, EventStream):
            return None
        return await run_sync(self._stream.inventory)


@asynccontextmanager
async def events_of(
    config: ScannerConfig, scan_id: str, dask: str | None, *, collected: bool
) -> AsyncIterator[Events]:
    """The events of a scan on this machine, or on the workers of the Dask scheduler at this address."""
    if dask is None:
        async with Scanner(config) as scanner, scanner.stream(scan_id) as stream:
            yield Events(stream, collected=collected)
        return
    # Imported here, for it needs an extra.
    from scanner.scale import connected, stream_on

    async with (
        connected(dask) as client,
        stream_on(client, config, scan_id=scan_id) as distributed,
    ):
        yield Events(distributed, collected=collected)
