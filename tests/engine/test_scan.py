"""What a scan promises whatever the service does: nothing is lost, nothing waits for another."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import anyio
import pytest

from scanner.engine.calls.paging import MOST_PAGES
from scanner.engine.calls.scheduler import Limits
from scanner.engine.scan import ACTIVE_PER_SLOT, Scan
from scanner.inventory.events import Event, FailureSeen
from scanner.inventory.records import FailureKind, FailureScope, GatewayStatus, Outcome, TargetStatus
from scanner.service.answers import GatewayPage, RecoveryPoint, RecoveryPoints
from scanner.service.errors import CallFailed, GatewayNotApplicable, GatewayVanished
from scanner.service.protocol import TargetKey
from tests.engine.simulated import NOW, SimulatedService, cached, config, denied, inventory_of, throttle
from tests.virtual import run


def test_every_gateway_of_every_page_of_every_target_is_read() -> None:
    source = SimulatedService(gateways=25, volumes=3, page_size=10)
    whole, _ = run(inventory_of(config(3, ("us-east-1", "eu-west-1")), source))
    assert whole.scan.outcome is Outcome.COMPLETE
    assert whole.coverage.targets.complete == 6
    assert whole.coverage.gateways.scanned == 6 * 25
    assert whole.coverage.volumes.known == 6 * 25 * 3
    assert whole.coverage.calls.attempted == source.calls["list"] + source.calls["read"] == 6 * (3 + 25)


def test_calls_in_flight_stay_within_both_limits() -> None:
    source = SimulatedService(gateways=60)
    run(inventory_of(config(3, max_concurrency=10, max_concurrency_per_target=4), source))
    assert source.peak["all"] == 10
    assert max(peak for scope, peak in source.peak.items() if scope != "all") == 4


def test_a_gateway_is_asked_while_the_listing_goes_on() -> None:
    source = SimulatedService(gateways=40, page_size=4, latency=1.0)
    _, seconds = run(inventory_of(config(), source))
    assert seconds < 10 + 40 / 8 + 4


def test_a_throttled_target_holds_up_no_other() -> None:
    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        return throttle() if target.account_id == "000000000001" and operation == "read" else None

    quick, alone = run(inventory_of(config(20), SimulatedService(gateways=50)))
    slots = config(21, max_concurrency=8)
    whole, _ = run(inventory_of(slots, SimulatedService(gateways=50, fault=fault)))
    assert quick.coverage.gateways.scanned == 20 * 50
    assert whole.coverage.gateways.scanned == 20 * 50
    assert {failure.kind for failure in whole.failures} == {FailureKind.THROTTLED}
    assert alone < 10


def test_a_call_that_fails_for_a_moment_is_tried_again() -> None:
    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        busy = CallFailed.of(FailureKind.SERVER_ERROR, "busy", retryable=True)
        return busy if operation == "read" and nth < 3 else None

    whole, _ = run(inventory_of(config(), SimulatedService(gateways=3, fault=fault)))
    assert whole.scan.outcome is Outcome.COMPLETE
    assert whole.coverage.calls.retried == 6


def test_a_call_that_keeps_failing_costs_its_gateway_only() -> None:
    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        gone = CallFailed.of(
            FailureKind.GATEWAY_UNREACHABLE, "off", code="GatewayNotConnected", retryable=True
        )
        return gone if key and key.endswith("1") else None

    whole, _ = run(inventory_of(config(), SimulatedService(gateways=3, fault=fault)))
    (failure,) = whole.failures
    assert (failure.scope, failure.attempts, failure.code) == (FailureScope.GATEWAY, 8, "GatewayNotConnected")
    assert whole.targets[0].status is TargetStatus.PARTIAL
    assert [gateway.status for gateway in whole.gateways].count(GatewayStatus.SCANNED) == 2


def test_a_denied_target_is_asked_one_gateway_at_a_time() -> None:
    """A role may be allowed to read only some gateways, so none is given up unasked; but it holds one slot only."""

    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        return denied() if operation == "read" else None

    source = SimulatedService(gateways=500, fault=fault)
    whole, seconds = run(inventory_of(config(), source))
    assert source.calls["read"] == whole.coverage.gateways.failed == 500
    assert seconds > 480 * source.latency
    assert {failure.kind for failure in whole.failures} == {FailureKind.ACCESS_DENIED}
    assert whole.coverage.calls.attempted == source.calls["list"] + source.calls["read"]


def test_every_gateway_that_a_role_may_read_is_read_whatever_was_denied_before() -> None:
    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        return denied() if operation == "read" and key and int(key[-8:], 16) < 92 else None

    whole, _ = run(inventory_of(config(), SimulatedService(gateways=100, fault=fault)))
    assert (whole.coverage.gateways.scanned, whole.coverage.gateways.failed) == (8, 92)


def test_a_denied_listing_fails_its_target_at_once() -> None:
    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        return denied() if operation == "list" else None

    source = SimulatedService(fault=fault)
    whole, _ = run(inventory_of(config(), source))
    assert source.calls["list"] == 1
    assert whole.targets[0].status is TargetStatus.FAILED
    assert whole.scan.outcome is Outcome.FAILED


def test_an_interrupted_scan_does_not_wait_for_the_slots_of_another() -> None:
    """Two scans of one Scanner share its slots, and the other one's calls may be silent."""

    async def main() -> list[Event]:
        slots, seen = anyio.CapacityLimiter(1), []

        async def emit(event: Event) -> None:
            seen.append(event)

        async with slots, anyio.create_task_group() as group:
            scan = Scan(config(), SimulatedService(), Limits(slots, 8), "0", emit)
            group.start_soon(scan.run)
            await anyio.sleep(1)
            scan.interrupt()
        return seen

    seen, seconds = run(main())
    assert seconds == pytest.approx(1)
    (failure,) = [event.failure for event in seen if isinstance(event, FailureSeen)]
    assert (failure.kind, failure.attempts) == (FailureKind.INTERRUPTED, 0)


