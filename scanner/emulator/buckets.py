"""Token buckets: how fast an account may be asked in a Region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .errors import throttled
from .fleet import Bucket


@dataclass(slots=True)
class _Level:
    tokens: float
    filled_at: float


class Limits:
    """The live state of the fleet's limits; a limit that matches is charged, the first empty one refuses."""

    def __init__(self, limits: list[Bucket], monotonic: Callable[[], float]) -> None:
        self.limits = limits
        self._monotonic = monotonic
        self._started = monotonic()
        self._levels: dict[tuple[int, str, str, str], _Level] = {}
        self.throttled = 0

    def _rate(self, limit: Bucket, elapsed: float) -> float:
        rate = limit.rate
        for since, changed in limit.changes:
            if elapsed >= since:
                rate = changed
        return rate

    def charge(self, service: str, operation: str, account_id: str, region: str) -> None:
        """Takes a token from every bucket that applies, or throttles."""
        if not self.limits:
            return
        now = self._monotonic()
        for number, limit in enumerate(self.limits):
            if (
                limit.service != service
                or (limit.operations and operation not in limit.operations)
                or (limit.accounts and account_id not in limit.accounts)
                or (limit.regions and region not in limit.regions)
            ):
                continue
            key = (number, account_id, region, operation if limit.per_operation else "")
            level = self._levels.get(key)
            if level is None:
                level = self._levels[key] = _Level(limit.burst, now)
            rate = self._rate(limit, now - self._started)
            level.tokens = min(limit.burst, level.tokens + (now - level.filled_at) * rate)
            level.filled_at = now
            if level.tokens < 1:
                self.throttled += 1
                raise throttled(service)
            level.tokens -= 1
