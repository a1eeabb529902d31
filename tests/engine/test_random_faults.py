"""Whatever breaks: the inventory is the truth minus what cannot be read, and nothing else is missing."""

import asyncio
import random
from dataclasses import dataclass
from typing import NamedTuple

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.engine.calls.scheduler import Limits
from scanner.engine.scan import Scan
from scanner.inventory.collect import Collector
from scanner.inventory.events import Event
from scanner.inventory.records import FailureKind, GatewayStatus, TargetStatus
from scanner.service.errors import CallFailed, GatewayVanished
from scanner.service.protocol import TargetKey
from tests.engine.simulated import Fault, SimulatedService, cached, config, events_of, inventory_of
from tests.virtual import run

REGIONS = ("us-east-1", "eu-west-1")
FOR_EVER = 10**9
RETRIED = (FailureKind.THROTTLED, FailureKind.TIMEOUT, FailureKind.NETWORK, FailureKind.SERVER_ERROR)
REFUSED = (FailureKind.ACCESS_DENIED, FailureKind.CREDENTIALS, FailureKind.INVALID_RESPONSE)


class Call(NamedTuple):
    """What may break: a call by operation, target and gateway or marker."""

    operation: str
    target: TargetKey
    key: str | None = None


@dataclass(frozen=True)
class CallFault:
    """One call fails with `kind` on its first `times` tries."""

    kind: FailureKind
    times: int

    def error(self) -> CallFailed:
        return CallFailed.of(self.kind, "fault", retryable=self.kind in RETRIED, by_resource_policy=True)