def test_other_gateway_types_are_counted_and_never_asked() -> None:
    kinds = ["CACHED", "STORED", "VTL", "FILE_S3", "SOMETHING_NEW", None]

    def pages(target: TargetKey, marker: str | None) -> GatewayPage:
        return GatewayPage(tuple(cached(target, number, kind) for number, kind in enumerate(kinds)))

    source = SimulatedService(pages=pages)
    whole, _ = run(inventory_of(config(), source))
    assert source.calls["read"] == 2
    assert whole.coverage.gateways.not_applicable == 4


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (GatewayVanished.of(FailureKind.INVALID_REQUEST, "gone"), GatewayStatus.VANISHED),
        (GatewayNotApplicable.of(FailureKind.INVALID_REQUEST, "no"), GatewayStatus.NOT_APPLICABLE),
    ],
)
def test_a_gateway_that_has_no_points_to_give_is_no_failure(error: CallFailed, status: GatewayStatus) -> None:
    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        return error if operation == "read" else None

    whole, _ = run(inventory_of(config(), SimulatedService(gateways=1, fault=fault)))
    assert whole.gateways[0].status is status
    assert whole.scan.outcome is Outcome.COMPLETE


def test_a_listed_entry_that_cannot_be_asked_counts_as_failed_but_is_no_gateway() -> None:
    def pages(target: TargetKey, marker: str | None) -> GatewayPage:
        elsewhere = cached(TargetKey("999999999999", target.region), 7)
        broken = replace(cached(target, 8), arn="arn:aws:s3:::bucket")
        nameless = replace(cached(target, 9), arn=None)
        return GatewayPage((cached(target, 1), elsewhere, broken, nameless))

    whole, _ = run(inventory_of(config(), SimulatedService(pages=pages)))
    assert (whole.coverage.gateways.listed, whole.coverage.gateways.failed) == (4, 3)
    assert len(whole.gateways) == 1
    assert Counter(failure.scope for failure in whole.failures) == {FailureScope.TARGET: 3}


def test_two_entries_of_one_gateway_that_contradict_each_other_fail_it() -> None:
    """Neither may be believed: one of them would make it a gateway that is not asked."""

    def pages(target: TargetKey, marker: str | None) -> GatewayPage:
        return GatewayPage(
            (cached(target, 1), cached(target, 1, "FILE_S3"), cached(target, 2), cached(target, 2))
        )

    source = SimulatedService(pages=pages)
    whole, _ = run(inventory_of(config(), source))
    assert [gateway.status for gateway in whole.gateways] == [GatewayStatus.FAILED, GatewayStatus.SCANNED]
    assert [failure.kind for failure in whole.failures] == [FailureKind.INVALID_RESPONSE]
    assert source.calls["read"] == 1


def test_what_names_another_partition_is_of_another_target() -> None:
    def pages(target: TargetKey, marker: str | None) -> GatewayPage:
        stray = replace(
            cached(target, 2), arn=(cached(target, 2).arn or "").replace("arn:aws:", "arn:aws-cn:")
        )
        return GatewayPage((cached(target, 1), stray))

    def points(target: TargetKey, gateway: str) -> RecoveryPoints:
        arn = f"{gateway}/volume/vol-1".replace("arn:aws:", "arn:aws-cn:")
        return RecoveryPoints(NOW, (RecoveryPoint(arn),))

    source = SimulatedService(pages=pages, points=points)
    whole, _ = run(inventory_of(config(), source))
    assert source.calls["read"] == 1
    assert (whole.coverage.gateways.listed, whole.coverage.gateways.failed) == (2, 2)
    assert {failure.kind for failure in whole.failures} == {FailureKind.INVALID_RESPONSE}


