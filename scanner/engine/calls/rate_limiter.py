"""How fast one target may be asked, learnt from its answers. All times are seconds of one monotonic clock."""

from __future__ import annotations

from math import inf, sqrt

from scanner.engine.calls.bucket_estimate import BucketEstimate

# Until the first throttle, calls in flight grow 1, 2, 4, then to 8, then to an eighth of the answers:
# whatever is in flight when the bucket runs dry is throttled, so more must first be earned.
FIRST_WINDOW, FIRST_ANSWERS = 4, 24
NEXT_WINDOW, ANSWERS_PER_CALL_IN_FLIGHT = 8, 8

FIRST_PAUSE = 0.01  # seconds from the first throttle to the next try, at least
FREE_PAUSE = 0.1  # ... and at most, as long as no bucket overflows meanwhile that refills at FASTEST
FASTEST = 200.0  # calls a second
LONGEST_PAUSE = 5.0  # seconds between calls to a target that admits nothing
SURE = 1.4  # highest possible rate / lowest possible rate, up to which a rate is more than a guess
DOUBLINGS = 4  # of a guess, as long as nothing is throttled
ENOUGH = 4  # calls admitted between two throttles, without which it stays a guess
MANY = 8  # calls admitted between two throttles that make a rate more than a guess
MARGIN = 0.01  # below the measured rate: the reserve lasts, and the next throttle takes its time
TIGHT = 0.03  # more margin, each time throttles come close together: a bucket of one token forgives nothing
WIDEST_MARGIN = 0.3
CLOSE = 20  # calls admitted between two throttles that are close together
RESERVE = 2.0  # tokens let into the bucket after a throttle, so that jitter does not meet it empty

# A rate is believed for so many admitted calls or so many seconds, then a faster one is tried. Where no limit was
# lifted, each trial costs a throttle: fewer seconds would be more than 3 % of the calls to a target of 2 a second.
PATIENCE = 80  # calls
PATIENT_SECONDS = 20.0
SLOW = (
    1.5  # calls a second, below which the time that a lifted limit goes unnoticed matters more than throttles
)
SLOW_PATIENT_SECONDS = 5.0
OVERDUE = 1.5  # times the seconds, after which the rate doubles with each call
GUESS_DOUBLES = 1.0  # seconds without a throttle in which twice as much becomes possible as throttles allowed
STALE = 3.0  # seconds without a throttle, after which a guess is raised to RESUMED, and grows by REGAIN
RESUMED = 2.0  # calls a second
REGAIN = 1.3  # times the rate, after each call that is admitted
REST = 1.0  # seconds after which a call could have been sent, and was not
QUIET = 300.0  # seconds without a call, after which nothing is known of a target any more


