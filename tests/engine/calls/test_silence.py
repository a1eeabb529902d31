"""Gateways that swallow calls keep no others from being read."""

import anyio
import pytest

from scanner.engine.calls.scheduler import Limits
from scanner.engine.calls.silence import AT_FIRST, GENEROUS, SHARE, SILENT_AFTER, Silence, SilentShare
from scanner.engine.scan import Scan
from scanner.inventory.events import TargetEnded
from scanner.inventory.records import FailureKind, GatewayStatus
from scanner.service.errors import CallFailed
from scanner.service.protocol import TargetKey
from tests.engine.simulated import SimulatedService, config, inventory_of
from tests.virtual import run


class Swallowing(SimulatedService):
    """The first accounts' gateways hold every call until its time is up."""

    silent_accounts: int = 40
    patience: float = 30.0

    async def _call(self, operation: str, target: TargetKey, key: str | None = None) -> None:
        await super()._call(operation, target, key)
        if operation == "read" and int(target.account_id) <= self.silent_accounts:
            await anyio.sleep(self.patience)
            raise CallFailed.of(FailureKind.TIMEOUT, "the answer took too long", retryable=True)


def ends(service: SimulatedService, accounts: int) -> dict[str, float]:
    """When each account's target ended, in virtual seconds."""
    found: dict[str, float] = {}

    async def emit(event: object) -> None:
        if isinstance(event, TargetEnded):
            found[event.target.account_id] = anyio.current_time()

    async def main() -> None:
        await Scan(config(accounts), service, Limits(anyio.CapacityLimiter(64), 8), "0", emit).run()

    run(main())
    return found


def test_forty_silent_targets_hold_up_two_hundred_healthy_ones_by_a_moment() -> None:
    alone = max(ends(SimulatedService(gateways=8), 200).values())
    all_ends = ends(Swallowing(gateways=8), 240)
    healthy = [at for account, at in all_ends.items() if int(account) > 40]
    assert len(healthy) == 200
    assert max(healthy) < 4 * alone


def test_more_silent_targets_than_slots_cost_the_others_a_few_time_outs() -> None:
    service = Swallowing(gateways=8)
    service.silent_accounts = 100
    healthy = [at for account, at in ends(service, 200).items() if int(account) > 100]
    assert max(healthy) < 5 * service.patience


@pytest.mark.parametrize("silent", [1, 3])
def test_a_silent_gateway_does_not_hide_its_neighbours(silent: int) -> None:
    class Some(SimulatedService):
        async def _call(self, operation: str, target: TargetKey, key: str | None = None) -> None:
            await super()._call(operation, target, key)
            if operation == "read" and key and int(key[-8:], 16) < silent:
                await anyio.sleep(30)
                raise CallFailed.of(FailureKind.TIMEOUT, "the answer took too long", retryable=True)

    whole, _ = run(inventory_of(config(), Some(gateways=20)))
    statuses = [gateway.status for gateway in whole.gateways]
    assert statuses.count(GatewayStatus.SCANNED) == 20 - silent


class Listener:
    def __init__(self) -> None:
        self.told = 0

    def wake(self) -> bool:
        self.told += 1
        return False


def test_doubtful_calls_hold_no_more_than_their_share_and_the_next_is_told_when_one_ends() -> None:
    share, listener = SilentShare(64), Listener()
    silent = Silence(swallowed=True)
    for _ in range(int(64 * SHARE)):
        assert share.ready_at(1.0, silent, listener.wake) == 1.0
        assert share.take(1.0, silent)
    assert share.ready_at(1.0, silent, listener.wake) is None
    assert share.ready_at(1.0, Silence(answered=True), listener.wake) == 1.0
    share.release(doubtful=True)
    assert listener.told == 1
    assert share.ready_at(1.0, silent, listener.wake) == 1.0


def test_a_target_with_a_call_that_waits_for_long_gets_one_more_for_each_stretch_of_silence() -> None:
    share, listener = SilentShare(64), Listener()
    silence = Silence(swallowed=True, sent_at={1: 10.0})
    assert share.ready_at(10.5, silence, listener.wake) == 10.0 + SILENT_AFTER
    for _ in range(int(64 * GENEROUS)):
        share.take(10.5, silence)
    assert share.ready_at(10.5, silence, listener.wake) is None


def test_a_target_that_has_not_answered_yet_may_have_a_few_calls_in_flight() -> None:
    """Nothing is wrong with it as far as anybody knows, as long as none of its calls was swallowed."""
    share, listener, silence = SilentShare(64), Listener(), Silence()
    assert not silence.doubtful(0.0)
    for number in range(AT_FIRST):
        assert share.ready_at(0.0, silence, listener.wake) == 0.0
        silence.sent_at[number] = 0.0
    assert share.ready_at(0.0, silence, listener.wake) == SILENT_AFTER * AT_FIRST


def test_a_target_that_leaves_hands_its_turn_on() -> None:
    share, gone, other = SilentShare(4), Listener(), Listener()
    silent = Silence(swallowed=True)
    while share.ready_at(0.0, silent, gone.wake) is not None:
        share.take(0.0, silent)
    assert share.ready_at(0.0, silent, other.wake) is None
    share.leave(gone.wake)
    assert (gone.told, other.told) == (0, 1)
