"""One, ten and five hundred targets at once, through the real engine and in virtual time."""

import time
from unittest.mock import patch

import anyio

from scanner.engine.calls.scheduler import Limits
from scanner.engine.scan import Scan
from scanner.inventory.collect import Collector
from scanner.inventory.events import Event, TargetEnded
from scanner.service.errors import CallFailed
from scanner.service.protocol import TargetKey
from tests.engine.bucket import Bucket, Free, Unlimited, ideal
from tests.engine.simulated import SimulatedService, config, throttle
from tests.virtual import run

BURST, LATENCY = 20.0, 0.02


class Fleet:
    """Accounts with one target each; listing and reading share the target's bucket."""

    def __init__(self, accounts: int, calls: int, rate: float | None) -> None:
        self.accounts, self.calls, self.rate = accounts, calls, rate
        self.ends: list[float] = []
        self.collector = Collector()
        self._buckets: dict[TargetKey, Bucket] = {}

    def scan(self) -> float:
        """Virtual seconds that a scan takes."""
        return run(self._scan())[1]

    async def _scan(self) -> None:
        source = SimulatedService(
            gateways=self.calls - 1, volumes=1, page_size=self.calls, latency=LATENCY, fault=self._fault
        )
        asked = config(self.accounts)
        limits = Limits(anyio.CapacityLimiter(asked.scan.max_concurrency), 8)
        await Scan(asked, source, limits, "0", self._emit).run()

    async def _emit(self, event: Event) -> None:
        self.collector.add(event)
        if isinstance(event, TargetEnded):
            self.ends.append(anyio.current_time())

    def _fault(self, operation: str, place: TargetKey, gateway: str | None, nth: int) -> CallFailed | None:
        if operation == "open":
            return None
        bucket = self._buckets.setdefault(place, Bucket(self.rate, BURST) if self.rate else Unlimited())
        return None if bucket.take(anyio.current_time()) else throttle()


def limited(accounts: int, calls: int, rate: float) -> str:
    fleet, started = Fleet(accounts, calls, rate), time.process_time()
    fleet.scan()
    inventory = fleet.collector.inventory()
    counts = inventory.coverage.calls
    best = ideal(Bucket(rate, BURST), calls=calls, in_flight=8, latency=LATENCY)
    lost = inventory.coverage.gateways.failed
    ends = sorted(fleet.ends)
    median, worst = ends[len(ends) // 2] / best, ends[-1] / best
    return (
        f"{accounts:>3} targets, {calls:>4} calls each, {rate:3.0f}/s {lost:5}  {median:8.2f} {worst:6.2f}"
        f"  {100 * counts.throttled / counts.attempted:11.1f}"
        f"  {time.process_time() - started:6.1f}"
    )


def unlimited(accounts: int, calls: int) -> str:
    """The same without limits, beside an engine that does not pace at all."""
    paced = Fleet(accounts, calls, None).scan()
    with patch("scanner.engine.calls.scheduler.RateLimiter", Unpaced):
        free = Fleet(accounts, calls, None).scan()
    return (
        f"{accounts:>3} targets, {calls:>4} calls each, no limit: paced {paced:.2f} s, unpaced {free:.2f} s"
    )


class Unpaced(Free):
    """Calls in flight from the first moment on as many as the scan allows."""

    def __init__(self) -> None:
        super().__init__(window=float("inf"))


def main() -> None:
    """Prints how long limited targets take side by side, and what pacing costs those without limits."""
    print("\nTargets at once through the real engine, burst 20 (virtual time, latency 20 ms, default limits)")
    head = f"{'':35}{'lost':>5}  {'× ideal':>8} {'worst':>6}  {'% throttled':>11}  {'CPU s':>6}"
    print(head, "-" * len(head), sep="\n")
    for accounts, calls, rate in ((1, 220, 20), (10, 220, 20), (500, 220, 2), (1, 1000, 20), (10, 1000, 20)):
        print(limited(accounts, calls, rate), flush=True)
    for accounts, calls in ((1, 220), (10, 220), (64, 220)):
        print(unlimited(accounts, calls), flush=True)


if __name__ == "__main__":
    main()
