"""Which calls are retried, when, and how often."""

import random
from dataclasses import dataclass

from scanner.config.settings import RetrySettings
from scanner.inventory.records import FailureKind
from scanner.service.errors import FailureFacts

RATIONED = frozenset({FailureKind.NETWORK, FailureKind.TIMEOUT})
"""Failures whose retries are limited by a target's retry budget: the endpoint may be dead."""
BUDGET = 40.0
"""Retries that each target has at first."""
EARNED = 0.5
"""Retries that each success adds: a target that answers half of its calls is still read."""


class RetryBudget:
    """How many retries one target has left, so that a dead target costs seconds and not hours."""

    def __init__(self, most: float = BUDGET) -> None:
        self._most = self._left = most

    def earn(self) -> None:
        self._left = min(self._most, self._left + EARNED)

    def spend(self) -> bool:
        """Takes one retry; False when none is left."""
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Full jitter: a delay between nothing and a bound that doubles with each attempt, in seconds."""

    max_attempts: int
    base_delay: float
    max_delay: float

    @classmethod
    def of(cls, settings: RetrySettings) -> "RetryPolicy":
        return cls(
            settings.max_attempts, settings.base_delay.total_seconds(), settings.max_delay.total_seconds()
        )

    def delay(
        self, facts: FailureFacts, attempts: int, dice: random.Random, *, admits: bool = True
    ) -> float | None:
        """Seconds until the next try of a call that failed `attempts` times; None: there is none.

        `admits`: the target admits other calls, although it throttled this one.
        """
        if not facts.retryable or attempts >= self.max_attempts:
            return None
        if facts.kind is FailureKind.THROTTLED and admits:
            # The rate limiter spaces the calls already; a delay on top would leave tokens unused.
            return facts.retry_after or 0.0
        bound = min(self.max_delay, self.base_delay * 2 ** min(attempts - 1, 32))
        return max(dice.uniform(0, bound), facts.retry_after or 0.0)