def test_an_answer_that_cannot_be_trusted_tells_how_often_it_was_asked_for_and_by_which_request() -> None:
    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        return CallFailed.of(FailureKind.SERVER_ERROR, "busy", retryable=True) if nth < 3 else None

    def points(target: TargetKey, gateway: str) -> RecoveryPoints:
        return RecoveryPoints(NOW, (RecoveryPoint("arn:aws:s3:::bucket"),), "request-7")

    source = SimulatedService(gateways=1, points=points, fault=fault)
    (failure,) = run(inventory_of(config(), source))[0].failures
    assert (failure.kind, failure.attempts) == (FailureKind.INVALID_RESPONSE, 3)
    assert failure.request_id == "request-7"


def test_what_the_deadline_cuts_off_tells_how_often_it_was_tried() -> None:
    """Zero means that nothing was sent."""

    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        hopeless = CallFailed.of(FailureKind.SERVER_ERROR, "busy", retryable=True, retry_after=4.0)
        return hopeless if operation == "list" else None

    whole, _ = run(inventory_of(config(deadline="10s"), SimulatedService(fault=fault)))
    (failure,) = whole.failures
    assert (failure.kind, failure.operation, failure.attempts) == (FailureKind.DEADLINE, "ListGateways", 3)
    assert whole.coverage.calls.attempted == 3


def test_a_listing_that_brings_ever_new_gateways_is_ended() -> None:
    def pages(target: TargetKey, marker: str | None) -> GatewayPage:
        number = int(marker or 0)
        return GatewayPage((cached(target, number, "FILE_S3"),), str(number + 1))

    source = SimulatedService(pages=pages)
    whole, _ = run(inventory_of(config(), source))
    assert source.calls["list"] == MOST_PAGES
    assert whole.targets[0].status is TargetStatus.PARTIAL
    assert "did not end" in whole.failures[0].message


@pytest.mark.parametrize("markers", [["a", "a"], [str(number) for number in range(1000)]])
def test_a_listing_that_never_ends_is_ended(markers: list[str]) -> None:
    following = iter(markers)

    def pages(target: TargetKey, marker: str | None) -> GatewayPage:
        return GatewayPage((cached(target, 1),) if marker is None else (), next(following))

    whole, _ = run(inventory_of(config(), SimulatedService(pages=pages)))
    assert whole.targets[0].status is TargetStatus.PARTIAL
    assert whole.failures[0].kind is FailureKind.INVALID_RESPONSE
    assert whole.coverage.gateways.scanned == 1


def test_a_volume_that_was_moved_stands_once_with_its_newer_point() -> None:
    def points(target: TargetKey, gateway: str) -> RecoveryPoints:
        hours = 1 if gateway.endswith("1") else 5
        arn = f"arn:aws:storagegateway:{target.region}:{target.account_id}:gateway/sgw-00000009/volume/vol-1"
        return RecoveryPoints(NOW, (RecoveryPoint(arn, 1, 1, NOW - timedelta(hours=hours)),))

    whole, _ = run(inventory_of(config(), SimulatedService(gateways=3, points=points)))
    (volume,) = whole.volumes
    assert (volume.gateway_arn or "").endswith("1")
    assert volume.verdict.age_seconds == 3600


@pytest.mark.parametrize(
    ("second", "status"),
    [
        ({}, GatewayStatus.SCANNED),
        ({"size_bytes": 2}, GatewayStatus.FAILED),
        ({"arn": "arn:aws:storagegateway:us-east-1:999999999999:volume/vol-1"}, GatewayStatus.FAILED),
    ],
)
def test_one_bad_record_costs_its_gateway(second: dict[str, object], status: GatewayStatus) -> None:
    def points(target: TargetKey, gateway: str) -> RecoveryPoints:
        one = RecoveryPoint(f"{gateway}/volume/vol-1", 1, 1, NOW)
        return RecoveryPoints(NOW, (one, replace(one, **second)))  # type: ignore[arg-type]

    whole, _ = run(inventory_of(config(), SimulatedService(gateways=1, points=points)))
    assert whole.gateways[0].status is status
    assert len(whole.volumes) == (status is GatewayStatus.SCANNED)


