"""Makes every call: waits for its turn, sends it, retries it, and returns its answer or raises GivenUp."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import TypeVar

import anyio

from scanner.engine.calls.circuit_breaker import CircuitBreaker
from scanner.engine.calls.retry import RATIONED, RetryBudget, RetryPolicy
from scanner.engine.calls.scheduler import CallQueue, Limits, Scheduler, Turn
from scanner.engine.calls.silence import SilentShare
from scanner.inventory.events import CallRetried, Emit
from scanner.inventory.records import FailureKind
from scanner.service.errors import CallFailed, FailureFacts
from scanner.service.protocol import TargetKey

Answer = TypeVar("Answer")
STOPPED = {
    FailureKind.DEADLINE: "the scan's deadline came first",
    FailureKind.INTERRUPTED: "the scan was interrupted",
}


class GivenUp(Exception):
    """A call has failed for good, after `attempts` (0: nothing was sent)."""

    def __init__(self, error: CallFailed, attempts: int) -> None:
        super().__init__(error.facts.message)
        self.error = error
        self.attempts = attempts

    @property
    def facts(self) -> FailureFacts:
        return self.error.facts


@dataclass(slots=True)
class Call:
    """One call, from its first attempt to its end.

    `counted`: it is one of Storage Gateway's, which coverage counts. `prepare` is awaited before each attempt;
    it signs in where that is needed. `unread` says how many gateways are lost if the endpoint is given up.
    """

    operation: str
    queue: CallQueue
    target: TargetKey | None = None
    gateway_arn: str | None = None
    counted: bool = True
    first: bool = False
    prepare: Callable[[], Awaitable[None]] | None = None
    unread: Callable[[], int] = lambda: 0
    attempts: int = 0
    tries: int = 0
    repeated: bool = False


@dataclass(slots=True)
class Counts:
    """Storage Gateway calls sent, those beyond a call's first attempt, and the answers that throttled."""

    attempted: int = 0
    retried: int = 0
    throttled: int = 0