@dataclass(frozen=True)
class Fleet:
    """Targets with gateways in pages of two, and the calls that break."""

    accounts: int
    gateways: int
    faults: dict[Call, CallFault]

    def fault(self, operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        fault = self.faults.get(Call(operation, target, key))
        return fault.error() if fault and nth <= fault.times else None

    def lost(self, operation: str, target: TargetKey, key: str | None = None) -> bool:
        fault = self.faults.get(Call(operation, target, key))
        return fault is not None and fault.times == FOR_EVER

    def expected(self, target: TargetKey) -> tuple[TargetStatus, dict[str, GatewayStatus]]:
        gateways: dict[str, GatewayStatus] = {}
        if self.lost("open", TargetKey(target.account_id, "")):
            return TargetStatus.FAILED, gateways
        for start in range(0, max(self.gateways, 1), 2):
            if self.lost("list", target, str(start) if start else None):
                return TargetStatus.PARTIAL if gateways else TargetStatus.FAILED, gateways
            for number in range(start, min(start + 2, self.gateways)):
                arn = arn_of(target, number)
                lost = self.lost("read", target, arn)
                gateways[arn] = GatewayStatus.FAILED if lost else GatewayStatus.SCANNED
        lost_any = GatewayStatus.FAILED in gateways.values()
        return TargetStatus.PARTIAL if lost_any else TargetStatus.COMPLETE, gateways

    @property
    def targets(self) -> list[TargetKey]:
        return [TargetKey(f"{n:012d}", region) for n in range(1, self.accounts + 1) for region in REGIONS]


def arn_of(target: TargetKey, number: int) -> str:
    arn = cached(target, number).arn
    assert arn
    return arn


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    accounts, gateways = draw(st.integers(1, 3)), draw(st.integers(0, 5))
    bare = Fleet(accounts, gateways, {})
    calls = [Call("open", TargetKey(target.account_id, "")) for target in bare.targets[::2]]
    for target in bare.targets:
        calls += [Call("list", target, str(start) if start else None) for start in range(0, gateways + 1, 2)]
        calls += [Call("read", target, arn_of(target, number)) for number in range(gateways)]
    passing = st.builds(CallFault, st.sampled_from(RETRIED), st.integers(1, 3))
    lasting = st.builds(CallFault, st.sampled_from(RETRIED + REFUSED), st.just(FOR_EVER))
    return Fleet(
        accounts, gateways, draw(st.dictionaries(st.sampled_from(calls), passing | lasting, max_size=8))
    )


@settings(max_examples=60)
@given(fleets())
def test_only_what_cannot_be_read_is_missing(fleet: Fleet) -> None:
    source = SimulatedService(fleet.gateways, 2, page_size=2, fault=fleet.fault)
    whole, _ = run(inventory_of(config(fleet.accounts, REGIONS), source))
    found = {TargetKey(target.account_id, target.region): target.status for target in whole.targets}
    statuses = {gateway.arn: gateway.status for gateway in whole.gateways}
    expected = {target: fleet.expected(target) for target in fleet.targets}
    assert found == {target: status for target, (status, _) in expected.items()}
    assert statuses == {arn: status for _, gateways in expected.values() for arn, status in gateways.items()}
    scanned = [arn for arn, status in statuses.items() if status is GatewayStatus.SCANNED]
    assert len(whole.volumes) == 2 * len(scanned)
    assert {volume.gateway_arn for volume in whole.volumes} == set(scanned)
    calls = whole.coverage.calls
    assert calls.attempted == source.calls["list"] + source.calls["read"]
    assert calls.retried == sum(
        tries - 1 for (operation, _, _), tries in source.tries.items() if operation != "open"
    )
    lasting = sum(fault.times == FOR_EVER for fault in fleet.faults.values())
    assert len(whole.failures) <= lasting
    assert (not whole.failures) == all(status is TargetStatus.COMPLETE for status in found.values())


def at_random(share: float, seed: int = 1) -> Fault:
    """Every call breaks with this likelihood, each time in another way."""
    dice = random.Random(seed)
    kinds = [kind for kind in FailureKind if kind not in (FailureKind.DEADLINE, FailureKind.INTERRUPTED)]

    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        if dice.random() >= share:
            return None
        kind = dice.choice(kinds)
        if operation == "read" and dice.random() < 0.1:
            return GatewayVanished.of(FailureKind.INVALID_REQUEST, "gone")
        connected = kind is not FailureKind.NETWORK or dice.random() < 0.5
        sent = kind is not FailureKind.CREDENTIALS or dice.random() < 0.5
        return CallFailed.of(kind, "fault", retryable=kind in RETRIED, connected=connected, sent=sent)

    return fault


@pytest.mark.parametrize("details", [(), ("gateway", "volumes", "tags")])
def test_a_large_fleet_with_every_kind_of_trouble_ends_with_balanced_books(details: tuple[str, ...]) -> None:
    regions = tuple(f"us-east-{number}" for number in range(1, 11))
    source = SimulatedService(2, 2, fault=at_random(0.05))
    whole, _ = run(inventory_of(config(100, regions, details=details), source))
    targets, gateways = whole.coverage.targets, whole.coverage.gateways
    assert targets.planned == 1000
    assert targets.complete + targets.partial + targets.failed == 1000
    assert targets.complete > (600 if not details else 300)
    assert gateways.listed == gateways.scanned + gateways.failed + gateways.vanished == len(whole.gateways)
    assert whole.coverage.volumes.known == 2 * gateways.scanned
    assert not [failure for failure in whole.failures if "given up" in failure.message]


class Silent(SimulatedService):
    """Whatever is asked of one target hangs."""

    async def _call(self, operation: str, target: TargetKey, key: str | None = None) -> None:
        await super()._call(operation, target, key)
        if target == TargetKey("000000000001", "us-east-1"):
            await anyio.sleep_forever()


@pytest.mark.parametrize("end", ["deadline", "interrupt"])
def test_a_scan_whose_calls_hang_ends_when_it_is_told(end: str) -> None:
    asked = config(200, REGIONS, **({"deadline": "30s"} if end == "deadline" else {}))
    collector = Collector()

    async def main() -> None:
        async def emit(event: Event) -> None:
            collector.add(event)

        scan = Scan(asked, Silent(), Limits(anyio.CapacityLimiter(64), 8), "1", emit)
        async with anyio.create_task_group() as group:
            group.start_soon(scan.run)
            await anyio.sleep(30)
            if end == "interrupt":
                scan.interrupt()

    _, seconds = run(main())
    whole = collector.inventory()
    assert 30 <= seconds < 32
    assert (whole.scan.deadline_reached, whole.scan.interrupted) == (end == "deadline", end == "interrupt")
    assert (whole.coverage.targets.complete, whole.coverage.targets.failed) == (399, 1)


@pytest.mark.parametrize("moment", [0.0, 0.01, 0.05, 0.3, 1.0])
def test_cancelling_a_scan_leaves_no_task_and_no_lane_behind(moment: float) -> None:
    limits = Limits(anyio.CapacityLimiter(64), 8)

    async def ignore(event: Event) -> None:
        pass

    async def main() -> None:
        scan = Scan(config(300, REGIONS), SimulatedService(gateways=20), limits, "1", ignore)
        task = asyncio.create_task(scan.run())
        await asyncio.sleep(moment)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(main())
    assert limits.slots.borrowed_tokens == 0
    assert not any(limiter.listeners or limiter.in_flight for limiter in limits.limiters.values())


def test_a_defect_of_the_source_is_raised_and_not_swallowed() -> None:
    source = SimulatedService(points=lambda target, gateway: 1 // 0)  # type: ignore[arg-type,return-value]
    with pytest.raises(ExceptionGroup):
        run(events_of(config(3), source))
