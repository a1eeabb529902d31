"""Scanner: where engine and AWS are put together, for callers and the command line alike."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from math import ceil
from types import TracebackType
from typing import Self

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from scanner import __version__
from scanner.aws.storage_gateway import AwsService
from scanner.config.settings import AccountSettings, ScannerConfig
from scanner.engine.calls.scheduler import Limits
from scanner.engine.preflight import Preflight
from scanner.engine.scan import PlannedAccount, Scan
from scanner.errors import ScannerError
from scanner.inventory.collect import Collector
from scanner.inventory.events import Emit, Event
from scanner.inventory.model import Inventory
from scanner.service.protocol import Service
from scanner.telemetry import observe

_Ends = tuple[MemoryObjectSendStream[Event], MemoryObjectReceiveStream[Event]]
_End = Callable[[asyncio.Task[None]], None]
LOG = logging.getLogger("scanner")
LEFT = "the Scanner was left while it scanned"
BUFFERED = 16
"""Events that a reader may be behind; a slower one slows the scan instead of filling memory."""


class EventStream:
    """The events of one scan, in the order in which they happen; the last is ScanEnded."""

    def __init__(
        self, scan: Scan, task: "asyncio.Task[None]", events: MemoryObjectReceiveStream[Event]
    ) -> None:
        self._scan = scan
        self._task = task
        self._events = events

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """The next event. Raises ScannerError where the Scanner was left meanwhile: the scan has no end then."""
        try:
            return await self._events.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            if self._task.cancelling():
                raise ScannerError(LEFT) from None
            raise StopAsyncIteration from None

    def interrupt(self) -> None:
        """End the scan in order: what is unfinished becomes failures of kind `interrupted`."""
        self._scan.interrupt()


class Scanner:
    """Scans the fleet that a configuration describes, as often as you like, also at once.

    Use it as an async context manager: entering raises ConfigError for a profile or Region that does not
    exist; leaving ends its streams and closes every connection. All scans share its limits, rates and
    credentials.
    """

    def __init__(self, config: ScannerConfig | None = None) -> None:
        self.config = config or ScannerConfig()
        self._service: AwsService | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._streams: dict[asyncio.Task[None], _Ends] = {}
        self._scans: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        if self._service is not None:
            raise RuntimeError(
                "this Scanner is open already; open another one, or scan with this one many times"
            )
        _check_asyncio()
        service = AwsService(self.config, f"sgw-scanner/{__version__}")
        await service.__aenter__()
        self._service, self._loop = service, asyncio.get_running_loop()
        settings = self.config.scan
        slots = service.most_connections
        if slots < settings.max_concurrency:
            LOG.warning(
                "this process may open too few files for %s calls at once, so there are %s: raise `ulimit -n`",
                settings.max_concurrency,
                slots,
            )
        self._limits = Limits(anyio.CapacityLimiter(slots), settings.max_concurrency_per_target)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # No new scan begins from here on.
        service, self._service = self._service, None
        for task in list(self._streams):
            await self._end_stream(task)
        for task in list(self._scans):
            await _ended(task)
        if service:
            await service.__aexit__(kind, error, trace)

    async def check(self, tell: Callable[[Event], None] | None = None) -> Inventory:
        """Tries each call that a scan would make once for each target, at its cheapest.

        `tell` is called with each event, as it happens.

        The failures and targets of the inventory tell what a scan could not do. It counts one gateway for
        each target, and none of its volumes and verdicts are worth keeping.
        """
        return await self._gathered(Preflight(self._opened()), tell=tell)

    async def scan(self, scan_id: str | None = None) -> Inventory:
        """One scan as an inventory. What fails inside is in it; nothing of it is raised.

        `scan_id` names it; by default it gets a UUID of version 7.
        """
        return await self._gathered(self._opened(), scan_id)

    async def plan(self) -> tuple[list[PlannedAccount], list[Event]]:
        """The accounts that a scan would read, and the events of the walk through the organization, if any."""
        accounts: list[PlannedAccount] = []
        events: list[Event] = []

        async def take(settings: AccountSettings | None, ou_path: str | None) -> None:
            accounts.append(PlannedAccount(settings, ou_path))

        async def gather(event: Event) -> None:
            events.append(event)

        service = self._opened()
        await Scan(self.config, service, self._limits, __version__, gather, hand_over=take).run()
        return accounts, events

    async def watch(self, every: timedelta, jitter: float = 0.05) -> AsyncGenerator[Inventory, None]:
        """Scans again and again, and yields each inventory; the first scan begins at once.

        Scans begin `every` apart, counted from the first and not from the end of the last, each later by up to
        the share `jitter` of `every`. There are never two at once: starts that a slow scan or a slow reader
        misses are left out. Leave it with `contextlib.aclosing`, or by cancelling the task. A scan that read
        nothing is yielded like any other. Raises ValueError for an interval that is not positive, or a jitter
        that is not between 0 and 1.
        """
        seconds = every.total_seconds()
        if seconds <= 0 or not 0 <= jitter <= 1:
            raise ValueError("every must be a positive time, and jitter a share between 0 and 1")
        clock = asyncio.get_running_loop().time
        begun, start = clock(), 0
        while True:
            yield await self.scan()
            # The next start that has not passed yet.
            start = max(start + 1, ceil((clock() - begun) / seconds))
            await asyncio.sleep(begun + start * seconds + random.uniform(0, jitter * seconds) - clock())

    async def _gathered(
        self,
        service: Service,
        scan_id: str | None = None,
        tell: Callable[[Event], None] | None = None,
    ) -> Inventory:
        collector, opened = Collector(), self._opened()

        async def gather(event: Event) -> None:
            collector.add(event)
            if tell:
                tell(event)

        scan, end = self._scan(service, gather, scan_id)
        # A task of its own, so that leaving the Scanner can end it and wait until its connections are closed.
        task = asyncio.create_task(scan.run(), name="sgw-scanner scan")
        task.add_done_callback(end)
        self._scans.add(task)
        try:
            await task
        except asyncio.CancelledError:
            if self._service is opened:
                raise
            raise ScannerError(LEFT) from None
        finally:
            self._scans.discard(task)
        inventory = collector.inventory()
        # The parts of a scan know each other, and would keep this until the garbage collector looks at everything.
        collector.clear()
        return inventory

    @asynccontextmanager
    async def stream(
        self, scan_id: str | None = None, planned: Sequence[PlannedAccount] | None = None
    ) -> AsyncIterator[EventStream]:
        """The same scan as it happens. Leaving the block early ends the scan.

        `planned` are the accounts to scan, where somebody has found them already.
        """
        send, receive = anyio.create_memory_object_stream[Event](BUFFERED)

        async def hand_over(event: Event) -> None:
            # Once the reader has left, its scan is about to be cancelled: what it still tells, nobody hears.
            with suppress(anyio.BrokenResourceError):
                await send.send(event)

        scan, end = self._scan(self._opened(), hand_over, scan_id, planned=planned)

        async def run() -> None:
            with send:
                await scan.run()

        # A task of its own, not a task group: an async generator that reads events may well be closed by
        # another task than the one that began it, as web frameworks do when a client goes away.
        task = asyncio.create_task(run(), name="sgw-scanner scan")
        task.add_done_callback(end)
        self._streams[task] = send, receive
        try:
            yield EventStream(scan, task, receive)
        finally:
            defect = await self._end_stream(task)
        if defect:
            raise defect

    async def _end_stream(self, task: "asyncio.Task[None]") -> BaseException | None:
        ends = self._streams.pop(task, None)
        if ends:
            # First of all, or a scan that waits for its reader could not be cancelled.
            ends[1].close()
        await _ended(task)
        if ends:
            ends[0].close()
        return None if task.cancelled() else task.exception()

    def _opened(self) -> AwsService:
        if self._service is None:
            raise RuntimeError("a Scanner scans only inside of `async with Scanner(config) as scanner:`")
        if asyncio.get_running_loop() is not self._loop:
            raise RuntimeError(
                "this Scanner belongs to another event loop, with its connections; open one in each loop"
            )
        return self._service

    def _scan(
        self,
        service: Service,
        emit: Emit,
        scan_id: str | None,
        planned: Sequence[PlannedAccount] | None = None,
    ) -> tuple[Scan, _End]:
        """A scan, and what its task is to call in the end."""
        gateways = self.config.telemetry.gateways
        observed = observe(service, emit, self._limits.rate_of, __version__, gateways=gateways)
        scan = Scan(self.config, observed.service, self._limits, __version__, observed.emit, scan_id, planned)
        return scan, lambda _: observed.end()


async def _ended(task: "asyncio.Task[None]") -> None:
    """Cancels a task, and waits until it has ended."""
    task.cancel()
    with anyio.CancelScope(shield=True):
        await asyncio.wait([task])


def _check_asyncio() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            "a Scanner needs asyncio; with anyio choose its asyncio backend, not trio"
        ) from None
