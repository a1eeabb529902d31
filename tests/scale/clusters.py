"""A Dask client without Dask: its workers scan simulated services, or do not."""

from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import anyio

from scanner import __version__
from scanner.engine.calls.scheduler import Limits
from scanner.engine.scan import Scan
from scanner.inventory.events import Event, ScanEnded
from scanner.scale.replay import part_of
from scanner.scale.task import Task
from scanner.scale.worker import Refusal, version_here
from tests.engine.simulated import SimulatedService

Answer = bytes | Refusal
Work = Callable[[Task, int], Awaitable[Answer]]


class Future:
    def __init__(self, work: Awaitable[Answer], ended: Callable[[], None]) -> None:
        self._work = work
        self.release = ended

    def __await__(self) -> Generator[Any, None, Answer]:
        return self._work.__await__()


@dataclass
class Client:
    """`work` is what its workers make of a task, and of how often it was handed out before."""

    work: Work
    workers: dict[str, int] = field(default_factory=lambda: {"tcp://one:1": 1, "tcp://two:1": 1})
    versions: dict[str, Any] = field(default_factory=lambda: {"tcp://one:1": __version__})
    asynchronous: bool = True
    interrupted: list[str] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    under_way: int = 0
    most_slots: int = 0
    _slots: int = 0
    _tries: Counter[int] = field(default_factory=Counter)

    async def wait_for_workers(self, count: int, timeout: float) -> None:
        if not self.workers:
            raise TimeoutError

    async def run(self, function: Any, *arguments: Any, on_error: str) -> dict[str, Any]:
        if function is version_here:
            return self.versions
        self.interrupted += arguments
        return {}

    async def nthreads(self) -> dict[str, int]:
        return self.workers

    def submit(self, function: Any, task: Task, *, key: str, pure: bool) -> Future:
        self.tasks.append(task)
        self.under_way += 1
        self._slots += task.slots
        self.most_slots = max(self.most_slots, self._slots)
        self._tries[task.number] += 1

        def ended() -> None:
            self.under_way -= 1
            self._slots -= task.slots

        return Future(self.work(task, self._tries[task.number]), ended)


def simulated(**options: Any) -> Work:
    """Workers that scan a fleet of simulated targets."""

    async def work(task: Task, nth: int) -> Answer:
        events: list[Event] = []

        async def emit(event: Event) -> None:
            events.append(event)

        limits = Limits(anyio.CapacityLimiter(task.slots), 8)
        config = task.config_here()
        service = SimulatedService(**options)
        await Scan(config, service, limits, "0.1.0", emit, task.scan_id, task.planned_here(config)).run()
        ended = events[-1]
        assert isinstance(ended, ScanEnded)
        return part_of(events[:-1], ended.scan, ended.calls)

    return work
