"""What a dead Region may cost: seconds, a few calls, and nobody else anything."""

import random
from collections import Counter
from collections.abc import Callable

import anyio
import pytest

from scanner.config.settings import ScannerConfig
from scanner.engine.calls.circuit_breaker import INTERVAL, OPENS_AT, PATIENCE, UNPROVEN, CircuitBreaker
from scanner.engine.calls.scheduler import Limits
from scanner.engine.scan import Scan
from scanner.inventory.events import TargetEnded
from scanner.inventory.records import FailureKind, TargetStatus
from scanner.service.answers import GatewayPage
from scanner.service.errors import CallFailed
from scanner.service.protocol import TargetKey
from tests.engine.simulated import Fault, SimulatedService, config, events_of, inventory_of
from tests.virtual import run

DEAD = "me-south-1"


def refused() -> CallFailed:
    return CallFailed.of(FailureKind.NETWORK, "connection refused", retryable=True, connected=False)


def dead(region: str = DEAD, after: int = 0) -> Fault:
    """`region` refuses every connection once `after` calls in all have come through."""
    calls = Counter[str]()

    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        if target.region != region:
            return None
        calls["all"] += 1
        return refused() if calls["all"] > after else None

    return fault


class Watched(SimulatedService):
    """Knows how many calls are in flight to each Region."""

    async def _call(self, operation: str, target: TargetKey, key: str | None = None) -> None:
        self.in_flight[target.region] += 1
        self.peak[target.region] = max(self.peak[target.region], self.in_flight[target.region])
        try:
            await super()._call(operation, target, key)
        finally:
            self.in_flight[target.region] -= 1


@pytest.fixture(scope="module")
def three_hundred() -> tuple[Watched, ScannerConfig]:
    return Watched(gateways=2, fault=dead()), config(300, ("us-east-1", DEAD))


def test_a_dead_region_costs_300_accounts_seconds_and_keeps_no_other_waiting(
    three_hundred: tuple[Watched, ScannerConfig],
) -> None:
    source, settings = three_hundred
    whole, seconds = run(inventory_of(settings, source))
    alone, without = run(inventory_of(config(300), SimulatedService(gateways=2)))
    assert whole.coverage.targets.complete == alone.coverage.targets.complete == 300
    assert whole.coverage.targets.failed == 300
    assert seconds < without + 3 * PATIENCE
    assert source.peak[DEAD] <= UNPROVEN
    assert (
        sum(count for (_, target, _), count in source.tries.items() if target.region == DEAD)
        < 4 / source.latency * 2 * PATIENCE
    )


def test_each_target_of_a_dead_region_has_a_failure_that_says_why() -> None:
    source = SimulatedService(fault=dead())
    whole, _ = run(inventory_of(config(30, (DEAD,)), source))
    assert whole.coverage.targets.failed == len(whole.failures) == 30
    given_up = [failure for failure in whole.failures if "was given up" in failure.message]
    assert given_up
    assert all("connection refused" in failure.message for failure in whole.failures)
    assert {failure.kind for failure in whole.failures} == {FailureKind.NETWORK}
    assert whole.coverage.calls.attempted == source.calls["list"]
    assert all(failure.attempts <= 8 for failure in whole.failures)


def test_a_region_that_dies_after_listing_fails_what_is_left_and_names_the_count() -> None:
    source = SimulatedService(gateways=400, fault=dead(after=4 + 20))
    whole, seconds = run(inventory_of(config(1, (DEAD,)), source))
    gateways = whole.coverage.gateways
    assert (gateways.listed, gateways.scanned + gateways.failed) == (400, 400)
    assert 0 < gateways.scanned <= 20
    assert whole.targets[0].status is TargetStatus.PARTIAL
    left = [failure.message for failure in whole.failures if "was given up" in failure.message]
    assert any(f"with {len(left)} listed gateways of this account left" in message for message in left)
    assert seconds < 60


def test_a_region_that_comes_back_is_not_given_up() -> None:
    """Eight connections fail, and the ninth comes through."""
    failing = iter([True] * 8)

    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        return refused() if operation == "list" and next(failing, False) else None

    whole, _ = run(inventory_of(config(20, (DEAD,)), SimulatedService(fault=fault)))
    assert whole.coverage.targets.complete == 20
    assert whole.failures == ()


def test_an_outage_shorter_than_the_patience_does_not_give_a_region_up() -> None:
    class Back(SimulatedService):
        async def _call(self, operation: str, target: TargetKey, key: str | None = None) -> None:
            await super()._call(operation, target, key)
            if operation == "list" and anyio.current_time() < PATIENCE * 0.8:
                raise refused()

    whole, _ = run(inventory_of(config(40, (DEAD,)), Back()))
    assert whole.coverage.targets.complete > 0
    assert not [failure for failure in whole.failures if "given up" in failure.message]


