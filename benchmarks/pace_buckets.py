"""Thousands of simulated token buckets, each worked off by every way of pacing, in virtual time."""

import os
import random
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import inf

from benchmarks.pace_rivals import Adaptive, Aimd
from scanner.engine.calls.rate_limiter import RateLimiter
from tests.engine.bucket import Bucket, Pacing, ideal, run

PACES: dict[str, Callable[[], Pacing]] = {
    "sgw-scanner": RateLimiter,
    "CUBIC (SDK adaptive)": Adaptive,
    "AIMD": Aimd,
}
TIME, SHARE = 1.10, 0.03
"""The yardsticks: times the ideal, and share of what was sent that was throttled."""


@dataclass(frozen=True)
class Case:
    """A bucket, the road to it and the calls that wait."""

    seed: int
    calls: int
    changing: bool = False

    def outcome(self, pace: str) -> tuple[float, float, int]:
        """Times the ideal, share throttled, calls lost."""
        chance = random.Random(self.seed)
        rate, burst = 2 * 100 ** chance.random(), round(100 ** chance.random())
        latency, jitter = 0.005 * 20 ** chance.random(), chance.choice([0.0, 0.1, 0.2])
        bucket = Bucket(rate, burst)
        if self.changing:
            factor = chance.choice([0.25, 0.5, 2.0, 4.0])
            rate = min(rate, 200 / factor)
            turn = 0.4 * max(self.calls - burst, 1) / rate
            bucket = Bucket(rate, burst, change=(turn, rate * factor))
        best = ideal(bucket, calls=self.calls, in_flight=8, latency=latency, jitter=jitter)
        result = run(PACES[pace](), bucket, calls=self.calls, latency=latency, jitter=jitter, seed=self.seed)
        return result.seconds / best, result.throttled_share, result.lost


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


@dataclass(frozen=True)
class Lifted:
    """A bucket that admits `low` calls a second for a while, and 50 afterwards; 1,000 calls wait."""

    low: float
    seconds: float

    def outcome(self, pace: str) -> tuple[float, float, float, float, int]:
        """Seconds taken, times the ideal, seconds until half speed, share throttled, calls lost."""
        bucket, limiter, regained = Bucket(self.low, 5, change=(self.seconds, 50)), PACES[pace](), [inf]

        def note(now: float) -> None:
            rate: float | None = getattr(limiter, "rate", None)
            if now >= self.seconds and (rate is None or rate >= 25):
                regained[0] = min(regained[0], now - self.seconds)

        result = run(limiter, bucket, calls=1000, latency=0.05, jitter=0.1, on_send=note)
        best = ideal(bucket, calls=1000, in_flight=8, latency=0.05, jitter=0.1)
        return result.seconds, result.seconds / best, regained[0], result.throttled_share, result.lost


def lifted() -> None:
    """Prints how soon a limit that was lifted is noticed."""
    print("\n1,000 calls; a limit (burst 5) holds for a while, then 50/s are admitted")
    head = f"{'limit, seconds':16} {'':22} {'seconds':>8} {'× ideal':>8} {'half speed after':>17} {'%':>5} {'lost':>5}"
    print(head, "-" * len(head), sep="\n")
    for low, seconds in (
        (0, 5),
        (0, 60),
        (0, 300),
        (0.02, 300),
        (0.1, 60),
        (0.5, 60),
        (1, 60),
        (2, 60),
        (5, 60),
    ):
        for pace in PACES:
            took, times, regained, share, lost = Lifted(low or 1e-9, seconds).outcome(pace)
            print(
                f"{low:5}/s for {seconds:3} s {pace:22} {took:8.0f} {times:8.2f} {regained:15.1f} s"
                f" {100 * share:5.1f} {lost:5}"
            )


def line(label: str, outcomes: list[tuple[float, float, int]]) -> str:
    times, shares = [each[0] for each in outcomes], [each[1] for each in outcomes]
    figures = "  ".join(f"{quantile(times, q):6.2f}" for q in (0.5, 0.95, 1.0))
    figures += "   " + "  ".join(f"{100 * quantile(shares, q):5.1f}" for q in (0.5, 0.95, 1.0))
    in_time = sum(each <= TIME for each in times) / len(times)
    in_share = sum(each <= SHARE for each in shares) / len(shares)
    both = sum(time <= TIME and share <= SHARE for time, share in zip(times, shares, strict=True)) / len(
        times
    )
    lost = sum(each[2] for each in outcomes)
    return f"{label:34} {figures}   {in_time:6.0%} {in_share:6.0%} {both:6.0%}  {lost:5}"


def main(buckets: int = 1000) -> None:
    """Prints the distribution over `buckets` buckets for each number of calls and each way of pacing."""
    print(f"\n{buckets} simulated buckets: 2..200 calls/s, bursts 1..100, latency 5..100 ms, jitter 0..20 %,")
    print("8 calls in flight, 8 attempts each; × ideal and % throttled are median, 95th percentile, worst")
    head = (
        f"{'':34} {'× ideal':>22}   {'% throttled':>19}   {'≤1.10':>6} {'≤3 %':>6} {'both':>6}  {'lost':>5}"
    )
    print(head, "-" * len(head), sep="\n")
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for calls, changing in ((50, False), (220, False), (1000, False), (1000, True)):
            cases = [Case(seed, calls, changing) for seed in range(buckets)]
            for pace in PACES:
                outcomes = list(pool.map(partial(Case.outcome, pace=pace), cases, chunksize=25))
                print(line(f"{calls:>4}{' *' if changing else '  '} {pace}", outcomes), flush=True)
    print("* the rate changes to a quarter, half, double or four times after about 40 % of the calls")
    lifted()


if __name__ == "__main__":
    main()
