"""How far a scan is: what is known, how fast it goes, and what it waits for."""

from scanner.cli.terminal.progress import Progress
from scanner.inventory.events import CallRetried, GatewayEnded, GatewaysListed, TargetEnded, TargetPlanned
from scanner.inventory.records import FailureKind, GatewayStatus, Target, TargetStatus
from tests.strategies import gateway, volume

ONE, TWO = "000000000001", "000000000002"
HERE = gateway(ONE, "us-east-1", 1, GatewayStatus.SCANNED)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def throttled(
    account: str, delay: float | None = 1.0, kind: FailureKind = FailureKind.THROTTLED
) -> CallRetried:
    return CallRetried(account, "us-east-1", None, "ListGateways", kind, "Slow", "r-1", 1, delay)


def running() -> tuple[Progress, Clock]:
    clock = Clock()
    state = Progress(clock)
    for account in (ONE, TWO):
        state.add(TargetPlanned(account, None, "us-east-1"))
    return state, clock


def test_what_is_known_and_done_is_told() -> None:
    state, _ = running()
    state.add(GatewaysListed(ONE, "us-east-1", 1200))
    state.add(GatewayEnded(HERE, (volume(HERE, 1),)))
    assert state.line() == "2 accounts, 1 of 1,200 gateways, 1 volume, 2 answers/s"
    assert (state.planned, state.ended) == (2, 0)


def test_the_rate_is_that_of_the_last_seconds() -> None:
    """Or of those since the scan began, where these are fewer."""
    state, clock = running()
    clock.now += 2
    for _ in range(50):
        state.add(GatewayEnded(HERE))
    assert "25 answers/s" in state.line()
    clock.now += 3
    assert "10 answers/s" in state.line()
    clock.now += 6
    assert "0 answers/s" in state.line()


def test_what_is_throttled_or_waits_is_told_with_the_one_that_does_for_longest() -> None:
    state, clock = running()
    state.add(throttled(ONE))
    clock.now += 4
    state.add(throttled(ONE))
    state.add(throttled(TWO, 20.0, FailureKind.TIMEOUT))
    assert state.line().endswith(f"; 1 throttled, 1 waiting (longest {ONE} us-east-1, 4 s)")
    clock.now += 10
    assert state.line().endswith(f"; 1 waiting (longest {TWO} us-east-1, 10 s)")


def test_a_target_that_has_ended_waits_no_more() -> None:
    state, _ = running()
    state.add(throttled(ONE))
    state.add(TargetEnded(Target(account_id=ONE, region="us-east-1", status=TargetStatus.COMPLETE)))
    assert "throttled" not in state.line()
    assert state.ended == 1