def test_a_region_answers_even_with_a_refusal() -> None:
    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        error = CallFailed.of(FailureKind.SERVER_ERROR, "broken", retryable=True)
        return error if target.account_id == "000000000001" else None

    source = Watched(gateways=2, fault=fault)
    whole, _ = run(inventory_of(config(30, (DEAD,)), source))
    assert whole.coverage.targets.complete == 29
    assert not [failure for failure in whole.failures if "given up" in failure.message]
    assert source.peak[DEAD] > UNPROVEN


def test_credentials_that_break_on_the_way_say_nothing_about_the_region() -> None:
    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        error = CallFailed.of(FailureKind.CREDENTIALS, "expired", sent=False)
        return error if operation == "list" and int(target.account_id) % 2 else None

    whole, _ = run(inventory_of(config(60, (DEAD,)), SimulatedService(fault=fault)))
    assert (whole.coverage.targets.complete, whole.coverage.targets.failed) == (30, 30)
    assert {failure.attempts for failure in whole.failures} == {0}


@pytest.fixture
def look_ups(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a breaker was asked when a call may go through."""
    counts = Counter[str]()
    ready_at = CircuitBreaker.ready_at

    def counted(self: CircuitBreaker, wanted: float, listener: Callable[[], bool]) -> float | None:
        counts[self.name] += 1
        return ready_at(self, wanted, listener)

    monkeypatch.setattr(CircuitBreaker, "ready_at", counted)
    return counts


@pytest.mark.parametrize("concurrency", [64, 3000])
def test_thousands_of_accounts_may_wait_for_one_region(concurrency: int, look_ups: Counter[str]) -> None:
    """Whoever waits looks a few times, and not once more for each other one who waits."""
    source = SimulatedService(gateways=1, volumes=1)
    whole, _ = run(inventory_of(config(3000, (DEAD,), max_concurrency=concurrency), source))
    assert whole.coverage.targets.complete == 3000
    assert look_ups[DEAD] < 5 * source.calls.total()


def test_thousands_of_accounts_fail_together_when_their_region_is_dead(look_ups: Counter[str]) -> None:
    source = Watched(gateways=1, fault=dead())
    whole, seconds = run(inventory_of(config(3000, (DEAD,), max_concurrency=3000), source))
    assert whole.coverage.targets.failed == len(whole.failures) == 3000
    assert source.peak[DEAD] <= UNPROVEN
    assert seconds < 60
    assert look_ups[DEAD] < 4 * 3000


def test_a_region_silent_until_the_deadline_leaves_the_books_balanced() -> None:
    class Silent(SimulatedService):
        async def list_gateways(self, target: TargetKey, marker: str | None) -> GatewayPage:
            if target.region == DEAD:
                await anyio.sleep_forever()
            return await super().list_gateways(target, marker)

    whole, seconds = run(inventory_of(config(50, ("us-east-1", DEAD), deadline="20s"), Silent()))
    assert whole.coverage.targets.complete == whole.coverage.targets.failed == 50
    assert 20 <= seconds < 20.1


def test_every_scan_looks_at_a_dead_region_afresh() -> None:
    source = SimulatedService(fault=dead())
    run(events_of(config(5, (DEAD,)), source))
    source.fault = lambda *_: None
    whole, _ = run(inventory_of(config(5, (DEAD,)), source))
    assert whole.coverage.targets.complete == 5


def strike(breaker: CircuitBreaker, failure: CallFailed | None, sent_at: float, now: float) -> None:
    breaker.started()
    breaker.ended(failure, sent_at, now)


def test_many_failures_at_one_moment_give_up_nothing_until_patience_has_run_out() -> None:
    breaker = CircuitBreaker(DEAD)
    for _ in range(OPENS_AT * 3):
        strike(breaker, refused(), 100.0, 100.0)
    breaker.check(0)
    strike(breaker, refused(), 100.0, 100.0 + PATIENCE)
    with pytest.raises(
        CallFailed, match=f"after {OPENS_AT * 3 + 1} calls in a row without an answer, with 7 "
    ):
        breaker.check(7)
    assert breaker.in_flight == 0


def test_a_gate_that_is_shut_lets_one_call_through_each_second_and_opens_at_the_first_answer() -> None:
    class Listener:
        def wake(self) -> bool:
            return False

    breaker, one, other = CircuitBreaker(DEAD), Listener(), Listener()
    for _ in range(OPENS_AT):
        strike(breaker, refused(), 100.0, 100.0)
    assert breaker.ready_at(100.2, one.wake) == 100.0 + INTERVAL
    assert breaker.ready_at(100.2, other.wake) is None
    breaker.started()
    assert breaker.ready_at(101.0, one.wake) is None
    breaker.ended(None, 101.0, 101.1)
    assert breaker.ready_at(101.2, other.wake) == 101.2


def test_who_leaves_a_gate_that_is_shut_lets_another_try() -> None:
    class Listener:
        def __init__(self, breaker: CircuitBreaker) -> None:
            self.breaker, self.told = breaker, 0

        def wake(self) -> bool:
            self.told += 1
            return self.breaker.ready_at(100.0, self.wake) == 100.0

    breaker = CircuitBreaker(DEAD)
    for _ in range(OPENS_AT):
        strike(breaker, refused(), 100.0, 100.0)
    one, other = Listener(breaker), Listener(breaker)
    breaker.ready_at(100.0, one.wake)
    breaker.ready_at(100.0, other.wake)
    breaker.left(one.wake)
    assert (one.told, other.told) == (0, 1)


def hung() -> CallFailed:
    return CallFailed.of(FailureKind.TIMEOUT, "the answer took too long", retryable=True)


class Hung(SimulatedService):
    """Calls to `where` (a Region, or the operation `open`) are swallowed until their time is up."""

    where: str = DEAD
    patience: float = 30.0

    async def _call(self, operation: str, target: TargetKey, key: str | None = None) -> None:
        await super()._call(operation, target, key)
        if self.where in (target.region, operation):
            await anyio.sleep(self.patience)
            raise hung()


def test_a_region_that_swallows_every_call_keeps_no_other_waiting_and_is_given_up() -> None:
    ends: dict[str, float] = {}

    async def main() -> None:
        async def emit(event: object) -> None:
            if isinstance(event, TargetEnded):
                ends[event.target.region] = anyio.current_time()

        settings = config(120, ("us-east-1", DEAD))
        await Scan(settings, Hung(), Limits(anyio.CapacityLimiter(64), 8), "0", emit).run()

    run(main())
    alone = run(inventory_of(config(120), SimulatedService()))[1]
    assert ends["us-east-1"] < alone * 1.5
    assert ends[DEAD] < 2.1 * Hung.patience


def test_credentials_that_never_come_cost_thousands_of_accounts_a_minute_and_not_a_night() -> None:
    source = Hung()
    source.where = "open"
    whole, seconds = run(inventory_of(config(2000), source))
    assert whole.coverage.targets.failed == len(whole.failures) == 2000
    assert seconds < 4.1 * Hung.patience


def test_a_dead_region_is_given_up_after_a_few_connections() -> None:
    source = SimulatedService(gateways=2, fault=dead(), latency=0.001)
    run(inventory_of(config(100, (DEAD,)), source))
    assert source.calls["list"] < OPENS_AT + 2 * UNPROVEN + PATIENCE / INTERVAL


def test_one_silent_gateway_does_not_condemn_its_region() -> None:
    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        return hung() if key and int(key[-8:], 16) % 10 == 0 else None

    whole, _ = run(inventory_of(config(1, (DEAD,)), SimulatedService(gateways=100, fault=fault)))
    assert (whole.coverage.gateways.scanned, whole.coverage.gateways.failed) == (90, 10)


@pytest.mark.parametrize("way", ["connecting", "swallowed"])
def test_a_short_outage_of_everything_costs_nothing_but_its_time(way: str) -> None:
    """Whatever was under way together tells of one moment only."""

    class Broken(SimulatedService):
        async def _call(self, operation: str, target: TargetKey, key: str | None = None) -> None:
            if 1 <= anyio.current_time() < 8:
                await anyio.sleep({"connecting": 5.0, "swallowed": 30.0}[way])
                raise hung() if way == "swallowed" else refused()
            await super()._call(operation, target, key)

    whole, _ = run(inventory_of(config(40, ("us-east-1", DEAD)), Broken(gateways=20, volumes=1)))
    assert whole.failures == ()
    assert whole.coverage.targets.complete == 80


def test_connections_that_break_now_and_then_let_every_account_in() -> None:
    dice = random.Random(3)

    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        broke = CallFailed.of(FailureKind.NETWORK, "reset", retryable=True)
        return broke if operation == "open" and dice.random() < 0.05 else None

    whole, _ = run(inventory_of(config(2000), SimulatedService(gateways=0, fault=fault)))
    assert whole.coverage.targets.complete == 2000


def test_who_must_wait_long_anyway_does_not_keep_others_from_a_gate_that_is_shut() -> None:
    class Listener:
        def wake(self) -> bool:
            return False

    breaker, late, other = CircuitBreaker(DEAD), Listener(), Listener()
    for _ in range(OPENS_AT):
        strike(breaker, refused(), 100.0, 100.0)
    assert breaker.ready_at(400.0, late.wake) == 400.0
    assert breaker.ready_at(100.2, other.wake) == 100.0 + INTERVAL


def test_calls_sent_before_it_opened_do_not_give_an_endpoint_up() -> None:
    """They tell of the moment at which they were sent; only what is tried afterwards decides."""
    breaker = CircuitBreaker(DEAD)
    for _ in range(OPENS_AT * 3):
        strike(breaker, refused(), 100.0, 100.0)
    strike(breaker, refused(), 99.0, 101.0 + PATIENCE)
    breaker.check(0)
    assert breaker.is_open
