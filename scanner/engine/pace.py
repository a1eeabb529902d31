"""How fast one target may be asked, learnt from its answers. All times are seconds of one monotonic clock."""

from __future__ import annotations

from bisect import insort
from math import inf, sqrt

# Until the first throttle, calls in flight grow 1, 2, 4, then to 8, then to an eighth of the answers:
# whatever is in flight when the bucket runs dry is throttled, so more must first be earned.
FIRST_WINDOW, FIRST_ANSWERS = 4, 24
NEXT_WINDOW, ANSWERS_PER_CALL_IN_FLIGHT = 8, 8

FIRST_PAUSE = 0.01  # seconds from the first throttle to the next try, at least
FREE_PAUSE = 0.1  # ... and at most, as long as no bucket overflows meanwhile that refills at FASTEST
FASTEST = 200.0  # calls a second
LONGEST_PAUSE = 30.0  # seconds between calls to a target that admits nothing
SURE = 1.4  # highest possible rate / lowest possible rate, up to which a rate is more than a guess
DOUBLINGS = 4  # of a guess, as long as nothing is throttled
ENOUGH = 4  # calls admitted between two throttles, without which it stays a guess
MANY = 8  # calls admitted between two throttles that make a rate more than a guess
MARGIN = 0.01  # below the measured rate: the reserve lasts, and the next throttle takes its time
TIGHT = 0.03  # more margin, each time throttles come close together: a bucket of one token forgives nothing
WIDEST_MARGIN = 0.3
CLOSE, APART = 20, 100  # calls admitted between two throttles that widen and narrow the margin
PATIENCE = 80  # calls admitted at a steady rate before a faster one is tried
RESERVE = 2.0  # tokens let into the bucket after a throttle, so that jitter does not meet it empty
SLACK = 0.05  # tokens by which an answer may contradict a rate: latencies vary
HISTORY = 200  # answers that are remembered


