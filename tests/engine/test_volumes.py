"""What ListVolumes adds: every volume is accounted for, whether or not it has a recovery point or a gateway."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from scanner.engine.calls.paging import PAGES_WITHOUT_NEWS
from scanner.inventory.events import FieldsDropped
from scanner.inventory.model import Inventory
from scanner.inventory.records import FailureKind, GatewayStatus, Outcome, TargetStatus, VerdictStatus
from scanner.service.answers import GatewayPage, ListedVolume, RecoveryPoint, RecoveryPoints, VolumePage
from scanner.service.errors import CallFailed, GatewayNotApplicable, GatewayVanished
from scanner.service.protocol import TargetKey
from tests.engine.simulated import (
    NOW,
    Fault,
    SimulatedService,
    cached,
    config,
    denied,
    events_of,
    inventory_of,
)
from tests.virtual import run

REGION = "arn:aws:storagegateway:us-east-1:000000000001"
FIRST, SECOND, THIRD = (f"{REGION}:gateway/sgw-0000000{number}" for number in range(3))


def entry(
    gateway: str | None, name: str, status: str | None = "ATTACHED", type: str | None = "CACHED"
) -> ListedVolume:
    arn = f"{gateway or FIRST}/volume/{name}"
    return ListedVolume(arn, 2**40, status, gateway, type)


def naming(*volumes: ListedVolume, marker: str | None = None) -> Callable[[str | None], VolumePage]:
    return lambda _: VolumePage(volumes, marker)


def points(**named: str) -> Callable[[TargetKey, str], RecoveryPoints]:
    """Recovery points, each an hour old, by volume: the gateway that answers with it."""

    def answer(target: TargetKey, gateway: str) -> RecoveryPoints:
        mine = [volume for volume, holder in named.items() if holder == gateway]
        arns = (f"{gateway}/volume/{volume.replace('_', '-')}" for volume in mine)
        return RecoveryPoints(NOW, tuple(RecoveryPoint(arn, 2**40, None, NOW) for arn in arns))

    return answer


def failing(operation: str, error: Callable[[], CallFailed] = denied, only: str | None = None) -> Fault:
    def fault(asked: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        return error() if asked == operation and only in (None, key) else None

    return fault


def scanned(source: SimulatedService, **scan: Any) -> Inventory:
    return run(inventory_of(config(**{"list_volumes": "with_gateways", **scan}), source))[0]


def verdicts(whole: Inventory) -> dict[str, str]:
    return {volume.id: volume.verdict.status.value for volume in whole.volumes}


def told(whole: Inventory) -> list[tuple[str, FailureKind]]:
    return [(failure.operation, failure.kind) for failure in whole.failures]


def test_a_volume_without_a_recovery_point_is_known() -> None:
    """Its gateway answered, and named no point of it."""
    source = SimulatedService(
        gateways=1, points=points(vol_1=FIRST), listed=naming(entry(FIRST, "vol-1"), entry(FIRST, "vol-2"))
    )
    whole = scanned(source)
    assert verdicts(whole) == {"vol-1": "unrated", "vol-2": "no_recovery_point"}
    assert whole.coverage.volumes.need_action == 1
    assert {volume.attachment_status for volume in whole.volumes} == {"ATTACHED"}
    assert whole.targets[0].volumes_listed is True
    assert whole.scan.outcome is Outcome.COMPLETE


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (denied, GatewayStatus.FAILED),
        (lambda: CallFailed.of(FailureKind.GATEWAY_UNREACHABLE, "not connected"), GatewayStatus.FAILED),
        (lambda: GatewayVanished.of(FailureKind.INVALID_REQUEST, "gone"), GatewayStatus.VANISHED),
        (
            lambda: GatewayNotApplicable.of(FailureKind.INVALID_REQUEST, "no"),
            GatewayStatus.NOT_APPLICABLE,
        ),
    ],
)
def test_a_gateway_that_does_not_answer_takes_no_volume_with_it(
    error: Callable[[], CallFailed], status: GatewayStatus
) -> None:
    """They are known, and how they stand is not."""
    source = SimulatedService(
        gateways=1, fault=failing("read", error), listed=naming(entry(FIRST, "vol-1"), entry(FIRST, "vol-2"))
    )
    whole = scanned(source)
    assert whole.gateways[0].status is status
    assert verdicts(whole) == {"vol-1": "unknown", "vol-2": "unknown"}
    assert whole.coverage.volumes.known == whole.targets[0].volumes == 2


def test_a_detached_volume_has_no_gateway_and_changes_no_outcome() -> None:
    source = SimulatedService(gateways=1, points=points(), listed=naming(entry(None, "vol-1", "DETACHED")))
    whole = scanned(source)
    (volume,) = whole.volumes
    assert (volume.gateway_arn, volume.attachment_status) == (None, "DETACHED")
    assert volume.verdict.status is VerdictStatus.UNKNOWN
    assert whole.scan.outcome is Outcome.COMPLETE


def test_a_detached_volume_of_which_a_gateway_tells_a_point_is_read() -> None:
    """It was attached meanwhile: who answers is right."""
    source = SimulatedService(
        gateways=1, points=points(vol_1=FIRST), listed=naming(entry(None, "vol-1", "DETACHED"))
    )
    (volume,) = scanned(source).volumes
    assert volume.gateway_arn == FIRST
    assert volume.verdict.age_seconds == 0.0


@pytest.mark.parametrize("answers", [FIRST, SECOND])
def test_a_volume_that_moved_between_the_listings_counts_once(answers: str) -> None:
    other = SECOND if answers == FIRST else FIRST
    source = SimulatedService(gateways=2, points=points(vol_1=answers), listed=naming(entry(other, "vol-1")))
    (volume,) = scanned(source).volumes
    assert volume.gateway_arn == answers
    assert volume.verdict.age_seconds == 0.0


def test_volumes_are_listed_once_for_each_hundred() -> None:
    pages = {
        None: VolumePage(tuple(entry(FIRST, f"vol-{number:08X}") for number in range(100)), "more"),
        "more": VolumePage(tuple(entry(FIRST, f"vol-{number:08X}") for number in range(100, 150))),
    }
    source = SimulatedService(gateways=3, points=points(), listed=pages.__getitem__)
    whole = scanned(source)
    assert source.calls["list volumes"] == 2
    assert whole.coverage.volumes.no_recovery_point == 150


@pytest.mark.parametrize(
    ("type", "setting", "calls", "listed"),
    [
        ("CACHED", "with_gateways", 1, True),
        ("STORED", "with_gateways", 1, True),
        (None, "with_gateways", 1, True),
        ("FILE_S3", "with_gateways", 0, None),
        ("VTL", "always", 1, True),
        ("CACHED", "never", 0, None),
    ],
)
def test_targets_without_volume_gateways_are_asked_only_where_it_is_wanted(
    type: str | None, setting: str, calls: int, listed: bool | None
) -> None:
    source = SimulatedService(
        pages=lambda target, marker: GatewayPage((cached(target, 0, type),)), points=points()
    )
    whole = scanned(source, list_volumes=setting)
    assert source.calls["list volumes"] == calls
    assert whole.targets[0].volumes_listed is listed


def test_a_target_without_gateways_is_asked_for_its_volumes_where_that_is_wanted() -> None:
    source = SimulatedService(gateways=0, listed=naming(entry(None, "vol-1", "DETACHED")))
    assert verdicts(scanned(source, list_volumes="always")) == {"vol-1": "unknown"}
    assert verdicts(scanned(source)) == {}


def test_volumes_of_other_types_are_left_out() -> None:
    """Where an entry tells no type, the type of its gateway does; a detached one may be a cached volume."""

    def pages(target: TargetKey, marker: str | None) -> GatewayPage:
        return GatewayPage((cached(target, 0), cached(target, 1, "STORED")))

    listed = naming(
        entry(FIRST, "vol-1", type="CACHED iSCSI"),
        entry(FIRST, "vol-2", type=None),
        entry(SECOND, "vol-3", type="STORED"),
        entry(SECOND, "vol-4", type=None),
        entry(None, "vol-5", "DETACHED", type=None),
        entry(None, "vol-6", "DETACHED", type="STORED"),
    )
    whole = scanned(SimulatedService(pages=pages, points=points(), listed=listed))
    assert list(verdicts(whole)) == ["vol-1", "vol-2", "vol-5"]


def test_a_volume_of_a_type_that_nobody_knows_takes_that_of_its_gateway() -> None:
    """Left out, a volume without a recovery point would vanish from a scan that looks complete."""

    def pages(target: TargetKey, marker: str | None) -> GatewayPage:
        return GatewayPage((cached(target, 0), cached(target, 1, "STORED")))

    listed = naming(
        entry(FIRST, "vol-1", type="NEWER"),
        entry(SECOND, "vol-2", type="NEWER"),
        entry(None, "vol-3", "DETACHED", type="NEWER"),
    )
    whole = scanned(SimulatedService(pages=pages, points=points(), listed=listed))
    assert verdicts(whole) == {"vol-1": "no_recovery_point", "vol-3": "unknown"}


def test_an_entry_without_its_gateway_is_held_by_the_one_that_its_arn_names() -> None:
    lonely = ListedVolume(f"{FIRST}/volume/vol-1")
    whole = scanned(SimulatedService(gateways=1, points=points(), listed=naming(lonely)))
    assert verdicts(whole) == {"vol-1": "no_recovery_point"}


def test_an_entry_without_its_gateway_whose_arn_names_one_that_is_gone_is_unknown_and_no_failure() -> None:
    """It may just be detached."""
    lonely = ListedVolume(f"{THIRD}/volume/vol-1")
    whole = scanned(SimulatedService(gateways=1, points=points(), listed=naming(lonely)))
    (volume,) = whole.volumes
    assert (volume.gateway_arn, volume.verdict.status) == (None, VerdictStatus.UNKNOWN)
    assert whole.scan.outcome is Outcome.COMPLETE


def test_an_entry_whose_arn_names_no_gateway_is_unknown_until_a_gateway_tells_a_point() -> None:
    lonely = ListedVolume(f"{REGION}:volume/vol-1")
    source = SimulatedService(gateways=1, points=points(), listed=naming(lonely))
    assert verdicts(scanned(source)) == {"vol-1": "unknown"}
    source.points = points(vol_1=FIRST)
    assert verdicts(scanned(source)) == {"vol-1": "unrated"}


def test_a_gateway_that_no_listing_named_makes_the_target_partial() -> None:
    """One was missed, or came meanwhile: either way nobody asked it."""
    source = SimulatedService(gateways=1, points=points(), listed=naming(entry(THIRD, "vol-1")))
    whole = scanned(source)
    (volume,) = whole.volumes
    assert (volume.gateway_arn, volume.verdict.status) == (THIRD, VerdictStatus.UNKNOWN)
    assert whole.targets[0].status is TargetStatus.PARTIAL
    assert told(whole) == [("ListVolumes", FailureKind.INVALID_RESPONSE)]
    assert THIRD in whole.failures[0].message


def test_a_listing_of_gateways_that_broke_off_is_told_once() -> None:
    """That its gateways are not all known is a failure already."""

    def pages(target: TargetKey, marker: str | None) -> GatewayPage:
        if marker:
            raise denied()
        return GatewayPage((cached(target, 0),), "more")

    whole = scanned(SimulatedService(pages=pages, points=points(), listed=naming(entry(THIRD, "vol-1"))))
    assert verdicts(whole) == {"vol-1": "unknown"}
    assert told(whole) == [("ListGateways", FailureKind.ACCESS_DENIED)]


@pytest.mark.parametrize(
    "stranger",
    [
        ListedVolume("arn:aws:storagegateway:us-east-1:999999999999:gateway/sgw-1/volume/vol-1"),
        ListedVolume("arn:aws:storagegateway:eu-west-1:000000000001:gateway/sgw-1/volume/vol-1"),
        ListedVolume(f"{FIRST}/volume/vol-1", gateway_arn="arn:aws:storagegateway:us-east-1:9:gateway/sgw-1"),
        ListedVolume(f"{FIRST}/volume/vol-1", gateway_arn=FIRST.replace("us-east-1", "eu-west-1")),
        ListedVolume("vol-1"),
        ListedVolume("", problem="an entry of the listing is broken: a record has no VolumeARN"),
    ],
)
def test_a_broken_entry_costs_no_other_and_the_list_is_not_whole(stranger: ListedVolume) -> None:
    source = SimulatedService(
        gateways=1, points=points(vol_2=FIRST), listed=naming(stranger, entry(FIRST, "vol-2"))
    )
    whole = scanned(source)
    assert verdicts(whole) == {"vol-2": "unrated"}
    assert told(whole) == [("ListVolumes", FailureKind.INVALID_RESPONSE)]
    assert (whole.targets[0].status, whole.targets[0].volumes_listed) == (TargetStatus.PARTIAL, False)


def test_the_same_entry_twice_counts_once_and_two_that_differ_are_told() -> None:
    one, other = entry(FIRST, "vol-1"), entry(SECOND, "vol-1")
    same = scanned(SimulatedService(gateways=2, points=points(), listed=naming(one, one)))
    assert (verdicts(same), told(same)) == ({"vol-1": "no_recovery_point"}, [])
    differ = scanned(SimulatedService(gateways=2, points=points(), listed=naming(one, other)))
    assert verdicts(differ) == {"vol-1": "no_recovery_point"}
    assert told(differ) == [("ListVolumes", FailureKind.INVALID_RESPONSE)]


def test_a_refused_list_leaves_what_was_read_and_says_what_to_allow() -> None:
    source = SimulatedService(gateways=1, fault=failing("list volumes"))
    whole = scanned(source)
    assert whole.coverage.volumes.known == 2
    assert (whole.targets[0].status, whole.targets[0].volumes_listed) == (TargetStatus.PARTIAL, False)
    (failure,) = whole.failures
    assert "storagegateway:ListVolumes" in (failure.remedy or "")


@pytest.mark.parametrize("markers", [["a"] * 2, ["a", "b", "a"], [str(number) for number in range(1000)]])
def test_a_list_that_never_ends_is_ended_and_what_it_named_is_kept(markers: list[str]) -> None:
    following = iter(markers)
    source = SimulatedService(
        gateways=1,
        points=points(),
        listed=lambda _: VolumePage((entry(FIRST, "vol-1"),), next(following)),
    )
    whole = scanned(source)
    assert verdicts(whole) == {"vol-1": "no_recovery_point"}
    assert told(whole) == [("ListVolumes", FailureKind.INVALID_RESPONSE)]
    assert whole.targets[0].volumes_listed is False
    assert source.calls["list volumes"] <= PAGES_WITHOUT_NEWS + 1


def test_a_long_list_is_followed_as_long_as_it_brings_new_volumes() -> None:
    def listed(marker: str | None) -> VolumePage:
        page = int(marker or 0)
        return VolumePage((entry(FIRST, f"vol-{page}"),), str(page + 1) if page < 29 else None)

    whole = scanned(SimulatedService(gateways=1, points=points(), listed=listed))
    assert (whole.coverage.volumes.known, whole.failures) == (30, ())


def test_a_broken_field_of_an_entry_is_left_out_and_told_as_an_event() -> None:
    broken = replace(entry(FIRST, "vol-1", None), dropped=("VolumeAttachmentStatus",))
    source = SimulatedService(gateways=1, points=points(vol_1=FIRST), listed=naming(broken))
    events = run(events_of(config(list_volumes="with_gateways"), source))[0]
    assert [event for event in events if isinstance(event, FieldsDropped)] == [
        FieldsDropped(broken.arn, "ListVolumes", ("VolumeAttachmentStatus",))
    ]


def test_sizes_are_those_of_the_recovery_point_else_of_the_list() -> None:
    def answer(target: TargetKey, gateway: str) -> RecoveryPoints:
        sizes = {"vol-1": (5, 3), "vol-2": (None, None)}
        records = (RecoveryPoint(f"{FIRST}/volume/{name}", *both, NOW) for name, both in sizes.items())
        return RecoveryPoints(NOW, tuple(records))

    listed = naming(entry(FIRST, "vol-1"), entry(FIRST, "vol-2"))
    whole = scanned(SimulatedService(gateways=1, points=answer, listed=listed))
    assert [(volume.size_bytes, volume.usage_bytes) for volume in whole.volumes] == [(5, 3), (2**40, None)]


def test_the_deadline_during_the_list_keeps_what_was_read() -> None:
    class Slow(SimulatedService):
        async def list_volumes(self, target: TargetKey, marker: str | None) -> VolumePage:
            self.latency = 1000
            return await SimulatedService.list_volumes(self, target, marker)

        async def list_recovery_points(self, target: TargetKey, gateway_arn: str) -> RecoveryPoints:
            self.latency = 0.01
            return await SimulatedService.list_recovery_points(self, target, gateway_arn)

    whole = scanned(Slow(gateways=3), deadline="5s")
    assert told(whole) == [("ListVolumes", FailureKind.DEADLINE)]
    assert whole.coverage.volumes.known == 6
