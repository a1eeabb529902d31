"""How throttled targets are scanned: token buckets behind whole scans, in virtual time."""

from collections.abc import Callable

import anyio
import pytest

from scanner.engine.calls.rate_limiter import QUIET
from scanner.engine.calls.scheduler import Limits
from scanner.engine.scan import Scan
from scanner.inventory.collect import Collector
from scanner.inventory.events import Event, TargetEnded
from scanner.inventory.records import FailureKind, TargetStatus
from scanner.service.errors import CallFailed
from scanner.service.protocol import TargetKey
from tests.engine.bucket import Bucket, Free, Unlimited, ideal, quantile
from tests.engine.simulated import SimulatedService, config, throttle
from tests.virtual import run as run_virtually


def limited_by(buckets: Callable[[TargetKey], Bucket]) -> Callable[..., CallFailed | None]:
    """One bucket for each account and Region, shared by all operations that ask there."""
    known: dict[TargetKey, Bucket] = {}

    def fault(operation: str, target: TargetKey, gateway: str | None, nth: int) -> CallFailed | None:
        if operation in ("open", "regions"):
            return None
        bucket = known.setdefault(target, buckets(target))
        return None if bucket.take(anyio.current_time()) else throttle()

    return fault


def scanned(
    source: SimulatedService, accounts: int = 1, **settings: object
) -> tuple[Collector, dict[str, float], float]:
    """What came of a scan in virtual time: the collector, when each account's target ended, seconds in all."""
    collector, ends = Collector(), {}

    async def emit(event: Event) -> None:
        collector.add(event)
        if isinstance(event, TargetEnded):
            ends[event.target.account_id] = anyio.current_time()

    async def main() -> None:
        asked = config(accounts, **settings)  # type: ignore[arg-type]
        slots = anyio.CapacityLimiter(asked.scan.max_concurrency)
        await Scan(asked, source, Limits(slots, asked.scan.max_concurrency_per_target), "0.1.0", emit).run()

    _, seconds = run_virtually(main())
    return collector, ends, seconds


@pytest.mark.parametrize("in_flight", [8, 64])
def test_a_scan_uses_up_a_bucket_that_listing_and_reading_share(in_flight: int) -> None:
    """A thousand calls on one target: all volumes, the ideal time, at most 3 % throttled."""
    source = SimulatedService(gateways=990, volumes=1, fault=limited_by(lambda target: Bucket(20, 20)))
    collector, _, seconds = scanned(source, max_concurrency_per_target=in_flight)
    inventory = collector.inventory()
    calls = inventory.coverage.calls
    assert len(inventory.volumes) == 990
    assert not inventory.failures
    assert seconds <= 1.1 * (1000 - 20) / 20
    assert calls.throttled <= 0.03 * calls.attempted


def test_many_targets_at_once_each_take_their_own_time() -> None:
    """Thirty targets with buckets between 2 and 200 a second, all at once: each ends by its own ideal."""
    rates = {f"{number:012d}": 2 * 100 ** (number / 30) for number in range(1, 31)}
    source = SimulatedService(
        gateways=99, volumes=1, fault=limited_by(lambda target: Bucket(rates[target.account_id], 10))
    )
    collector, ends, _ = scanned(source, accounts=30, max_concurrency=256)
    assert not collector.inventory().failures
    best = {
        account: ideal(Bucket(rate, 10), calls=100, in_flight=8, latency=0.05) + 0.05
        for account, rate in rates.items()
    }
    times = [ends[account] / best[account] for account in rates]
    assert quantile(times, 0.5) <= 1.15
    assert max(times) <= 2.0


def test_a_throttled_target_slows_no_other() -> None:
    """The others end when they would have ended without it."""

    def ends_with(rate: float) -> dict[str, float]:
        slow = "000000000003"
        source = SimulatedService(
            gateways=30,
            fault=limited_by(lambda target: Bucket(rate, 1) if target.account_id == slow else Unlimited()),
        )
        collector, ends, _ = scanned(source, accounts=9)
        assert all(target.status is TargetStatus.COMPLETE for target in collector.inventory().targets)
        return {account: at for account, at in ends.items() if account != slow}

    assert ends_with(2) == pytest.approx(ends_with(1e9), abs=0.2)


