"""Which call comes next: every target waits in its own lane, and none of them holds up another."""

import heapq
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import anyio

from scanner.engine.calls.circuit_breaker import Gate
from scanner.engine.calls.retry import RetryBudget
from scanner.engine.pace import Pace
from scanner.service.errors import CallFailed
from scanner.service.protocol import TargetKey

Listener = Callable[[], object]


class Lane:
    """How one target is asked, by all scans of a Scanner together: its pace and its calls in flight."""

    def __init__(self, limit: int) -> None:
        self.pace = Pace()
        self.limit = limit
        self.in_flight = 0
        self.queues: dict[int, Listener] = {}

    def ready_at(self, now: float) -> float | None:
        """When the next call may start; None: not before one in flight has ended."""
        return None if self.in_flight >= self.limit else self.pace.ready_at(now)

    def changed(self) -> None:
        for listener in list(self.queues.values()):
            listener()


@dataclass(slots=True)
class Limits:
    """What all scans of one Scanner share: the slots for calls in flight, and the lane of each target."""

    slots: anyio.CapacityLimiter
    per_lane: int
    lanes: dict[Hashable, Lane] = field(default_factory=dict)

    def lane(self, key: Hashable) -> Lane:
        return self.lanes.setdefault(key, Lane(self.per_lane))

    def leave(self, *keys: Hashable) -> None:
        """Forgets those of these lanes that nobody uses, and of which nothing was learnt."""
        for key in keys:
            lane = self.lanes.get(key)
            if lane and not lane.queues and not lane.in_flight and lane.pace.rate is None:
                del self.lanes[key]


@dataclass(slots=True)
class Job:
    """One call with what follows from its answer; it may be tried several times.

    `done` raises CallFailed for an answer that cannot be trusted; then `failed` is told as of any other.
    """

    operation: str
    call: Callable[[], Awaitable[Any]]
    done: Callable[[Any], Awaitable[None]]
    failed: Callable[[CallFailed, int], Awaitable[None]]
    queue: "Queue"
    place: TargetKey | None = None
    gateway_arn: str | None = None
    counted: bool = True
    attempts: int = 0
    tries: int = 0
    mended: bool = False
    left: Callable[[], int] = lambda: 0
    """How many listed gateways would stay unread, if this call's place were given up."""


class Queue:
    """The calls that one target still has to make, in one scan."""

    def __init__(
        self,
        schedule: "Schedule",
        lane: Lane,
        gate: Gate | None = None,
        budget: RetryBudget | None = None,
    ) -> None:
        self.lane = lane
        self.gate = gate
        self.budget = budget or RetryBudget()
        self.version = 0
        self._schedule = schedule
        self._fresh: deque[Job] = deque()
        self._retries: list[tuple[float, int, Job]] = []
        lane.queues[id(self)] = self.changed
        schedule.queues.add(self)

    def push(self, job: Job, *, first: bool = False) -> None:
        if first:
            self._fresh.appendleft(job)
        else:
            self._fresh.append(job)
        self.changed()

    def push_again(self, job: Job, due: float) -> None:
        heapq.heappush(self._retries, (due, next(self._schedule.ticket), job))
        self.changed()

    def changed(self) -> bool:
        """Take note that something has changed; says whether a call could start now."""
        return self._schedule.place(self)

    def ready_at(self, now: float) -> float | None:
        if not self._fresh and not self._retries:
            return None
        admitted = self.lane.ready_at(now)
        if admitted is None:
            return None
        wanted = max(admitted, now if self._fresh else self._retries[0][0])
        return self.gate.ready_at(wanted, self.changed) if self.gate else wanted

    def pop(self, now: float) -> Job:
        # A call that waited out its delay has waited longest; it goes before those never tried, unless it
        # may be the very call that is never answered.
        in_doubt = self.gate is not None and not self.gate.answers
        if self._retries and not (self._fresh and (in_doubt or self._retries[0][0] > now)):
            return heapq.heappop(self._retries)[2]
        return self._fresh.popleft()

    def close(self) -> None:
        """Leave the lane to others; what is queued is dropped."""
        self._fresh.clear()
        self._retries.clear()
        self.version += 1
        self.lane.queues.pop(id(self), None)
        self._schedule.queues.discard(self)
        if self.gate:
            self.gate.left(self.changed)


@dataclass(slots=True)
class Schedule:
    """The queues of all active targets, by the moment at which each may make its next call."""

    clock: Callable[[], float]
    wake: Listener
    ticket: "count[int]" = field(default_factory=count)
    queues: set[Queue] = field(default_factory=set)
    _heap: list[tuple[float, int, int, Queue]] = field(default_factory=list)

    def place(self, queue: Queue) -> bool:
        """Take note that something about `queue` has changed; says whether it could make a call now."""
        queue.version += 1
        now = self.clock()
        ready = queue.ready_at(now)
        if ready is None:
            return False
        heapq.heappush(self._heap, (ready, next(self.ticket), queue.version, queue))
        self.wake()
        return ready <= now

    def close(self) -> None:
        """Leave every lane to the other scans, however this one ended."""
        for queue in list(self.queues):
            queue.close()

    def next_at(self) -> float | None:
        """When the next call is due; None while every queue waits for an answer, or is empty."""
        while self._heap and self._heap[0][2] != self._heap[0][3].version:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take(self, now: float) -> Job | None:
        """The job that is due and has waited longest; None if nothing is due."""
        while True:
            due = self.next_at()
            if due is None or due > now:
                return None
            queue = heapq.heappop(self._heap)[3]
            # Others may have taken the last calls that an unproven endpoint gets.
            ready = queue.ready_at(now)
            if ready is not None and ready <= now:
                break
            self.place(queue)
        job = queue.pop(now)
        if queue.gate:
            queue.gate.started()
        queue.lane.in_flight += 1
        queue.lane.pace.sent(now)
        queue.lane.changed()
        return job
