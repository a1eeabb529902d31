"""A Dask cluster as a scan uses it: which workers there are, how much each may do, what became of a task."""

import asyncio
from typing import Any

from scanner import __version__
from scanner.errors import ConfigError
from scanner.inventory.records import FailureKind
from scanner.scale.task import Task
from scanner.scale.worker import Refusal, interrupt, scan_task, version_here

FIRST_WORKER = 10.0
"""Seconds within which one worker has to be there."""
LOST_REMEDY = "look at the workers' memory and logs, or scan fewer accounts in a task"


class Cluster:
    """The workers behind a `distributed.Client(..., asynchronous=True)`.

    `max_concurrency` is shared out among them: the calls that all tasks under way may have in flight.
    """

    def __init__(self, client: Any, max_concurrency: int) -> None:
        if not getattr(client, "asynchronous", False):
            raise TypeError("scan_on needs a distributed.Client(..., asynchronous=True)")
        self._client = client
        self._max_concurrency = max_concurrency
        self._slots_used = self._tasks = 0
        self._changed = asyncio.Event()

    async def check(self) -> None:
        """Raises ConfigError where no worker is there, and for one with another sgw-scanner, or without any."""
        try:
            await self._client.wait_for_workers(1, timeout=FIRST_WORKER)
        except TimeoutError:
            raise ConfigError(
                "the Dask scheduler has no workers; start some with `dask worker ADDRESS`"
            ) from None
        found = await self._client.run(version_here, on_error="return")
        for worker, version in sorted(found.items()):
            if version != __version__:
                told = "none that works" if isinstance(version, Exception) else str(version)
                raise ConfigError(
                    f"the Dask worker {worker} has another sgw-scanner than this machine, {told} instead of "
                    f'{__version__}; install it there: pip install "sgw-scanner[dask]=={__version__}"'
                )

    async def threads(self) -> int:
        """How many tasks all workers together can have under way."""
        return sum((await self._client.nthreads()).values())

    async def admit(self, ended: asyncio.Event) -> int:
        """Waits until some worker is idle, and returns how many calls it may have in flight; 0 once `ended` is set."""
        while not ended.is_set():
            threads = max(await self.threads(), 1)
            slots = max(self._max_concurrency // threads, 1)
            if self._tasks < threads and (
                not self._tasks or self._slots_used + slots <= self._max_concurrency
            ):
                self._tasks += 1
                self._slots_used += slots
                return slots
            self._changed.clear()
            await _first(self._changed, ended)
        return 0

    def release(self, slots: int) -> None:
        """A task that was admitted has ended."""
        self._tasks -= 1
        self._slots_used -= slots
        self._changed.set()

    async def scan(self, task: Task, number: int) -> tuple[bytes | Refusal, bool]:
        """What a worker makes of `task`, and whether that is final. A worker that dies has it done anew by another."""
        # Imported here, for this module is loaded with the command line.
        from distributed.client import FutureCancelledError
        from distributed.comm.core import CommClosedError
        from distributed.scheduler import KilledWorker

        future: Any = None
        try:
            future = self._client.submit(scan_task, task, key=f"{task.key}-{number}", pure=False)
            answer: bytes | Refusal = await future
        except KilledWorker as lost:
            message = (
                f"{lost.allowed_failures + 1} workers died, one after the other, that scanned these accounts"
            )
            return Refusal(FailureKind.NETWORK, message, LOST_REMEDY), True
        except (FutureCancelledError, CommClosedError, ImportError, OSError) as error:
            message = f"the task was lost: {type(error).__name__}"
            return Refusal(FailureKind.NETWORK, message, LOST_REMEDY), False
        finally:
            if future is not None:
                future.release()
        return answer, isinstance(answer, bytes)

    async def interrupt(self, scan_id: str) -> None:
        """Has every worker end its tasks of a scan in order."""
        await self._client.run(interrupt, scan_id, on_error="ignore")


async def _first(*events: asyncio.Event) -> None:
    """Waits for the first of these."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
