"""What the engine alone costs: a large fleet with trouble everywhere, in virtual time, with no network."""

import random
import resource
import sys
import time
from multiprocessing import get_context
from typing import NamedTuple

import anyio
from rich.console import Console
from rich.table import Table

from benchmarks.served import verdict
from scanner.engine.calls.scheduler import Limits
from scanner.engine.scan import Scan
from scanner.inventory.collect import Collector
from scanner.inventory.events import Event, ScanEnded, TargetEnded
from scanner.inventory.records import FailureKind
from scanner.service.errors import CallFailed
from scanner.service.protocol import TargetKey
from tests.engine.simulated import Fault, SimulatedService, config
from tests.virtual import run

REGIONS = tuple(f"us-east-{number}" for number in range(1, 18))
RETRIED = (FailureKind.THROTTLED, FailureKind.TIMEOUT, FailureKind.NETWORK, FailureKind.SERVER_ERROR)
KINDS = tuple(kind for kind in FailureKind if kind not in (FailureKind.DEADLINE, FailureKind.INTERRUPTED))
GATEWAYS, VOLUMES, SHARE_OF_FAULTS = 2, 2, 0.05
DETAILS = ("gateway", "volumes", "tags")


class Cost(NamedTuple):
    """Of one scan in a process of its own; `peak` in MB, both seconds of CPU and of virtual time."""

    targets: int
    details: bool
    folded: bool
    ended: int
    calls: int
    cpu: float
    peak: float
    virtual: float


def troubled(seed: int = 1) -> Fault:
    """Of all calls a share fails, each in another way."""
    dice = random.Random(seed)

    def fault(operation: str, place: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        if dice.random() >= SHARE_OF_FAULTS:
            return None
        kind = dice.choice(KINDS)
        connected = kind is not FailureKind.NETWORK or dice.random() < 0.5
        return CallFailed.of(kind, "trouble", retryable=kind in RETRIED, connected=connected)

    return fault


class Frugal(SimulatedService):
    """Keeps no note of each call, so that what is measured is the engine."""

    async def _call(self, operation: str, place: TargetKey, key: str | None = None) -> None:
        await anyio.sleep(self.latency)
        error = self.fault(operation, place, key, 1)
        if error:
            raise error


def measure(accounts: int, details: bool, folded: bool) -> Cost:
    """The cost of one scan; with `folded` an inventory is built of it, and its books are checked."""
    settings = config(accounts, REGIONS, details=DETAILS if details else ())
    source = Frugal(GATEWAYS, VOLUMES, fault=troubled())
    collector, ended, calls = Collector(), 0, 0

    async def emit(event: Event) -> None:
        nonlocal ended, calls
        ended += isinstance(event, TargetEnded)
        calls += event.calls.attempted if isinstance(event, ScanEnded) else 0
        if folded:
            collector.add(event)

    async def main() -> None:
        limits = Limits(anyio.CapacityLimiter(64), 8)
        await Scan(settings, source, limits, "0", emit).run()

    began = time.process_time()
    _, virtual = run(main())
    if folded:
        collector.inventory()
    cpu = time.process_time() - began
    unit = 2**20 if sys.platform == "darwin" else 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return Cost(accounts * len(REGIONS), details, folded, ended, calls, cpu, peak, virtual)


def main() -> None:
    """Print a table: a row for each size and kind of scan."""
    costs = []
    table = Table("targets", "details", "inventory", "ended", "calls", "CPU s", "peak MB", "virtual s")
    for accounts, details, folded in (
        (20, False, True),
        (200, False, True),
        (2000, False, False),
        (2000, False, True),
        (2000, True, True),
    ):
        # A process for each, since the peak of a process only grows.
        with get_context("spawn").Pool(1) as pool:
            cost = pool.apply(measure, (accounts, details, folded))
        table.add_row(
            f"{cost.targets:,}",
            "all" if cost.details else "none",
            "yes" if cost.folded else "no",
            f"{cost.ended:,}",
            f"{cost.calls:,}",
            f"{cost.cpu:.1f}",
            f"{cost.peak:.0f}",
            f"{cost.virtual:.0f}",
        )
        costs.append(cost)
    Console().print(table)
    large = costs[3]
    verdict(
        {
            "34,000 targets all end, and their books balance": large.ended == large.targets == 34_000,
            "within a minute of CPU": large.cpu <= 60,
            "within 300 MB": large.peak <= 300,
        }
    )


if __name__ == "__main__":
    main()