class Pace:
    """How fast one target may be asked; learnt from its answers.

    A throttle says "the bucket is empty now". So the calls admitted between two throttles, divided by
    the time between them, are the rate at which it refills. All the rest places the second throttle well.
    """

    __slots__ = (
        "_answers",
        "_count",
        "_cut_at",
        "_drain",
        "_evidence",
        "_first_cut_at",
        "_highest",
        "_in_flight",
        "_margin",
        "_next_at",
        "_pause",
        "_round_trip",
        "_sure",
        "_window",
        "measured",
        "rate",
    )

    def __init__(self) -> None:
        self.rate: float | None = None  # calls a second; None as long as nothing was throttled
        self.measured = 0.0  # calls a second: what the answers tell
        self._evidence = Evidence()
        self._highest = inf  # calls a second that the answers do not exclude
        self._sure = False  # whether `measured` is more than a guess
        self._margin = MARGIN
        self._in_flight = 0
        self._window = 1  # calls in flight, before the first throttle
        self._answers = 0
        self._round_trip = inf  # shortest seen, seconds
        self._next_at = -inf
        self._first_cut_at = -inf  # when the first throttle became known
        self._cut_at = -inf  # throttles of calls sent before it are known already
        self._pause = FIRST_PAUSE
        self._drain = False  # whether the answers under way are awaited before the next call
        self._count = 0  # calls admitted since the last cut

    def ready_at(self, now: float) -> float | None:
        """The earliest moment of the next call (`now` or later); None: not before an answer."""
        if self.rate is None:
            return now if self._in_flight < self._window else None
        return None if self._drain else max(now, self._next_at)

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
            self._evidence.before(sent_at, throttled=False)
            earned = max(NEXT_WINDOW, self._answers // ANSWERS_PER_CALL_IN_FLIGHT)
            self._window = min(self._window + 1, FIRST_WINDOW if self._answers < FIRST_ANSWERS else earned)
            return
        if sent_at < self._first_cut_at:
            self._evidence.before(sent_at, throttled=False)
        elif self._evidence.add(sent_at, throttled=False):
            self._count += 1
            if not self._drain:
                self._grow(self.rate)
        self._guess_when_drained(self.rate, now)

    def throttled(self, sent_at: float, now: float, retry_after: float | None = None) -> None:
        """A call was refused for coming too early; `retry_after` seconds are what the answer asks for."""
        self._answered(sent_at, now)
        if self.rate is None:
            self._evidence.before(sent_at, throttled=True)
            self._pause = max(FIRST_PAUSE, min(self._evidence.time_to_refill(FASTEST), FREE_PAUSE))
            self.rate = self.measured = 1 / FIRST_PAUSE
            self._drain = True
            self._first_cut_at = self._cut_at = now
        elif sent_at < self._first_cut_at:
            self._evidence.before(sent_at, throttled=True)
        else:
            self._evidence.add(sent_at, throttled=True)
            if sent_at >= self._cut_at:
                self._cut_at = now
                self._cut(self.rate, sent_at, now)
        self._guess_when_drained(self.rate, now)
        if retry_after is not None:
            self._next_at = max(self._next_at, now + retry_after)

    def lost(self, now: float) -> None:
        """A call ended without an answer: it says nothing about the pace."""
        self._in_flight -= 1
        if self.rate is not None:
            self._guess_when_drained(self.rate, now)

    def _answered(self, sent_at: float, now: float) -> None:
        self._in_flight -= 1
        self._answers += 1
        self._round_trip = min(self._round_trip, now - sent_at)

    def _grow(self, rate: float) -> None:
        """Go faster, after a call that was admitted."""
        if self._sure:
            # Flat for long, then ever steeper: where no throttle comes, the target's rate has risen.
            growth = 0.05 * (self._count / PATIENCE) ** 4
            self.rate = max(rate, self.measured * (1 - self._margin + growth))
            return
        step = 2.0
        if self._count > DOUBLINGS or rate > self._highest / 4:
            step = min(1 + 1 / (self._count + 1), sqrt(max(1.0, self._highest / rate)))
        # What is sent before the answers to it come must not grow more than twofold.
        self.rate = rate * max(1.02, min(step, 2 ** (1 / max(1.0, rate * self._round_trip))))

    def _cut(self, rate: float, sent_at: float, now: float) -> None:
        """Measure, and slow down, at a throttle that tells something new."""
        measured = self._measure()
        if measured is not None:
            self._settle(min(measured, rate), sent_at, now)
        elif self._sure and self._highest > 0.8 * self.measured:
            self._settle(min(self._highest, self.measured, rate), sent_at, now)
        else:
            self._sure = False
            self._drain = True

    def _measure(self) -> float | None:
        """The rate that the answers tell; None while it would be a mere guess."""
        lowest, self._highest = self._evidence.bracket()
        count = self._evidence.admitted
        if (self._highest <= SURE * lowest and count >= ENOUGH) or count >= MANY:
            return max(sqrt(lowest * self._highest), self._highest * count / (count + 1))
        return None

    def _settle(self, rate: float, throttled_at: float, now: float) -> None:
        """Go on a little below a rate that is measured."""
        if self._sure and self._count < CLOSE:
            self._margin = min(self._margin + TIGHT, WIDEST_MARGIN)
        elif self._sure and self._count > APART:
            self._margin = max(self._margin - MARGIN, MARGIN)
        self._sure = True
        self.measured = rate
        self.rate = rate * (1 - self._margin)
        capacity = self._evidence.start_again(throttled_at, rate)
        self._next_at = max(self._next_at, now + min(RESERVE, capacity + 1) / rate)
        self._count = self._evidence.admitted

    def _guess_when_drained(self, rate: float, now: float) -> None:
        """Once every answer is there, and they do not tell the rate, try one that they do not exclude."""
        if not self._drain or self._in_flight:
            return
        self._drain = False
        measured = self._measure()
        throttled_at = self._evidence.last_throttle
        if measured is not None and throttled_at is not None:
            self._settle(min(measured, rate), throttled_at, now)
            return
        count, last_at = self._evidence.admitted, self._evidence.last_at
        span = max(last_at - self._evidence.empty_at, self._pause / 2)
        if count:
            guess = min(self._highest * count / (count + 1), 0.7 * rate, 3 * count / span)
        else:
            guess = min(0.5 / span, rate)
        self.rate = self.measured = max(guess, 1 / LONGEST_PAUSE)
        self._next_at = max(self._next_at, last_at + 1 / self.rate)


class Evidence:
    """What is known of a target's bucket: when it was empty, and the answers since."""

    __slots__ = ("_before", "_capacity", "_since", "admitted", "empty_at")

    def __init__(self) -> None:
        self.empty_at = -inf  # when a call was sent that was throttled, and with which the measuring begins
        self.admitted = 0  # calls since then
        self._since: list[tuple[float, bool]] = []  # calls sent since then, and whether they were throttled
        self._before: list[float] = []  # when calls were sent that were admitted before the first throttle
        self._capacity: float | None = None  # of the bucket, tokens

    @property
    def last_at(self) -> float:
        """When the last call was sent that is known."""
        return self._since[-1][0] if self._since else self.empty_at

    @property
    def last_throttle(self) -> float | None:
        """When the last call since `empty_at` was sent that was throttled."""
        return next((at for at, throttled in reversed(self._since) if throttled), None)

    def before(self, sent_at: float, *, throttled: bool) -> None:
        """An answer to a call sent before any throttle was known: the bucket ran dry at the last of them."""
        self.empty_at = max(self.empty_at, sent_at)
        if not throttled:
            insort(self._before, sent_at)
            del self._before[:-HISTORY]

    def add(self, sent_at: float, *, throttled: bool) -> bool:
        """An answer; False if it is no news because the call was sent before the bucket was empty."""
        if sent_at <= self.empty_at:
            return False
        insort(self._since, (sent_at, throttled))
        del self._since[:-HISTORY]
        self._recount()
        return True

    def start_again(self, empty_at: float, rate: float) -> float:
        """Measure anew from this throttle on; the tokens that the bucket holds if refilled at `rate`."""
        self._capacity = self._capacity_at(rate)
        self.empty_at = empty_at
        self._since = [answer for answer in self._since if answer[0] > empty_at]
        self._recount()
        return self._capacity

    def time_to_refill(self, rate: float) -> float:
        """Seconds that a bucket refilled at `rate` would have needed at `empty_at` to be full again."""
        if not self._before:
            return 0.0
        return max(0.0, len(self._before) / rate - (self.empty_at - self._before[0]))

    def bracket(self) -> tuple[float, float]:
        """The lowest and the highest rate that the answers since `empty_at` allow."""
        if not self._since:
            return 0.0, inf
        span = max(self.last_at - self.empty_at, 1e-3)
        bounds = []
        for wanted in (-1, 0):
            low, high = 0.1 / span, 100 * (self.admitted + 1) / span
            for _ in range(18):
                middle = sqrt(low * high)
                if self._verdict(middle) <= wanted:
                    low = middle
                else:
                    high = middle
            bounds.append(sqrt(low * high))
        return (bounds[0] if self.admitted else 0.0), bounds[1]

    def _recount(self) -> None:
        self.admitted = sum(not throttled for _, throttled in self._since)

    def _verdict(self, rate: float) -> int:
        """Whether a bucket refilled at `rate` contradicts the answers: -1 too slow, 1 too fast, 0 neither."""
        capacity = self._capacity_at(rate)
        least, most, moment = 0.0, 1.0, self.empty_at  # tokens
        for sent_at, throttled in self._since:
            gain, moment = rate * (sent_at - moment), sent_at
            least, most = least + gain, min(most + gain, capacity + 1)
            if not throttled:
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
        spans = (total - i - rate * (self.empty_at - at) for i, at in enumerate(self._before))
        return max(0.0, max(spans, default=0.0))