class RateLimiter:
    """How fast one target may be asked; learnt from its answers.

    A throttle says "the bucket is empty now". So the calls admitted between two throttles, divided by
    the time between them, are the rate at which it refills. The rest decides when to provoke the second throttle.
    """

    __slots__ = (
        "_answers",
        "_count",
        "_draining",
        "_estimate",
        "_first_throttle_at",
        "_held_until",
        "_highest",
        "_in_flight",
        "_margin",
        "_next_at",
        "_pause",
        "_rested",
        "_round_trip",
        "_sent_at",
        "_sure",
        "_throttle_at",
        "_window",
        "measured",
        "rate",
        "refuses",
    )

    def __init__(self) -> None:
        self._in_flight = 0
        self._forget()

    def _forget(self) -> None:
        self.rate: float | None = None  # calls a second; None as long as nothing was throttled
        self.measured = 0.0  # calls a second, as estimated from the answers
        self.refuses = False  # whether the last answer was a throttle
        self._estimate = BucketEstimate()
        self._highest = inf  # calls a second that the answers do not exclude
        self._sure = False  # whether `measured` is more than a guess
        self._margin = MARGIN
        self._window = 1  # calls in flight, before the first throttle
        self._answers = 0
        self._round_trip = inf  # shortest seen, seconds
        self._sent_at = -inf  # when the last call was sent
        self._rested = False  # whether nobody asked for so long that the bucket has filled
        self._next_at = -inf
        self._held_until = -inf  # what the target asked for
        self._first_throttle_at = -inf  # when the first throttle became known
        self._throttle_at = -inf  # when the last one did; throttles of calls sent before are no news
        self._pause = FIRST_PAUSE
        self._draining = False  # whether the answers under way are awaited before the next call
        self._count = 0  # calls admitted since the last throttle that was news

    def ready_at(self, now: float) -> float | None:
        """The earliest moment of the next call (`now` or later); None: not before an answer."""
        if self.quiet(now):
            return now
        if self.rate is None:
            return now if self._in_flight < self._window else None
        return None if self._draining else max(now, self._next_at, self._held_until)

    def sent(self, now: float) -> None:
        """A call starts."""
        if self.quiet(now):
            self._forget()
        self._rested = self._rested or now - max(self._sent_at, self._next_at) > REST
        self._in_flight += 1
        self._sent_at = now
        if self.rate is not None:
            self._next_at = max(self._next_at, now) + 1 / self.rate
            if not self._sure and not self._count:
                self._draining = True  # nothing is known yet: one call at a time

    def admitted(self, sent_at: float, now: float) -> None:
        """A call was answered, and not throttled."""
        self._answered(sent_at, now)
        self.refuses = False
        if self.rate is None:
            self._estimate.before(sent_at, throttled=False)
            earned = max(NEXT_WINDOW, self._answers // ANSWERS_PER_CALL_IN_FLIGHT)
            self._window = min(self._window + 1, FIRST_WINDOW if self._answers < FIRST_ANSWERS else earned)
            return
        if sent_at < self._first_throttle_at:
            self._estimate.before(sent_at, throttled=False)
        elif self._estimate.add(sent_at, throttled=False):
            self._count += 1
            if not self._draining:
                self._speed_up(self._grown(self.rate, sent_at - self._throttle_at), now)
        self._guess_when_drained(self.rate, now)

    def throttled(self, sent_at: float, now: float, retry_after: float | None = None) -> None:
        """A call was refused for coming too early; `retry_after` seconds are what the answer asks for."""
        self._answered(sent_at, now)
        self.refuses = True
        if self.rate is None:
            self._estimate.before(sent_at, throttled=True)
            self._pause = max(FIRST_PAUSE, min(self._estimate.time_to_refill(FASTEST), FREE_PAUSE))
            self.rate = self.measured = 1 / FIRST_PAUSE
            self._draining = True
            self._first_throttle_at = self._throttle_at = now
        elif sent_at < self._first_throttle_at:
            self._estimate.before(sent_at, throttled=True)
        else:
            self._estimate.add(sent_at, throttled=True)
            if sent_at >= self._throttle_at:
                self._throttle_at = now
                self._slow_down(self.rate, sent_at, now)
        self._guess_when_drained(self.rate, now)
        if retry_after is not None:
            self._held_until = max(self._held_until, now + retry_after)

    def lost(self, now: float) -> None:
        """A call ended without an answer: it says nothing about the rate."""
        self._in_flight -= 1
        if self.rate is not None:
            self._guess_when_drained(self.rate, now)

    def quiet(self, now: float) -> bool:
        """Whether nobody has asked the target for so long that what was learnt no longer holds."""
        return not self._in_flight and now - max(self._sent_at, self._next_at, self._held_until) > QUIET

    def _answered(self, sent_at: float, now: float) -> None:
        self._in_flight -= 1
        self._answers += 1
        self._round_trip = min(self._round_trip, now - sent_at)

    def _speed_up(self, rate: float, now: float) -> None:
        """Go on at a higher rate, from the last call on."""
        self.rate = rate
        self._next_at = min(self._next_at, max(now, self._sent_at + 1 / rate))

    def _grown(self, rate: float, age: float) -> float:
        """The rate after a call that was admitted, sent `age` seconds after the last throttle."""
        # What is sent before the answers to it come must not grow more than twofold.
        most = 2 ** (1 / max(1.0, rate * self._round_trip))
        if not self._sure:
            highest = self._highest * 2 ** min(age / GUESS_DOUBLES, 60)
            step = 2.0
            if self._count > DOUBLINGS or rate > highest / 4:
                step = min(1 + 1 / (self._count + 1), sqrt(max(1.0, highest / rate)))
            if age < STALE:
                return rate * max(1.02, min(step, most))
            return max(rate * min(max(step, REGAIN), most), RESUMED)
        seconds = SLOW_PATIENT_SECONDS if self.measured < SLOW else PATIENT_SECONDS
        if age > OVERDUE * seconds:
            return rate * most
        # Flat for long, then ever steeper: where no throttle comes, the target's rate has risen.
        growth = 0.05 * max(self._count / PATIENCE, age / seconds) ** 5
        return max(rate, min(self.measured * (1 - self._margin + growth), rate * most))

    def _slow_down(self, rate: float, sent_at: float, now: float) -> None:
        """Measures the rate and slows down, at a throttle that is new information."""
        measured = self._measure()
        if measured is not None:
            self._settle(min(measured, rate), sent_at, now)
        elif self._sure and self._highest > 0.8 * self.measured:
            self._settle(min(self._highest, self.measured, rate), sent_at, now)
        else:
            self._sure = False
            self._draining = True

    def _measure(self) -> float | None:
        """The rate estimated from the answers; None while it would be a guess."""
        lowest, self._highest = self._estimate.bracket()
        count = self._estimate.admitted
        if self._rested and self._sure:
            # After a rest the fill of the bucket is not known well enough to measure the rate.
            return max(self.measured, lowest)
        if count < ENOUGH or (count < MANY and self._highest > SURE * lowest):
            return None
        return max(sqrt(lowest * self._highest), self._highest * count / (count + 1))

    def _settle(self, rate: float, throttled_at: float, now: float) -> None:
        """Go on a little below a rate that is measured."""
        if self._sure and self.rate is not None:
            if self.rate > self.measured * (1 - self._margin / 2):  # a throttle that was looked for
                self._margin = max(self._margin - MARGIN, MARGIN)
            elif self._count < CLOSE:
                self._margin = min(self._margin + TIGHT, WIDEST_MARGIN)
        self._sure, self._rested = True, False
        self.measured = rate
        self.rate = rate * (1 - self._margin)
        capacity = self._estimate.fix_capacity(rate)
        self._estimate.start_again(throttled_at)
        self._next_at = max(self._next_at, now + min(RESERVE, capacity + 1) / rate)
        self._count = self._estimate.admitted

    def _guess_when_drained(self, rate: float, now: float) -> None:
        """When all answers are in and they leave the rate open, tries one that they do not exclude."""
        if not self._draining or self._in_flight:
            return
        self._draining = False
        estimate = self._estimate
        measured, throttled_at = self._measure(), estimate.last_throttle
        if measured is not None and throttled_at is not None:
            self._settle(min(measured, rate), throttled_at, now)
            return
        if estimate.last_at - self._throttle_at >= STALE:
            self._speed_up(max(rate, RESUMED), now)
            return
        count, span = estimate.admitted, max(estimate.span, self._pause / 2)
        if count:
            guess = min(self._highest * count / (count + 1), 0.7 * rate, 3 * count / span)
        else:
            guess = min(0.5 / span, rate)
        self.rate = self.measured = max(guess, 1 / LONGEST_PAUSE)
        self._next_at = max(self._next_at, estimate.last_at + 1 / self.rate)
        if span > LONGEST_PAUSE and throttled_at is not None:
            # Limits that were in force so long ago need not be in force now.
            estimate.start_again(throttled_at)
            self._count = 0