@dataclass(slots=True)
class Calls:
    """All calls of one scan. `run` grants turns while `send` waits for them; `stop` ends every call at once."""

    limits: Limits
    retry: RetryPolicy
    emit: Emit
    dice: random.Random = field(default_factory=random.Random)
    counts: Counts = field(default_factory=Counts)
    stopped: FailureKind | None = None
    _scheduler: Scheduler = field(init=False)
    _breakers: dict[str, CircuitBreaker] = field(default_factory=dict)
    _wake: anyio.Event = field(init=False)
    _now: Callable[[], float] = field(init=False)
    _under_way: int = 0
    _scopes: set[anyio.CancelScope] = field(default_factory=set)
    _waiting: dict[Turn, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._wake = anyio.Event()
        # anyio.current_time looks up the loop on each call, and this is read several times a call.
        self._now = asyncio.get_running_loop().time
        self.limits.forget_quiet(self._now())
        share = SilentShare(int(self.limits.slots.total_tokens))
        self._scheduler = Scheduler(self._now, lambda: self._wake.set(), share)

    def queue(self, limiter: Hashable, endpoint: str, budget: RetryBudget | None = None) -> CallQueue:
        """A queue for calls that pass the rate limiter `limiter`, to `endpoint` as messages name it."""
        breaker = self._breakers.setdefault(endpoint, CircuitBreaker(endpoint))
        return CallQueue(self._scheduler, self.limits.limiter(limiter), breaker, budget)

    async def run(self) -> None:
        """Grants turns, for as long as it is not cancelled."""
        most = int(self.limits.slots.total_tokens)
        while True:
            # Replaced before the queues are read, so that no later change is missed.
            self._wake = wake = anyio.Event()
            now = self._now()
            while self._under_way < most and (turn := self._scheduler.take(now)):
                self._under_way += 1
                turn.granted.set_result(None)
            due = self._scheduler.next_at() if self._under_way < most else None
            with anyio.move_on_after(None if due is None else max(0.0, due - now)):
                await wake.wait()

    def stop(self, kind: FailureKind) -> None:
        """Gives up all calls that wait or are in flight, and all later ones."""
        self.stopped = self.stopped or kind
        for scope in self._scopes:
            scope.cancel()
        for turn in self._waiting:
            if not turn.granted.done():
                turn.granted.cancel()

    def close(self) -> None:
        """Detaches this scan from the limiters that it shares with other scans."""
        self._scheduler.close()

    async def send(self, call: Call, perform: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer to `call`; `perform` sends it once. Raises GivenUp."""
        due = 0.0
        while True:
            if call.prepare:
                await self._prepare(call, call.prepare)
            self._check_stopped(call)
            turn = await self._turn(call, due)
            error, answer = await self._attempt(call, turn, perform)
            if error is None:
                call.queue.budget.earn()
                return answer[0]
            delay = self._delay(call, error)
            if delay is None:
                raise GivenUp(error, call.attempts)
            due = self._now() + delay
            await self._emit_retry(call, error.facts, delay)

    async def _prepare(self, call: Call, prepare: Callable[[], Awaitable[None]]) -> None:
        try:
            await prepare()
        except GivenUp as failure:
            # The call itself was not sent: a sign-in before it failed.
            raise GivenUp(failure.error.but(sent=False), call.attempts) from None

    async def _turn(self, call: Call, due: float) -> Turn:
        turn = Turn(
            asyncio.get_running_loop().create_future(),
            of_gateway=call.gateway_arn is not None,
        )
        self._waiting[turn] = None
        try:
            if due:
                call.queue.push_again(turn, due)
            else:
                call.queue.push(turn, first=call.first)
            await turn.granted
        except BaseException:
            if turn.granted.done() and not turn.granted.cancelled():
                # The turn was granted and the task was cancelled before it could send.
                self._release(call, turn, answered=False)
                call.queue.limiter.rate_limiter.lost(self._now())
                call.queue.breaker.skipped()
            elif self.stopped and turn.granted.cancelled():
                raise self._given_up(call) from None
            raise
        finally:
            self._waiting.pop(turn, None)
        return turn

    async def _attempt(
        self, call: Call, turn: Turn, perform: Callable[[], Awaitable[Answer]]
    ) -> tuple[CallFailed | None, list[Answer]]:
        error: CallFailed | None = None
        answer: list[Answer] = []
        ended = False
        scope = anyio.CancelScope()
        try:
            with scope:
                # Added first: another scan of the Scanner may hold every slot, and `stop` must not wait for it.
                self._scopes.add(scope)
                await self._take_slot(turn)
                self._check_stopped(call)
                self._count(call)
                try:
                    call.queue.breaker.check(call.unread())
                    answer.append(await perform())
                except CallFailed as failure:
                    error = failure
                ended = True
        finally:
            self._scopes.discard(scope)
            self._learn(call, turn, error, ended=ended)
        if scope.cancelled_caught:
            raise self._given_up(call)
        if error and not error.facts.sent:
            self._uncount(call)
        if call.counted and error and error.facts.sent and error.facts.kind is FailureKind.THROTTLED:
            self.counts.throttled += 1
        return error, answer

    def _learn(self, call: Call, turn: Turn, error: CallFailed | None, *, ended: bool) -> None:
        """What the limiter and the circuit breaker learn from the end of a call."""
        now, limiter = self._now(), call.queue.limiter.rate_limiter
        facts = error.facts if error else None
        # A failure before sending says nothing about the endpoint.
        sent = ended and (facts is None or facts.sent)
        silent = facts is not None and (facts.kind is FailureKind.TIMEOUT or not facts.connected)
        if sent:
            call.queue.breaker.ended(error if silent else None, turn.sent_at, now, again=call.tries > 1)
        else:
            call.queue.breaker.skipped()
        if not sent or silent:
            limiter.lost(now)
        elif facts and facts.kind is FailureKind.THROTTLED:
            limiter.throttled(turn.sent_at, now, facts.retry_after)
        else:
            limiter.admitted(turn.sent_at, now)
        self._release(call, turn, answered=sent and not silent)

    async def _take_slot(self, turn: Turn) -> None:
        try:
            # A slot is nearly always free, and awaiting would cost one cycle of the event loop even then.
            self.limits.slots.acquire_on_behalf_of_nowait(turn)
        except anyio.WouldBlock:
            await self.limits.slots.acquire_on_behalf_of(turn)
        turn.has_slot = True

    def _release(self, call: Call, turn: Turn, *, answered: bool) -> None:
        if turn.has_slot:
            self.limits.slots.release_on_behalf_of(turn)
        self._under_way -= 1
        call.queue.ended(turn, answered=answered)
        self._wake.set()

    def _count(self, call: Call) -> None:
        call.attempts += 1
        call.tries += 1
        if call.counted:
            self.counts.attempted += 1
            self.counts.retried += call.attempts > 1

    def _uncount(self, call: Call) -> None:
        call.attempts -= 1
        if call.counted:
            self.counts.attempted -= 1
            self.counts.retried -= call.attempts > 0

    def _delay(self, call: Call, error: CallFailed) -> float | None:
        facts, breaker = error.facts, call.queue.breaker
        if facts.repeat and not call.repeated:
            call.repeated = True
            return 0.0
        if breaker.is_open and facts.retryable and facts.sent:
            # The half-open probe failed. The circuit breaker decides when to give up, not the attempts.
            call.tries -= 1
            return 0.0
        admits = not call.queue.limiter.rate_limiter.refuses
        delay = self.retry.delay(facts, call.tries, self.dice, admits=admits)
        # Any answer shows that the endpoint is alive: the retry budget bounds only calls without one.
        if delay is not None and facts.kind in RATIONED and not call.queue.budget.spend():
            return None
        return delay

    async def _emit_retry(self, call: Call, facts: FailureFacts, delay: float) -> None:
        account, region = call.target or (None, None)
        await self.emit(
            CallRetried(
                account,
                region,
                call.gateway_arn,
                call.operation,
                facts.kind,
                facts.code,
                facts.request_id,
                call.attempts,
                delay,
            )
        )

    def _check_stopped(self, call: Call) -> None:
        if self.stopped:
            raise self._given_up(call)

    def _given_up(self, call: Call) -> GivenUp:
        assert self.stopped is not None
        return GivenUp(CallFailed.of(self.stopped, STOPPED[self.stopped], sent=False), call.attempts)
