"""What else could pace a target: the SDK's adaptive mode and the textbook's halving, in virtual time."""

from botocore.retries.adaptive import ClientRateLimiter, RateClocker
from botocore.retries.bucket import Clock, TokenBucket
from botocore.retries.throttling import CubicCalculator

WINDOW = 8  # calls in flight at most until the first throttle


class SlowStart:
    """Calls in flight grow 1, 2, 4, 8 by round trip until the first throttle; the same for both rivals."""

    def __init__(self) -> None:
        self.window, self.in_flight = 1, 0

    def sent(self, now: float) -> None:
        self.in_flight += 1

    def answered(self) -> None:
        self.in_flight -= 1
        self.window = min(self.window + 1, WINDOW)

    def ready_at(self, now: float) -> float | None:
        return now if self.in_flight < self.window else None


class Aimd:
    """Half the rate on a throttle, one call a second more for each second without one.

    Throttles of calls that were under way at the last halving are passed over, or it would be a collapse.
    """

    refuses = False

    def __init__(self, first_rate: float = 100.0, step: float = 1.0) -> None:
        self.rate: float | None = None
        self._first_rate, self._step = first_rate, step
        self._start = SlowStart()
        self._next_at = self._cut_at = 0.0

    def ready_at(self, now: float) -> float | None:
        return self._start.ready_at(now) if self.rate is None else max(now, self._next_at)

    def sent(self, now: float) -> None:
        self._start.sent(now)
        if self.rate is not None:
            self._next_at = max(self._next_at, now) + 1 / self.rate

    def admitted(self, sent_at: float, now: float) -> None:
        self._start.answered()
        if self.rate is not None:
            self.rate += self._step / self.rate

    def throttled(self, sent_at: float, now: float, retry_after: float | None = None) -> None:
        self._start.answered()
        if sent_at < self._cut_at:
            return
        self.rate = self._first_rate if self.rate is None else max(self.rate / 2, 0.1)
        self._cut_at, self._next_at = now, now + 1 / self.rate


class _SetClock(Clock):
    def __init__(self) -> None:
        self.now = 0.0

    def current_time(self) -> float:
        return self.now


class Adaptive:
    """botocore's own parts of its retry mode `adaptive`: its CUBIC, its rate clock, its token bucket."""

    refuses = False

    def __init__(self) -> None:
        self._clock = _SetClock()
        self._bucket = TokenBucket(max_rate=1, clock=self._clock)
        self._cubic = CubicCalculator(starting_max_rate=0, start_time=0)
        self._seen = RateClocker(self._clock)
        self._start = SlowStart()
        self._enabled = False

    @property
    def rate(self) -> float | None:
        rate: float = self._bucket.max_rate
        return rate if self._enabled else None

    def ready_at(self, now: float) -> float | None:
        self._clock.now = now
        if not self._enabled:
            return self._start.ready_at(now)
        self._bucket.acquire(0, block=False)
        missing = 1 - self._bucket.available_capacity
        return now + max(0.0, missing) / self._bucket.max_rate if missing > 1e-9 else now

    def sent(self, now: float) -> None:
        self._clock.now = now
        self._start.sent(now)
        if self._enabled:
            self._bucket.acquire(min(1, self._bucket.available_capacity), block=False)

    def admitted(self, sent_at: float, now: float) -> None:
        self._answer(now, throttled=False)

    def throttled(self, sent_at: float, now: float, retry_after: float | None = None) -> None:
        self._answer(now, throttled=True)

    def _answer(self, now: float, *, throttled: bool) -> None:
        self._start.answered()
        self._clock.now = now
        seen = self._seen.record()
        if throttled:
            rate = min(seen, self._bucket.max_rate) if self._enabled else seen
            new_rate = self._cubic.error_received(rate, now)
            self._enabled = True
        else:
            new_rate = self._cubic.success_received(now)
        self._bucket.max_rate = min(new_rate, ClientRateLimiter._MAX_RATE_ADJUST_SCALE * seen)
