"""How fast one target may be asked, learnt from its answers. All times are seconds of one monotonic clock."""

from __future__ import annotations

from bisect import bisect_right, insort

# Calls in flight grow 1, 2, 4, 8 by round trip, as long as nothing was throttled.
# What is in flight when the bucket runs dry is throttled, so more than 8 must first be earned by answers.
CAUTIOUS_WINDOW = 8
CAUTIOUS_ANSWERS = 128

FIRST_PAUSE = 0.01  # seconds after a first throttle, at least; the further ones grow from it
LONGEST_PAUSE = 30.0  # seconds between calls to a target that admits nothing
SURE = 8  # calls admitted between two throttles that make a rate more than a guess
HEADROOM = (
    0.01  # above the measured rate: the next throttle, which measures again, comes after about 100 calls
)
TIGHT = (
    0.03  # less headroom, when throttles come close together: a bucket of one token forgives no early call
)
TIGHTEST = -0.3
RESERVE = 2.0  # tokens let into the bucket after a throttle, so that jitter does not meet it empty
HISTORY = 256  # admitted calls that are remembered


class Pace:
    """How fast one target may be asked; learnt from its answers.

    A throttle says "the bucket is empty now". So the calls admitted between two throttles, divided by
    the time between them, are the rate at which it refills. All the rest places the second throttle well.
    """

    def __init__(self) -> None:
        self.rate: float | None = None  # calls a second; None as long as nothing was throttled
        self.measured = 0.0  # calls a second, from the last two throttles
        self._sure = 0  # admitted calls behind `measured`; 0 while it is a guess
        self._headroom = HEADROOM
        self._in_flight = 0
        self._window = 1.0  # calls in flight, before the first throttle
        self._answers = 0
        self._round_trip = 0.0  # shortest seen, seconds
        self._next_at = float("-inf")
        self._cut_at = float("-inf")  # throttles of calls sent before it are known already
        self._empty_from = 0.0  # when the calls of the first throttle (of the two) were sent
        self._empty_at = 0.0  # ... and of the latest
        self._before: list[
            float
        ] = []  # when calls were sent that were admitted before the first throttle ever
        self._since: list[float] = []  # ... after `_empty_from`
        self._capacity: float | None = None  # of the bucket, tokens

    def ready_at(self, now: float) -> float | None:
        """The earliest moment of the next call (`now` or later); None: not before an answer."""
        if self.rate is None:
            return now if self._in_flight < int(self._window) else None
        if self._in_flight and not self._sure and not self._since:
            return None  # a guess from nothing: the answers under way say more than another call
        return max(now, self._next_at)

    def sent(self, now: float) -> None:
        """A call starts."""
        self._in_flight += 1
        if self.rate is not None:
            # Lateness of up to one pause is made up for: timers and busy workers must not lower the rate.
            self._next_at = max(self._next_at, now - 1 / self.rate) + 1 / self.rate

    def admitted(self, sent_at: float, now: float) -> None:
        """A call was answered, and not throttled."""
        self._answered(sent_at, now)
        if self.rate is None:
            insort(self._before, sent_at)
            del self._before[:-HISTORY]
            if self._window < CAUTIOUS_WINDOW or self._answers > CAUTIOUS_ANSWERS:
                self._window += 1
            return
        if sent_at < self._empty_from:
            return  # before the window that is being measured
        insort(self._since, sent_at)
        del self._since[:-HISTORY]
        self._grow(sent_at)

    def throttled(self, sent_at: float, now: float, retry_after: float | None = None) -> None:
        """A call was refused for coming too early; `retry_after` seconds are what the answer asks for."""
        self._answered(sent_at, now)
        late = sent_at < self._cut_at
        if self.rate is None:
            self._empty_from = sent_at
            split = bisect_right(self._before, sent_at)
            self._before, self._since = self._before[:split], self._before[split:]
        if not late:
            self._cut_at = now
        if not late or not self._sure:
            self._empty_at = max(self._empty_at, sent_at) if late else sent_at
            self._measure(now)
        if retry_after is not None:
            self._next_at = max(self._next_at, now + retry_after)

    def lost(self, now: float) -> None:
        """A call ended without an answer: it says nothing about the pace."""
        self._in_flight -= 1

    def _answered(self, sent_at: float, now: float) -> None:
        self._in_flight -= 1
        self._answers += 1
        round_trip = now - sent_at
        self._round_trip = round_trip if self._answers == 1 else min(self._round_trip, round_trip)

    def _grow(self, sent_at: float) -> None:
        assert self.rate is not None
        count = len(self._since)
        if self._sure:
            # Flat for about as long as a throttle should take to come, then ever steeper: the rate has risen.
            patience = max(self._sure, 40)
            self.rate = max(self.rate, self.measured * (1 + self._headroom + 0.1 * (count / patience) ** 3))
        elif count == 1:
            self.rate = max(self.rate, 1 / max(sent_at - self._empty_from, FIRST_PAUSE))
        else:
            self.rate *= 1 + 1 / (count + 1)

    def _measure(self, now: float) -> None:
        """Set the rate from the calls admitted between two throttles."""
        count = bisect_right(self._since, self._empty_at)
        if self._sure:
            if count < 20:
                self._headroom = max(min(self._headroom, 0) - TIGHT, TIGHTEST)
            elif count > 100:
                self._headroom = min(self._headroom + 0.01, HEADROOM)
        rate = self._fit(count) if count else 0.5 / max(self._empty_at - self._empty_from, FIRST_PAUSE / 2)
        if self.rate is not None:
            rate = min(rate, self.rate)
        rate = max(rate, 1 / LONGEST_PAUSE)
        self.rate = self.measured = rate
        self._sure = count if count >= SURE else 0
        if self._sure:
            self._capacity = self._capacity_at(rate)
            self._empty_from = self._empty_at
            del self._since[:count]
            self.rate *= 1 + self._headroom
            self._next_at = now + RESERVE / rate
        else:
            self._next_at = self._empty_at + 1 / rate

    def _fit(self, count: int) -> float:
        """The rate of the bucket, empty at both throttles, that admits the `count` calls between."""
        low = 0.5 * count / max(self._empty_at - self._empty_from, 1e-3)
        high = 32 * low
        for _ in range(20):
            middle = (low * high) ** 0.5
            if self._level(middle, count) > 1:
                high = middle
            else:
                low = middle
        return low

    def _level(self, rate: float, count: int) -> float:
        """Tokens left at the latest throttle if the bucket refills at `rate`, overflow included."""
        capacity = self._capacity_at(rate)
        level, moment = 0.5, self._empty_from
        for sent_at in self._since[:count]:
            level = max(min(capacity, level + rate * (sent_at - moment)) - 1, 0.0)
            moment = sent_at
        return min(capacity + 0.5, level + rate * (self._empty_at - moment))

    def _capacity_at(self, rate: float) -> float:
        """Tokens that a bucket with this rate held, full at the start and empty at the first throttle."""
        if self._capacity is not None:
            return self._capacity
        end = self._before[-1] if self._before else 0.0
        total = len(self._before)
        return max((total - i - rate * (end - at) for i, at in enumerate(self._before)), default=1.0)
