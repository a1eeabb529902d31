"""Decides which waiting call is sent next. Each target has a queue of its own, and none delays another."""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from itertools import count

import anyio

from scanner.engine.calls.circuit_breaker import CircuitBreaker
from scanner.engine.calls.rate_limiter import RateLimiter
from scanner.engine.calls.retry import RetryBudget
from scanner.engine.calls.silence import Silence, SilentShare

Listener = Callable[[], object]


class TargetLimiter:
    """The rate and the calls in flight of one target, over all scans of a Scanner."""

    def __init__(self, limit: int) -> None:
        self.rate_limiter = RateLimiter()
        self.limit = limit
        self.in_flight = 0
        self.listeners: dict[int, Listener] = {}

    def ready_at(self, now: float) -> float | None:
        """When the next call may start; None: only after one in flight has ended."""
        return None if self.in_flight >= self.limit else self.rate_limiter.ready_at(now)

    def changed(self) -> None:
        for listener in list(self.listeners.values()):
            listener()


@dataclass(slots=True)
class Limits:
    """What all scans of one Scanner share: the slots for calls in flight, and the limiter of each target."""

    slots: anyio.CapacityLimiter
    per_target: int
    limiters: dict[Hashable, TargetLimiter] = field(default_factory=dict)

    def limiter(self, key: Hashable) -> TargetLimiter:
        return self.limiters.setdefault(key, TargetLimiter(self.per_target))

    def rate_of(self, key: Hashable) -> float | None:
        """The learnt rate of a target, in calls a second; None as long as nothing has throttled it."""
        limiter = self.limiters.get(key)
        return limiter.rate_limiter.rate if limiter else None

    def forget_quiet(self, now: float) -> None:
        """Forgets the limiters of targets that had no call for so long that their rate is out of date."""
        for key, limiter in list(self.limiters.items()):
            if not limiter.listeners and limiter.rate_limiter.quiet(now):
                del self.limiters[key]

    def leave(self, *keys: Hashable) -> None:
        """Forgets these limiters, if no scan uses them and they have no learnt rate."""
        for key in keys:
            limiter = self.limiters.get(key)
            if (
                limiter
                and not limiter.listeners
                and not limiter.in_flight
                and limiter.rate_limiter.rate is None
            ):
                del self.limiters[key]


@dataclass(slots=True, eq=False)
class Turn:
    """A call that waits until it may be sent. `of_gateway`: it asks about a gateway, which may be silent."""

    granted: "asyncio.Future[None]"
    of_gateway: bool = False
    doubtful: bool = False
    has_slot: bool = False
    sent_at: float = 0.0