def test_what_the_deadline_leaves_is_reported_gateway_by_gateway() -> None:
    source = SimulatedService(gateways=100, latency=1.0)
    whole, seconds = run(inventory_of(config(30, deadline="10s", max_concurrency=8), source))
    assert 10 <= seconds < 10.1
    assert whole.scan.deadline_reached
    assert {failure.kind for failure in whole.failures} == {FailureKind.DEADLINE}
    assert whole.coverage.targets.planned == 30
    assert whole.coverage.gateways.scanned > 0


def test_five_thousand_targets_need_no_task_each() -> None:
    source = SimulatedService(gateways=1, volumes=1)
    regions = tuple(f"us-east-{number}" for number in range(1, 21))
    whole, _ = run(inventory_of(config(250, regions), source))
    assert whole.coverage.targets.complete == 5_000
    assert source.peak["all"] == 64


def test_gateways_that_are_offline_cost_the_others_none_of_their_tries() -> None:
    """Thirty are not connected until their tries run out; thirty fail three times, and are read."""

    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        if operation != "read" or not key:
            return None
        if int(key[-8:], 16) % 2:
            return CallFailed.of(FailureKind.GATEWAY_UNREACHABLE, "not connected", retryable=True)
        return CallFailed.of(FailureKind.SERVER_ERROR, "busy", retryable=True) if nth <= 3 else None

    whole, _ = run(inventory_of(config(), SimulatedService(gateways=60, fault=fault)))
    assert (whole.coverage.gateways.scanned, whole.coverage.gateways.failed) == (30, 30)
    assert {failure.kind for failure in whole.failures} == {FailureKind.GATEWAY_UNREACHABLE}
    assert {failure.attempts for failure in whole.failures} == {8}


def test_of_a_target_that_has_ended_nothing_is_kept_but_a_rate_that_was_learnt() -> None:
    """The next scan of the same Scanner begins with it; tens of thousands of others would fill memory."""

    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        slow = operation == "read" and target.account_id == "000000000003" and nth == 1
        return throttle() if slow else None

    asked, limits = config(20), Limits(anyio.CapacityLimiter(64), 8)

    async def ignore(event: Event) -> None:
        pass

    async def main() -> None:
        await Scan(asked, SimulatedService(gateways=9, fault=fault), limits, "0", ignore).run()

    run(main())
    assert {key for key in limits.limiters if isinstance(key, TargetKey)} == {
        TargetKey("000000000003", "us-east-1")
    }


def test_a_volume_in_both_forms_of_its_arn_counts_once() -> None:
    """In one gateway's answer, and in those of two gateways while it is moved."""

    def points(target: TargetKey, gateway: str) -> RecoveryPoints:
        prefix = f"arn:aws:storagegateway:{target.region}:{target.account_id}"
        long, short = f"{prefix}:gateway/sgw-00000009/volume/vol-1", f"{prefix}:volume/vol-1"
        if gateway.endswith("1"):
            return RecoveryPoints(NOW, (RecoveryPoint(long, 1, 1, NOW), RecoveryPoint(short, 1, 1, NOW)))
        return RecoveryPoints(NOW, (RecoveryPoint(short, 1, 1, NOW - timedelta(hours=5)),))

    whole, _ = run(inventory_of(config(), SimulatedService(gateways=3, points=points)))
    (volume,) = whole.volumes
    assert ((volume.gateway_arn or "")[-1], volume.verdict.age_seconds) == ("1", 0.0)


def test_a_volume_that_is_moved_counts_once_with_its_newer_recovery_point() -> None:
    """Both gateways answer for it, each with its own name in the ARN."""

    def points(target: TargetKey, gateway: str) -> RecoveryPoints:
        age = timedelta(hours=0 if gateway.endswith("1") else 30)
        return RecoveryPoints(NOW, (RecoveryPoint(f"{gateway}/volume/vol-1", 1, 1, NOW - age),))

    whole, _ = run(inventory_of(config(), SimulatedService(gateways=3, points=points)))
    (volume,) = whole.volumes
    assert ((volume.gateway_arn or "")[-1], volume.verdict.age_seconds) == ("1", 0.0)
    assert whole.coverage.volumes.known == whole.targets[0].volumes == 1


def test_targets_that_wait_are_bounded_by_the_slots_of_the_scan() -> None:
    """However many there are: each that is under way takes memory."""
    limits, most = Limits(anyio.CapacityLimiter(1), 8), 0

    async def emit(event: Event) -> None:
        nonlocal most
        most = max(most, len(limits.limiters))

    async def main() -> None:
        regions = tuple(f"us-east-{number}" for number in range(1, 201))
        await Scan(config(1, regions), SimulatedService(gateways=1), limits, "1", emit).run()

    run(main())
    assert 1 < most <= ACTIVE_PER_SLOT + 5
