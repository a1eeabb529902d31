"""Estimates a target's token bucket from its answers. All times are seconds of one monotonic clock."""

from __future__ import annotations

from bisect import insort
from math import inf, sqrt

SLACK = 0.05  # tokens by which an answer may contradict a rate: latencies vary
HISTORY = 200  # answers that are remembered
RISEN = 1.4  # times the highest rate that earlier answers allow: what is admitted then proves a raised limit
STEPS = 18  # of each bisection

Answers = list[tuple[float, bool]]  # when each call was sent, and whether it was throttled


class BucketEstimate:
    """Which refill rates the answers allow: a throttle proves an empty bucket, an admitted call a token."""

    __slots__ = ("_answers", "_before", "_capacity", "admitted", "empty_at")

    def __init__(self) -> None:
        self.empty_at = -inf  # when a call was sent that was throttled; only answers since then are weighed
        self.admitted = 0  # calls since then
        self._answers: Answers = []  # to calls sent since then, in the order in which they were sent
        self._before: list[float] = []  # when calls were sent that were admitted before the first throttle
        self._capacity: float | None = None  # of the bucket, tokens

    @property
    def last_at(self) -> float:
        """When the last call was sent that has been answered."""
        return self._answers[-1][0] if self._answers else self.empty_at

    @property
    def last_throttle(self) -> float | None:
        """When the last call since `empty_at` was sent that was throttled."""
        return next((at for at, throttled in reversed(self._answers) if throttled), None)

    @property
    def span(self) -> float:
        """Seconds over which answers are weighed."""
        return self.last_at - self.empty_at

    def before(self, sent_at: float, *, throttled: bool) -> None:
        """Add an answer to a call sent before any throttle was known: the bucket ran dry at the last of them."""
        self.empty_at = max(self.empty_at, sent_at)
        if not throttled:
            insort(self._before, sent_at)
            del self._before[:-HISTORY]

    def add(self, sent_at: float, *, throttled: bool) -> bool:
        """Add an answer; False if it is no news because the call was sent before the bucket was empty."""
        if sent_at <= self.empty_at:
            return False
        insort(self._answers, (sent_at, throttled))
        del self._answers[:-HISTORY]
        self._count()
        return True

    def start_again(self, empty_at: float) -> None:
        """Weigh only answers to calls sent after this throttle."""
        self.empty_at = empty_at
        self._answers = [answer for answer in self._answers if answer[0] > empty_at]
        self._count()

    def fix_capacity(self, rate: float) -> float:
        """The tokens that the bucket holds if refilled at `rate`; the first rate decides it for good."""
        self._capacity = self._capacity_at(rate)
        return self._capacity

    def time_to_refill(self, rate: float) -> float:
        """Seconds that a bucket refilled at `rate` would have needed at `empty_at` to be full again."""
        if not self._before:
            return 0.0
        return max(0.0, len(self._before) / rate - (self.empty_at - self._before[0]))

    def bracket(self) -> tuple[float, float]:
        """The lowest and the highest rate that the answers allow; those from before a raised limit are dropped."""
        lowest, highest = self._bracket(self.empty_at, self._answers)
        turn = self._throttle_before_last_run()
        if turn is not None:
            recent = self._bracket(turn, [answer for answer in self._answers if answer[0] > turn])
            if recent[0] > RISEN * highest:
                self.start_again(turn)
                return recent
        return lowest, highest

    def _throttle_before_last_run(self) -> float | None:
        """When the last throttle was sent that admitted calls followed."""
        followed = False
        for at, throttled in reversed(self._answers):
            if throttled and followed:
                return at
            followed = followed or not throttled
        return None

    def _bracket(self, empty_at: float, answers: Answers) -> tuple[float, float]:
        if not answers:
            return 0.0, inf
        span = max(answers[-1][0] - empty_at, 1e-3)
        admitted = sum(not throttled for _, throttled in answers)
        bounds = []
        for wanted in (-1, 0):
            low, high = 0.1 / span, 100 * (admitted + 1) / span
            for _ in range(STEPS):
                middle = sqrt(low * high)
                if self._verdict(middle, empty_at, answers) <= wanted:
                    low = middle
                else:
                    high = middle
            bounds.append(sqrt(low * high))
        return (bounds[0] if admitted else 0.0), bounds[1]

    def _verdict(self, rate: float, empty_at: float, answers: Answers) -> int:
        """Whether a bucket refilled at `rate` contradicts the answers: -1 too slow, 1 too fast, 0 neither."""
        capacity = self._capacity_at(rate)
        least, most, moment = 0.0, 1.0, empty_at  # tokens
        for sent_at, throttled in answers:
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

    def _count(self) -> None:
        self.admitted = sum(not throttled for _, throttled in self._answers)