@pytest.mark.parametrize(("accounts", "extra"), [(64, 0.0), (1, 0.1)])
def test_a_fleet_without_limits_pays_nothing(
    accounts: int, extra: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the scan's slots are the limit pacing costs no time at all; a lone target pays once."""

    class Unpaced(Free):
        def lost(self, now: float) -> None:
            raise AssertionError("nothing is lost here")

    def seconds() -> float:
        return scanned(SimulatedService(gateways=39, volumes=1, latency=0.05), accounts=accounts)[2]

    paced = seconds()
    monkeypatch.setattr("scanner.engine.calls.scheduler.RateLimiter", Unpaced)
    free = seconds()
    assert paced <= free + extra + 1e-6


@pytest.mark.parametrize("seconds_closed", [5, 60, 120])
def test_many_calls_share_the_attempts_while_their_target_admits_nothing(seconds_closed: float) -> None:
    """Two minutes without a single token cost no call more than its own attempts, and none is lost."""
    bucket = Bucket(1e-9, 1, change=(seconds_closed, 50))
    source = SimulatedService(gateways=200, volumes=1, fault=limited_by(lambda target: bucket))
    collector, _, seconds = scanned(source)
    assert not collector.inventory().failures
    assert len(collector.inventory().volumes) == 200
    assert seconds <= seconds_closed + 15


def test_a_lone_call_to_a_target_that_admits_nothing_backs_off_by_itself() -> None:
    """Full jitter, as after any failure: its attempts outlast a limiter that only probes."""
    source = SimulatedService(
        gateways=1, fault=lambda operation, *_: throttle() if operation == "list" else None
    )
    collector, _, seconds = scanned(source)
    (failure,) = collector.inventory().failures
    assert failure.attempts == 8
    assert seconds > 1


def test_a_gateway_that_is_always_throttled_has_its_attempts_while_others_are_read() -> None:
    """It holds up nobody, and ends."""
    unlucky: list[str] = []

    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        if operation == "read" and key and (not unlucky or key in unlucky):
            unlucky[:] = [key]
            return throttle()
        return None

    collector, _, seconds = scanned(SimulatedService(gateways=300, volumes=1, fault=fault))
    (failure,) = collector.inventory().failures
    assert failure.kind is FailureKind.THROTTLED
    assert failure.gateway_arn == unlucky[0]
    assert failure.attempts == 8
    assert seconds < 60


def test_calls_that_nobody_answered_earn_no_calls_in_flight() -> None:
    """Four at once until 24 answers are there: silence is none of them, although half of all calls are swallowed."""
    answers, most = 0, 0

    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        nonlocal answers, most
        if operation != "read" or not key:
            return None
        if answers < 20:
            most = max(most, service.in_flight[target] + 1)
        if int(key[-1], 16) % 2 and nth == 1:
            return CallFailed.of(FailureKind.TIMEOUT, "no answer", retryable=True, connected=False)
        answers += 1
        return None

    service = SimulatedService(gateways=100, volumes=1, fault=fault)
    collector, _, _ = scanned(service)
    assert not collector.inventory().failures
    assert answers == 100
    assert most == 4


def test_what_was_learnt_of_targets_does_not_pile_up_over_the_scans_of_a_scanner() -> None:
    """A target that nobody asks any more is forgotten by a scan that begins long after."""
    limits = Limits(anyio.CapacityLimiter(8), 8)
    kept = []

    async def emit(event: Event) -> None:
        pass

    async def main() -> None:
        buckets = limited_by(lambda target: Bucket(20, 2))
        for accounts in (20, 1):
            source = SimulatedService(gateways=9, fault=buckets)
            asked = config(accounts, max_concurrency=8)
            await Scan(asked, source, limits, "0.1.0", emit).run()
            kept.append(len(limits.limiters))
            await anyio.sleep(QUIET + 60)

    run_virtually(main())
    assert kept[1] < kept[0]
