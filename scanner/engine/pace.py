"""How fast one target may be asked, learnt from its answers. All times are seconds of one monotonic clock."""

from __future__ import annotations

from bisect import insort
from math import inf, sqrt

# Calls in flight grow 1, 2, 4, 8 by round trip, as long as nothing was throttled.
# What is in flight when the bucket runs dry is throttled, so more than 8 must first be earned by answers.
CAUTIOUS_WINDOW = 8
CAUTIOUS_ANSWERS = 128

FIRST_PAUSE = 0.01  # seconds from the first throttle to the next try, at least
FASTEST = 200.0  # calls a second: buckets that refill faster may wait a little too long for a first try
LONGEST_PAUSE = 30.0  # seconds between calls to a target that admits nothing
SURE = 1.2  # highest possible rate / lowest possible rate, from which on a rate is more than a guess
HEADROOM = (
    0.01  # above the measured rate: the next throttle, which measures again, comes after about 100 calls
)
TIGHT = (
    0.03  # less headroom, when throttles come close together: a bucket of one token forgives no early call
)
TIGHTEST = -0.3
RESERVE = 2.0  # tokens let into the bucket after a throttle, so that jitter does not meet it empty
MANY = 8  # calls admitted between two throttles that make a rate more than a guess
SLACK = 0.05  # tokens by which an answer may contradict a rate: latencies vary
HISTORY = 200  # answers that are remembered


