"""Keeps accounts signed in. Each step is a call like any other, made once for all who need it."""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field
from math import inf

from scanner.engine.calls.calls import Call, Calls, GivenUp
from scanner.engine.calls.retry import RetryBudget
from scanner.engine.calls.scheduler import CallQueue
from scanner.inventory.records import FailureKind
from scanner.service.errors import CallFailed
from scanner.service.protocol import Service, SignIn

MOST_ROUNDS = 20
"""Steps done in a row for one account; more would mean that each ends before the next is done."""


@dataclass(slots=True)
class SignIns:
    """The sign-ins of one scan. Callers that need the same step share one call and its result."""

    service: Service
    calls: Calls
    _queues: dict[Hashable, CallQueue] = field(default_factory=dict)
    _under_way: dict[Hashable, "asyncio.Future[None]"] = field(default_factory=dict)

    async def ensure(self, steps: tuple[SignIn, ...]) -> None:
        """Does those of `steps` that are needed, in order; raises GivenUp for the first that fails."""
        for _ in range(MOST_ROUNDS):
            missing = next((step for step in steps if not self.service.signed_in(step)), None)
            if missing is None:
                return
            await self._once(missing, steps[: steps.index(missing)])
        raise GivenUp(
            CallFailed.of(FailureKind.CREDENTIALS, "the credentials end as soon as they are there"), 0
        )

    async def _once(self, step: SignIn, below: tuple[SignIn, ...]) -> None:
        pending = self._under_way.get(step.identity)
        if pending is not None:
            await asyncio.shield(pending)
            return
        pending = self._under_way[step.identity] = asyncio.get_running_loop().create_future()
        try:
            await self._sign_in(step, below)
            pending.set_result(None)
        except GivenUp as failure:
            pending.set_exception(failure)
            # Marks the exception as retrieved: asyncio logs one that no task has awaited.
            pending.exception()
            raise
        finally:
            del self._under_way[step.identity]
            pending.cancel()

    async def _sign_in(self, step: SignIn, below: tuple[SignIn, ...]) -> None:
        async def prepare() -> None:
            await self.ensure(below)

        async def perform() -> None:
            await self.service.sign_in(step)

        call = Call(step.operation, self._queue(step), counted=False, prepare=prepare if below else None)
        try:
            await self.calls.send(call, perform)
        except GivenUp as failure:
            facts = failure.facts
            named = failure.error.but(operation=facts.operation or step.operation)
            raise GivenUp(named, failure.attempts) from None

    def _queue(self, step: SignIn) -> CallQueue:
        if step.limiter not in self._queues:
            # All accounts share it, so a retry budget would be shared, too; the circuit breaker bounds it.
            name = " of ".join(str(part) for part in _parts(step.limiter))
            self._queues[step.limiter] = self.calls.queue(("sign-in", step.limiter), name, RetryBudget(inf))
        return self._queues[step.limiter]


def _parts(limiter: Hashable) -> tuple[object, ...]:
    if isinstance(limiter, tuple):
        return limiter
    return (limiter or "the SDK's credentials",)