class CallQueue:
    """The calls that one target still has to make, in one scan."""

    def __init__(
        self,
        scheduler: "Scheduler",
        limiter: TargetLimiter,
        breaker: CircuitBreaker,
        budget: RetryBudget | None = None,
    ) -> None:
        self.limiter = limiter
        self.breaker = breaker
        self.budget = budget or RetryBudget()
        self.version = 0
        self.one_at_a_time = False
        """Whether only one call may be in flight, as the next ones will probably be denied, too."""
        self._scheduler = scheduler
        self._fresh: deque[Turn] = deque()
        self._retries: list[tuple[float, int, Turn]] = []
        self._in_flight = 0
        self._silence = Silence()
        limiter.listeners[id(self)] = self.changed
        scheduler.queues.add(self)

    def push(self, turn: Turn, *, first: bool = False) -> None:
        """Adds a call that has not been tried; `first`: before all others."""
        if first:
            self._fresh.appendleft(turn)
        else:
            self._fresh.append(turn)
        self.changed()

    def push_again(self, turn: Turn, due: float) -> None:
        """Adds a call that is to be tried again, not before `due`."""
        heapq.heappush(self._retries, (due, next(self._scheduler.ticket), turn))
        self.changed()

    def changed(self) -> bool:
        """Reschedules the queue after a change; returns whether a call could start now."""
        return self._scheduler.schedule(self)

    def ready_at(self, now: float) -> float | None:
        """When the next call may start; None while the queue is empty, or until `changed` is called."""
        self._drop_cancelled()
        if not self._fresh and not self._retries:
            return None
        admitted = self.limiter.ready_at(now)
        if admitted is None or (self.one_at_a_time and self._in_flight):
            return None
        wanted = max(admitted, now if self._fresh else self._retries[0][0])
        if self._next(now).of_gateway:
            allowed = self._scheduler.share.ready_at(wanted, self._silence, self.changed)
            if allowed is None:
                return None
            wanted = allowed
        return self.breaker.ready_at(wanted, self.changed)

    def pop(self, now: float) -> Turn:
        """Takes the next call out of the queue; the caller sends it now."""
        turn = heapq.heappop(self._retries)[2] if self._retry_first(now) else self._fresh.popleft()
        turn.sent_at = now
        if turn.of_gateway:
            turn.doubtful = self._scheduler.share.take(now, self._silence)
            self._silence.sent_at[id(turn)] = now
        self._in_flight += 1
        self.limiter.in_flight += 1
        self.limiter.rate_limiter.sent(now)
        self.breaker.started()
        return turn

    def ended(self, turn: Turn, *, answered: bool) -> None:
        """A call is no longer in flight; `answered`: the service has answered, even with an error."""
        self._in_flight -= 1
        self.limiter.in_flight -= 1
        if turn.of_gateway:
            self._silence.sent_at.pop(id(turn), None)
            self._silence.answered = self._silence.answered or answered
            self._silence.swallowed = self._silence.swallowed or not answered
            self._scheduler.share.release(doubtful=turn.doubtful)
        self.limiter.changed()

    def _drop_cancelled(self) -> None:
        while self._fresh and self._fresh[0].granted.done():
            self._fresh.popleft()
        while self._retries and self._retries[0][2].granted.done():
            heapq.heappop(self._retries)

    def _next(self, now: float) -> Turn:
        return self._retries[0][2] if self._retry_first(now) else self._fresh[0]

    def _retry_first(self, now: float) -> bool:
        # A retry that is due has waited longest and goes first, unless it may be a call that is never answered.
        # While a target admits nothing, calls without an attempt go first, so that all share the attempts.
        if not self._retries or not self._fresh:
            return bool(self._retries)
        due, _, turn = self._retries[0]
        in_doubt = not self.breaker.answers or (turn.of_gateway and not self._silence.answered)
        return not in_doubt and not self.limiter.rate_limiter.refuses and due <= now

    def close(self) -> None:
        """Detaches the queue from its limiter; calls that still wait are never granted."""
        self._fresh.clear()
        self._retries.clear()
        self.version += 1
        self.limiter.listeners.pop(id(self), None)
        self._scheduler.queues.discard(self)
        self._scheduler.share.leave(self.changed)
        self.breaker.left(self.changed)


@dataclass(slots=True)
class Scheduler:
    """The queues of all active targets, by the moment at which each may make its next call."""

    clock: Callable[[], float]
    wake: Listener
    share: SilentShare
    ticket: "count[int]" = field(default_factory=count)
    queues: set[CallQueue] = field(default_factory=set)
    _heap: list[tuple[float, int, int, CallQueue]] = field(default_factory=list)

    def schedule(self, queue: CallQueue) -> bool:
        """Schedules `queue` anew after a change; returns whether it could make a call now."""
        queue.version += 1
        now = self.clock()
        ready = queue.ready_at(now)
        if ready is None:
            return False
        heapq.heappush(self._heap, (ready, next(self.ticket), queue.version, queue))
        self.wake()
        return ready <= now

    def close(self) -> None:
        """Detaches all queues from their limiters, however the scan ended."""
        for queue in list(self.queues):
            queue.close()

    def next_at(self) -> float | None:
        """When the next call is due; None while every queue waits for an answer, or is empty."""
        while self._heap and self._heap[0][2] != self._heap[0][3].version:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take(self, now: float) -> Turn | None:
        """The call that is due and has waited longest; None if nothing is due."""
        while True:
            due = self.next_at()
            if due is None or due > now:
                return None
            queue = heapq.heappop(self._heap)[3]
            # Other queues may have used up the few calls that an endpoint gets before its first answer.
            ready = queue.ready_at(now)
            if ready is not None and ready <= now:
                break
            self.schedule(queue)
        turn = queue.pop(now)
        queue.limiter.changed()
        return turn
