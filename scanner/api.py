"""Scanner: where engine and AWS are put together, for callers and the command line alike."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Self

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from scanner import __version__
from scanner.aws.storage_gateway import AwsService
from scanner.config.settings import ScannerConfig
from scanner.engine.calls.scheduler import Limits
from scanner.engine.preflight import Probe
from scanner.engine.scan import Scan
from scanner.engine.target import Emit
from scanner.inventory.collect import Fold
from scanner.inventory.events import Event
from scanner.inventory.model import Inventory
from scanner.service.protocol import Service

_Ends = tuple[MemoryObjectSendStream[Event], MemoryObjectReceiveStream[Event]]
BUFFERED = 16
"""Events that a reader may be behind; a slower one slows the scan instead of filling memory."""


class EventStream:
    """The events of one scan, in the order in which they happen; the last is ScanEnded."""

    def __init__(self, scan: Scan, events: MemoryObjectReceiveStream[Event]) -> None:
        self._scan = scan
        self._events = events

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        return await self._events.__anext__()

    def interrupt(self) -> None:
        """End the scan in order: what is unfinished becomes failures of kind `interrupted`."""
        self._scan.interrupt()


class Scanner:
    """Scans the fleet that a configuration describes, as often as you like, also at once.

    Use it as an async context manager: entering raises ConfigError for a profile or Region that does not
    exist; leaving ends its streams and closes every connection. All scans share its limits, paces and
    credentials.
    """

    def __init__(self, config: ScannerConfig | None = None) -> None:
        self.config = config or ScannerConfig()
        self._source: AwsService | None = None
        self._streams: dict[asyncio.Task[None], _Ends] = {}

    async def __aenter__(self) -> Self:
        source = AwsService(self.config, f"sgw-scanner/{__version__}")
        await source.__aenter__()
        self._source = source
        settings = self.config.scan
        self._limits = Limits(
            anyio.CapacityLimiter(settings.max_concurrency), settings.max_concurrency_per_target
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in list(self._streams):
            await self._end_stream(task)
        source, self._source = self._source, None
        if source:
            await source.__aexit__(kind, error, trace)

    async def check(self) -> Inventory:
        """Tries each call that a scan would make once for each target, at its cheapest.

        The failures and targets of the inventory tell what a scan could not do. It counts one gateway for
        each target, and none of its volumes and verdicts are worth keeping.
        """
        return await self._gathered(Probe(self._opened()))

    async def scan(self) -> Inventory:
        """One scan as an inventory. What fails inside is in it; nothing of it is raised."""
        return await self._gathered(self._opened())

    async def _gathered(self, source: Service) -> Inventory:
        fold = Fold()

        async def gather(event: Event) -> None:
            fold.add(event)

        await self._scan(source, gather).run()
        return fold.inventory()

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[EventStream]:
        """The same scan as it happens. Leaving the block early ends the scan."""
        send, receive = anyio.create_memory_object_stream[Event](BUFFERED)

        async def hand_over(event: Event) -> None:
            # Once the reader has left, its scan is about to be cancelled: what it still tells, nobody hears.
            with suppress(anyio.BrokenResourceError):
                await send.send(event)

        scan = self._scan(self._opened(), hand_over)

        async def run() -> None:
            with send:
                await scan.run()

        # A task of its own, not a task group: an async generator that reads events may well be closed by
        # another task than the one that began it, as web frameworks do when a client goes away.
        task = asyncio.create_task(run(), name="sgw-scanner scan")
        self._streams[task] = send, receive
        try:
            yield EventStream(scan, receive)
        finally:
            defect = await self._end_stream(task)
        if defect:
            raise defect

    async def _end_stream(self, task: "asyncio.Task[None]") -> BaseException | None:
        ends = self._streams.pop(task, None)
        if ends:
            # First of all, or a scan that waits for its reader could not be cancelled.
            ends[1].close()
        task.cancel()
        with anyio.CancelScope(shield=True):
            await asyncio.wait([task])
        if ends:
            ends[0].close()
        return None if task.cancelled() else task.exception()

    def _opened(self) -> AwsService:
        if self._source is None:
            raise RuntimeError("a Scanner scans only inside of `async with Scanner(config) as scanner:`")
        return self._source

    def _scan(self, source: Service, emit: Emit) -> Scan:
        return Scan(self.config, source, self._limits, __version__, emit)
