"""What is tried again, when, and when a target has had enough."""

import random
from dataclasses import dataclass

from scanner.config.settings import RetrySettings
from scanner.inventory.records import FailureKind
from scanner.service.errors import FailureFacts

RATIONED = frozenset({FailureKind.NETWORK, FailureKind.TIMEOUT})
"""Failures whose retries a target has only so many of: they may mean that nobody is there."""
BUDGET = 40.0
"""Of such retries, beyond those that a target's own successes earn."""
EARNED = 0.5
"""Of a retry, for each call that succeeded: a target that answers half the time is still read."""


class RetryBudget:
    """How many more retries one target is worth, so that a dead one costs seconds and not hours."""

    def __init__(self, most: float = BUDGET) -> None:
        self._most = self._left = most

    def earn(self) -> None:
        self._left = min(self._most, self._left + EARNED)

    def spend(self) -> bool:
        """Take one retry; False when none is left."""
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
            # The target's rate limiter says when; a delay on top would leave its bucket unused.
            return facts.retry_after or 0.0
        bound = min(self.max_delay, self.base_delay * 2 ** min(attempts - 1, 32))
        return max(dice.uniform(0, bound), facts.retry_after or 0.0)
