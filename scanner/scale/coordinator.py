"""Plans a scan once, hands its tasks to idle workers, and puts together what comes back."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from os import SEEK_END
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Self, cast

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from scanner import __version__
from scanner.api import BUFFERED, Scanner
from scanner.config.asked import asked_of
from scanner.config.settings import ScannerConfig
from scanner.engine.scan import PlannedAccount
from scanner.inventory.events import Event, ScanEnded, ScanStarted, TargetEnded
from scanner.inventory.joined import merged_calls
from scanner.inventory.merge import merge_parts
from scanner.inventory.records import (
    CallCounts,
    FailureKind,
    Outcome,
    ScanInfo,
    TargetCounts,
    TargetStatus,
    outcome_of,
)
from scanner.inventory.scan_id import new_scan_id
from scanner.inventory.spooled import SpooledInventory
from scanner.scale.cluster import Cluster
from scanner.scale.replay import events_of_lost, opened, part_of, replay
from scanner.scale.task import Task, tasks_of
from scanner.scale.worker import Refusal

ACCOUNTS_PER_TASK = 25
TRIES = 3
"""How often a task is handed out before its targets have failed."""
GRACE = 10.0
"""Seconds that workers have, after a deadline or a signal, to send what they have read."""
LOOK_EVERY, WITHOUT_WORKERS = 5.0, 60.0
"""Seconds between looks at the workers, and after which a scan ends for want of any."""


async def scan_on(
    client: Any, config: ScannerConfig, accounts_per_task: int = ACCOUNTS_PER_TASK, scan_id: str | None = None
) -> SpooledInventory:
    """One scan on the workers of a Dask cluster; leave the inventory with `close`, or use it in a `with`.

    `client` is a `distributed.Client(..., asynchronous=True)`. What fails inside is in the inventory. Raises
    ConfigError where a worker has another version of sgw-scanner, or none.
    """
    async with stream_on(client, config, accounts_per_task, scan_id) as scan:
        async for _ in scan:
            pass
        return scan.inventory()


@asynccontextmanager
async def stream_on(
    client: Any, config: ScannerConfig, accounts_per_task: int = ACCOUNTS_PER_TASK, scan_id: str | None = None
) -> "AsyncIterator[DistributedScan]":
    """The same scan as it happens: the events of a task come when it has ended. Leaving early ends the scan."""
    cluster = Cluster(client, config.scan.max_concurrency)
    await cluster.check()
    send, receive = anyio.create_memory_object_stream[Event](BUFFERED)
    scan = DistributedScan(config, cluster, accounts_per_task, scan_id or new_scan_id(), receive)
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(scan.run, send)
            try:
                yield scan
            finally:
                group.cancel_scope.cancel()
    finally:
        scan.close()
        receive.close()
        send.close()
        if not scan.ended:
            with anyio.move_on_after(GRACE, shield=True):
                await cluster.interrupt(scan.scan_id)


class DistributedScan:
    """The events of one scan, and its inventory once they have ended."""

    def __init__(
        self,
        config: ScannerConfig,
        cluster: Cluster,
        accounts_per_task: int,
        scan_id: str,
        events: MemoryObjectReceiveStream[Event],
    ) -> None:
        self.scan_id = scan_id
        self.ended: ScanEnded | None = None
        self._config = config
        self._cluster = cluster
        self._accounts_per_task = accounts_per_task
        self._events = events
        self._parts = _Parts()
        self._targets: Counter[TargetStatus] = Counter()
        self._calls: list[CallCounts] = []
        self._stopped: FailureKind | None = None
        self._late = False
        self._stopping = asyncio.Event()
        self._waiting: set[anyio.CancelScope] = set()
        self._deadline: float | None = None
        self._started = datetime.now(UTC)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        try:
            return await self._events.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    def interrupt(self) -> None:
        """Ends the scan in order: what is unfinished becomes failures of kind `interrupted`."""
        self._stop(FailureKind.INTERRUPTED)

    def inventory(self) -> SpooledInventory:
        """What the scan found, on this machine's disk."""
        if self.ended is None:
            raise RuntimeError("the scan has not ended")
        whole = merge_parts(self._parts)
        whole.scan = self.ended.scan
        return whole

    def close(self) -> None:
        """Removes the parts from this machine's disk."""
        self._parts.close()

    async def run(self, send: MemoryObjectSendStream[Event]) -> None:
        """Scans, until all is known, the deadline has come, or `interrupt` was called."""
        limit = self._config.scan.deadline
        if limit:
            self._deadline = anyio.current_time() + limit.total_seconds()
        with send:
            await send.send(ScanStarted(self.scan_id, self._started))
            async with anyio.create_task_group() as helpers:
                helpers.start_soon(self._watch)
                await self._scan(send)
                helpers.cancel_scope.cancel()
            self.ended = self._end()
            await send.send(self.ended)

    async def _scan(self, send: MemoryObjectSendStream[Event]) -> None:
        accounts = await self._plan(send)
        async with anyio.create_task_group() as group:
            for task in tasks_of(self._config, accounts, self.scan_id, __version__, self._accounts_per_task):
                await self._start(task, group, send)

    async def _plan(self, send: MemoryObjectSendStream[Event]) -> list[PlannedAccount]:
        if self._config.organization is None:
            return [
                PlannedAccount(account)
                for account in self._config.accounts or (None,)
                if account is None or self._config.holds(account.id)
            ]
        async with Scanner(self._config) as scanner:
            accounts, events = await scanner.plan()
        await self._take(
            part_of(events[1:-1], self._info(Outcome.PARTIAL), CallCounts()), "plan.ndjson", send
        )
        return accounts

    async def _start(self, task: Task, group: TaskGroup, send: MemoryObjectSendStream[Event]) -> None:
        """Waits until a worker is idle, and has it scan the task."""
        slots = 0 if self._stopped else await self._cluster.admit(self._stopping)
        if not slots:
            await self._lose(task, self._reason(), send)
            return
        group.start_soon(self._hand_out, task, slots, send)

    async def _hand_out(self, task: Task, slots: int, send: MemoryObjectSendStream[Event]) -> None:
        try:
            answer: bytes | Refusal = self._reason()
            for number in range(1, TRIES + 1):
                if self._stopped:
                    answer = self._reason()
                    break
                left = None if self._deadline is None else self._deadline - anyio.current_time()
                with self._bounded():
                    answer, final = await self._cluster.scan(task.with_share(slots, left), number)
                    if final:
                        break
        finally:
            self._cluster.release(slots)
        if isinstance(answer, bytes):
            await self._take(answer, f"task {task.number}.ndjson", send)
        else:
            await self._lose(task, self._reason() if self._stopped else answer, send)

    async def _take(self, part: bytes, name: str, send: MemoryObjectSendStream[Event]) -> None:
        self._parts.add(part)
        for event in replay(part, name):
            if isinstance(event, ScanEnded):
                self._calls.append(event.calls)
                self._late |= event.scan.deadline_reached
                continue
            if isinstance(event, TargetEnded):
                self._targets[event.target.status] += 1
            await send.send(event)

    async def _lose(self, task: Task, why: Refusal, send: MemoryObjectSendStream[Event]) -> None:
        lost = part_of(events_of_lost(task, why), self._info(Outcome.FAILED), CallCounts())
        await self._take(lost, f"task {task.number}.ndjson", send)

    def _stop(self, kind: FailureKind) -> None:
        """Nothing is handed out any more; what is under way has a while to end."""
        if self._stopped is None:
            self._stopped = kind
            self._stopping.set()
            # A signal's handler is no task, and so has no anyio clock.
            end = asyncio.get_running_loop().time() + GRACE
            for scope in self._waiting:
                scope.deadline = end

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """A wait that ends some time after the scan is stopped."""
        with anyio.CancelScope() as scope:
            if self._stopped:
                scope.deadline = anyio.current_time() + GRACE
            self._waiting.add(scope)
            try:
                yield
            finally:
                self._waiting.discard(scope)

    async def _watch(self) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(self._end_at_deadline)
            group.start_soon(self._end_without_workers)
            await self._stopping.wait()
            if self._stopped is FailureKind.INTERRUPTED:
                # At a deadline they end by themselves.
                await self._cluster.interrupt(self.scan_id)

    async def _end_at_deadline(self) -> None:
        if self._deadline is not None:
            await anyio.sleep_until(self._deadline)
            self._stop(FailureKind.DEADLINE)

    async def _end_without_workers(self) -> None:
        missing = 0
        while missing * LOOK_EVERY < WITHOUT_WORKERS:
            await anyio.sleep(LOOK_EVERY)
            missing = 0 if await self._cluster.threads() else missing + 1
        self._stop(FailureKind.NETWORK)

    def _reason(self) -> Refusal:
        """Why a task that nobody finished was not."""
        match self._stopped:
            case FailureKind.DEADLINE:
                return Refusal(FailureKind.DEADLINE, "the deadline came before these accounts were scanned")
            case FailureKind.INTERRUPTED:
                return Refusal(
                    FailureKind.INTERRUPTED, "the scan was ended before these accounts were scanned"
                )
        return Refusal(FailureKind.NETWORK, "no worker is left", "start workers, and scan again")

    def _info(self, outcome: Outcome) -> ScanInfo:
        settings = self._config.scan
        return ScanInfo(
            id=self.scan_id,
            started_at=self._started,
            finished_at=max(self._started, datetime.now(UTC)),
            outcome=outcome,
            deadline_reached=self._late or self._stopped is FailureKind.DEADLINE,
            interrupted=self._stopped is FailureKind.INTERRUPTED,
            scanner_version=__version__,
            details=tuple(settings.details),
            list_volumes=settings.list_volumes,
            asked=asked_of(self._config),
        )

    def _end(self) -> ScanEnded:
        counts = TargetCounts(**{status.value: self._targets[status] for status in TargetStatus})
        return ScanEnded(self._info(outcome_of(counts)), merged_calls(self._calls))


class _Parts:
    """The parts of a scan in a temporary file, in the order in which they came."""

    def __init__(self) -> None:
        self._file: BinaryIO = cast(BinaryIO, TemporaryFile())  # noqa: SIM115 - see `close`
        self._places: list[tuple[int, int]] = []

    def add(self, part: bytes) -> None:
        self._places.append((self._file.seek(0, SEEK_END), len(part)))
        self._file.write(part)

    def __iter__(self) -> Iterator[tuple[str, BinaryIO]]:
        for number, (start, length) in enumerate(self._places, 1):
            self._file.seek(start)
            yield f"part {number}.ndjson", opened(self._file.read(length))

    def close(self) -> None:
        self._file.close()
