"""Thousands of simulated token buckets, each worked off by every way of pacing, in virtual time."""

import os
import random
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

from benchmarks.pace_rivals import Adaptive, Aimd
from scanner.engine.pace import Pace
from tests.engine.bucket import Bucket, Pacing, ideal, run

PACES: dict[str, Callable[[], Pacing]] = {
    "sgw-scanner": Pace,
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


if __name__ == "__main__":
    main()