class Pace:
    """How fast one target may be asked; learnt from its answers.

    A throttle says "the bucket is empty now". So the calls admitted between two throttles, divided by
    the time between them, are the rate at which it refills. All the rest places the second throttle well.
    """

    def __init__(self) -> None:
        self.rate: float | None = None  # calls a second; None as long as nothing was throttled
        self.measured = 0.0  # calls a second: what the answers since `_empty_at` tell
        self._highest = inf  # calls a second that the answers do not exclude
        self._sure = False  # whether `measured` is more than a guess
        self._headroom = HEADROOM
        self._in_flight = 0
        self._window = 1  # calls in flight, before the first throttle
        self._answers = 0
        self._round_trip = inf  # shortest seen, seconds
        self._next_at = -inf
        self._cut_at = -inf  # throttles of calls sent before it are known already
        self._pause = FIRST_PAUSE
        self._patience = 100.0  # admitted calls after which a throttle is overdue
        self._drain = False  # whether the answers under way are awaited before the next call
        self._count = 0  # calls admitted since the last cut
        self._empty_at = 0.0  # when a call was sent that was throttled, and with which the measuring begins
        self._before: list[float] = []  # when calls were sent that were admitted before the first throttle
        self._since: list[
            tuple[float, bool]
        ] = []  # calls sent after `_empty_at`, and whether they were throttled
        self._capacity: float | None = None  # of the bucket, tokens

    def ready_at(self, now: float) -> float | None:
        """The earliest moment of the next call (`now` or later); None: not before an answer."""
        if self.rate is None:
            return now if self._in_flight < self._window else None
        if self._drain:
            return None
        return max(now, self._next_at)

    def sent(self, now: float) -> None:
        """A call starts."""
        self._in_flight += 1
        if self.rate is not None:
            self._next_at = max(self._next_at, now) + 1 / self.rate
            if not self._sure and not self._count:
                self._drain = True  # nothing is known yet: one call at a time

    def admitted(self, sent_at: float, now: float) -> None:
        """A call was answered, and not throttled."""
        self._answered(sent_at, now)
        if self.rate is None:
            insort(self._before, sent_at)
            del self._before[:-HISTORY]
            if self._window < CAUTIOUS_WINDOW or self._answers > CAUTIOUS_ANSWERS:
                self._window += 1
            return
        if sent_at > self._empty_at:
            insort(self._since, (sent_at, False))
            del self._since[:-HISTORY]
            self._count += 1
            if not self._drain:
                self._grow()
        self._drained(now)

    def throttled(self, sent_at: float, now: float, retry_after: float | None = None) -> None:
        """A call was refused for coming too early; `retry_after` seconds are what the answer asks for."""
        self._answered(sent_at, now)
        late = sent_at < self._cut_at
        if self.rate is None:
            self._empty_at = sent_at
            self._since = [(at, False) for at in self._before if at > sent_at]
            self._before = [at for at in self._before if at <= sent_at]
            self.rate = self.measured = 1 / FIRST_PAUSE
            # As long as the bucket does not overflow at 200 tokens a second, a pause costs nothing.
            free = 0.1 * (len(self._before) / FASTEST - (sent_at - self._before[0])) if self._before else 0.0
            self._pause = max(FIRST_PAUSE, free)
            self._drain = True
            self._cut_at = now
        else:
            if sent_at > self._empty_at:
                insort(self._since, (sent_at, True))
                del self._since[:-HISTORY]
            if not late:
                self._cut_at = now
                self._cut(sent_at, now)
        self._drained(now)
        if retry_after is not None:
            self._next_at = max(self._next_at, now + retry_after)

    def lost(self, now: float) -> None:
        """A call ended without an answer: it says nothing about the pace."""
        self._in_flight -= 1
        self._drained(now)

    def _answered(self, sent_at: float, now: float) -> None:
        self._in_flight -= 1
        self._answers += 1
        self._round_trip = min(self._round_trip, now - sent_at)

    def _grow(self) -> None:
        """Go faster, after a call that was admitted."""
        assert self.rate is not None
        if self._sure:
            # Flat for about as long as a throttle should take to come, then ever steeper: the rate has risen.
            growth = 0.1 * (self._count / self._patience) ** 3
            self.rate = max(self.rate, self.measured * (1 + self._headroom + growth))
            return
        step = 1 + 1 / (self._count + 1)
        if self.rate < self._highest:
            step = min(step, sqrt(self._highest / self.rate))
        # What is sent before the answers to it come must not grow more than twofold.
        self.rate *= max(1.02, min(step, 2 ** (1 / max(1.0, self.rate * self._round_trip))))

    def _cut(self, sent_at: float, now: float) -> None:
        """Measure, and slow down, at a throttle that tells something new."""
        assert self.rate is not None
        lowest, highest = self._bracket()
        self._highest = highest
        count = self._since_count()
        if highest <= SURE * lowest or count >= MANY:
            self._settle(max(sqrt(lowest * highest), highest * count / (count + 1)), sent_at, now)
        elif self._sure and highest > 0.8 * self.measured:
            self._settle(min(highest, self.measured), sent_at, now)
        else:
            self._sure = False
            self._drain = True

    def _settle(self, rate: float, sent_at: float, now: float) -> None:
        if self._sure:
            if self._count < 20:
                self._headroom = max(min(self._headroom, 0) - TIGHT, TIGHTEST)
            elif self._count > 100:
                self._headroom = min(self._headroom + 0.01, HEADROOM)
            self._patience = min(self._patience * 2, 100)
        else:
            self._patience = min(max(20, 2 * self._count), 100)
        self._sure = True
        self._capacity = self._capacity_at(rate)
        self.measured = rate = min(rate, self.rate or rate)
        self.rate = rate * (1 + self._headroom)
        self._next_at = now + min(RESERVE, self._capacity + 1) / rate
        self._empty_at = sent_at
        self._since = [answer for answer in self._since if answer[0] > sent_at]
        self._count = self._since_count()

    def _drained(self, now: float) -> None:
        """Set the guess once every answer is there."""
        if not self._drain or self._in_flight:
            return
        self._drain = False
        assert self.rate is not None
        lowest, highest = self._bracket()
        self._highest = highest
        throttles = [at for at, refused in self._since if refused]
        count = self._since_count()
        if throttles and (highest <= SURE * lowest or count >= MANY):
            self._settle(max(sqrt(lowest * highest), highest * count / (count + 1)), throttles[-1], now)
            return
        last = self._since[-1][0] if self._since else self._empty_at
        span = max(last - self._empty_at, self._pause / 2)
        rate = (
            min(highest * count / (count + 1), 0.7 * self.rate, 3 * count / span)
            if count
            else min(0.5 / span, self.rate)
        )
        self.rate = self.measured = max(rate, 1 / LONGEST_PAUSE)
        self._next_at = max(self._next_at, last + 1 / self.rate)

    def _since_count(self) -> int:
        return sum(not refused for _, refused in self._since)

    def _bracket(self) -> tuple[float, float]:
        """The lowest and the highest rate that the answers since `_empty_at` allow."""
        if not self._since:
            return 0.0, inf
        span = max(self._since[-1][0] - self._empty_at, 1e-3)
        count = self._since_count()
        bounds = []
        for wanted in (-1, 0):
            low, high = 0.1 / span, 100 * (count + 1) / span
            for _ in range(18):
                middle = sqrt(low * high)
                if self._verdict(middle) <= wanted:
                    low = middle
                else:
                    high = middle
            bounds.append(sqrt(low * high))
        return (bounds[0] if count else 0.0), bounds[1]

    def _verdict(self, rate: float) -> int:
        """Whether a bucket refilled at `rate` contradicts the answers: -1 too slow, 1 too fast, 0 neither."""
        capacity = self._capacity_at(rate)
        least, most, moment = 0.0, 1.0, self._empty_at  # tokens
        for sent_at, refused in self._since:
            gain, moment = rate * (sent_at - moment), sent_at
            least, most = least + gain, min(most + gain, capacity + 1)
            if not refused:
                if most < 1 - SLACK:
                    return -1
                least, most = max(min(least, max(capacity, 1.0)) - 1, 0.0), max(most - 1, 0.0)
            else:
                if least > 1 + SLACK:
                    return 1
                least, most = min(least, 1.0), min(most, 1.0)
        return 0

    def _capacity_at(self, rate: float) -> float:
        """Tokens that a bucket with this rate holds (or up to one more): full at the start, then emptied."""
        if self._capacity is not None:
            return self._capacity
        total = len(self._before)
        spans = (total - i - rate * (self._empty_at - at) for i, at in enumerate(self._before))
        return max(0.0, max(spans, default=0.0))
