"""The levels of the fleet's token buckets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..fleets.buckets import Bucket
from ..protocol.errors import throttled
from ..protocol.service_models import ServiceModel


@dataclass(slots=True)
class _Level:
    tokens: float
    filled_at: float


class TokenBuckets:
    """Charges every bucket that a call belongs to; the first empty one throttles it."""

    def __init__(self, buckets: list[Bucket], monotonic: Callable[[], float]) -> None:
        self.buckets = buckets
        self._monotonic = monotonic
        self._started = monotonic()
        self._levels: dict[tuple[int, str, str, str], _Level] = {}
        self.throttled = 0

    def _rate(self, bucket: Bucket, elapsed: float) -> float:
        rate = bucket.rate
        for since, changed in bucket.changes:
            if elapsed >= since:
                rate = changed
        return rate

    def charge(self, service: ServiceModel, operation: str, account_id: str, region: str) -> None:
        """Takes a token from every bucket that applies, or throttles."""
        if not self.buckets:
            return
        now = self._monotonic()
        for number, bucket in enumerate(self.buckets):
            if (
                bucket.service != service.name
                or (bucket.operations and operation not in bucket.operations)
                or (bucket.accounts and account_id not in bucket.accounts)
                or (bucket.regions and region not in bucket.regions)
            ):
                continue
            key = (number, account_id, region, operation if bucket.per_operation else "")
            level = self._levels.get(key)
            if level is None:
                level = self._levels[key] = _Level(bucket.burst, now)
            rate = self._rate(bucket, now - self._started)
            level.tokens = min(bucket.burst, level.tokens + (now - level.filled_at) * rate)
            level.filled_at = now
            if level.tokens < 1:
                self.throttled += 1
                raise throttled(service)
            level.tokens -= 1
