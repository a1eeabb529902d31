"""A token bucket and its clients in virtual time: where the pacing is tuned, tested and compared."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from typing import Protocol

MAX_ATTEMPTS = 8


class Pacing(Protocol):
    """What the simulation asks of a rate limiter. Times are seconds."""

    refuses: bool

    def ready_at(self, now: float) -> float | None: ...
    def sent(self, now: float) -> None: ...
    def admitted(self, sent_at: float, now: float) -> None: ...
    def throttled(self, sent_at: float, now: float, retry_after: float | None = None) -> None: ...


class Free:
    """No pacing: what a target without limits is compared with. Calls in flight double by round trip."""

    rate: float | None = None
    refuses = False

    def __init__(self, window: float = 1) -> None:
        self.window, self.in_flight = window, 0

    def ready_at(self, now: float) -> float | None:
        return now if self.in_flight < self.window else None

    def sent(self, now: float) -> None:
        self.in_flight += 1

    def admitted(self, sent_at: float, now: float) -> None:
        self.in_flight -= 1
        self.window += 1

    def throttled(self, sent_at: float, now: float, retry_after: float | None = None) -> None:
        self.in_flight -= 1


@dataclass
class Bucket:
    """Refills by `rate` tokens a second up to `burst`; without a whole token a call is throttled.

    From the moment `change[0]` on the rate is `change[1]`, and so on with `then`. Another client takes
    `other` tokens a second.
    """

    rate: float
    burst: float
    change: tuple[float, float] | None = None
    other: float = 0.0
    then: tuple[tuple[float, float], ...] = ()
    level: float = field(init=False)
    moment: float = field(init=False, default=0.0)
    owed: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.level = self.burst

    def refilled(self, start: float, end: float) -> float:
        """Tokens that come between two moments."""
        return sum(
            rate * max(0.0, min(end, until) - max(start, since)) for since, until, rate in self.stretches()
        )

    def stretches(self) -> list[tuple[float, float, float]]:
        """From when until when the bucket has which rate."""
        turns = [(0.0, self.rate), *([self.change] if self.change else []), *self.then, (inf, 0.0)]
        return [(since, until, rate) for (since, rate), (until, _) in pairwise(turns)]

    def take(self, now: float) -> bool:
        """Whether a call that arrives now is admitted."""
        while self.other and self.owed + 1 / self.other <= now:
            self.owed += 1 / self.other
            self._advance(self.owed)
            if self.level >= 1:
                self.level -= 1
        self._advance(now)
        if self.level < 1:
            return False
        self.level -= 1
        return True

    def _advance(self, now: float) -> None:
        if now > self.moment:
            self.level = min(self.burst, self.level + self.refilled(self.moment, now))
            self.moment = now


class Unlimited(Bucket):
    """Admits everything."""

    def __init__(self) -> None:
        super().__init__(1, 1)

    def take(self, now: float) -> bool:
        return True


@dataclass
class Run:
    """What became of the calls of one target."""

    seconds: float
    sent: int
    throttled: int
    lost: int
    most_throttled: int  # attempts that throttles cost the unluckiest call
    starts: list[float]
    answers: list[tuple[float, bool]]  # (sent at, admitted)

    @property
    def throttled_share(self) -> float:
        return self.throttled / self.sent


def run(
    pace: Pacing,
    bucket: Bucket,
    *,
    calls: int = 220,
    in_flight: int = 8,
    latency: float = 0.02,
    jitter: float = 0.0,
    seed: int = 0,
    until: float = inf,
    retry_after: float | None = None,
    on_send: Callable[[float], None] | None = None,
    start: float = 0.0,
) -> Run:
    """Work through the calls: the first alone (the listing), then all; throttled ones go first again, or last while
    everything is throttled.

    `latency` is the round trip in seconds, of which half passes before the bucket is asked; each one
    is longer by up to the fraction `jitter`. Throttles ask for a pause of `retry_after` seconds. The
    clock shows `start` at first.
    """
    chance = random.Random(seed)
    waiting = deque([0])  # attempts so far, by call
    events: list[tuple[float, int, int, float, int]] = []  # (at, order, kind, sent_at, call)
    result = Run(0.0, 0, 0, 0, 0, [], [])
    now, order, flying, left, wake = start, 0, 0, calls - 1, inf
    arrive, admit, refuse, tick = 0, 1, 2, 3
    while True:
        while waiting and flying < in_flight:
            at = pace.ready_at(now)
            if at is None:
                break
            if at > now:
                if at != wake:
                    wake = at
                    order += 1
                    heapq.heappush(events, (at, order, tick, 0.0, 0))
                break
            call = waiting.popleft()
            pace.sent(now)
            if on_send:
                on_send(now)
            flying += 1
            result.sent += 1
            result.starts.append(now)
            order += 1
            way = latency / 2 * (1 + jitter * chance.random())
            heapq.heappush(events, (now + way, order, arrive, now, call))
        if not events:
            break
        now, _, kind, sent_at, call = heapq.heappop(events)
        if now > until:
            break
        if kind == tick:
            wake = inf if now >= wake else wake
        elif kind == arrive:
            order += 1
            way = latency / 2 * (1 + jitter * chance.random())
            kind = admit if bucket.take(now) else refuse
            heapq.heappush(events, (now + way, order, kind, sent_at, call))
        else:
            flying -= 1
            result.answers.append((sent_at, kind == admit))
            result.seconds = now - start
            if kind == admit:
                pace.admitted(sent_at, now)
                waiting.extend([0] * left)
                left = 0
            else:
                pace.throttled(sent_at, now, retry_after)
                result.throttled += 1
                attempts = call + 1
                result.most_throttled = max(result.most_throttled, attempts)
                if attempts < MAX_ATTEMPTS:
                    (waiting.append if pace.refuses else waiting.appendleft)(attempts)
                else:
                    result.lost += 1
    return result


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def ideal(bucket: Bucket, *, calls: int, in_flight: int, latency: float, jitter: float = 0.0) -> float:
    """Seconds that the calls take at least: the bucket's refill, or slow start and calls in flight."""
    mean = latency * (1 + jitter / 2)
    free = run(Free(), Unlimited(), calls=calls, in_flight=in_flight, latency=mean).seconds
    need = calls - bucket.burst
    for since, until, rate in bucket.stretches():
        tokens = (rate - bucket.other) * (until - since)
        if tokens >= need:
            return max(free, since + need / (rate - bucket.other))
        need -= tokens
    raise AssertionError("the last rate holds for ever")
