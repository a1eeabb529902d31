"""What the details of a scan promise: they add to what is read, and a refused one takes nothing away."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import anyio
import pytest

from scanner.config.settings import ScannerConfig
from scanner.inventory.model import Inventory
from scanner.inventory.records import FailureKind, GatewayStatus, Outcome, TargetStatus, VerdictStatus
from scanner.service.answers import (
    GatewayDescription,
    GatewayPage,
    ListedVolume,
    RecoveryPoint,
    RecoveryPoints,
    TagPage,
    VolumeDescription,
    VolumePage,
)
from scanner.service.errors import CallFailed, GatewayVanished
from scanner.service.protocol import TargetKey
from tests.engine.simulated import NOW, Fault, SimulatedService, cached, config, denied, inventory_of
from tests.virtual import run

TARGET = TargetKey("000000000001", "us-east-1")
GATEWAY = "arn:aws:storagegateway:us-east-1:000000000001:gateway/sgw-00000000"
FIRST = f"{GATEWAY}/volume/vol-00000000"
UNREAD = f"{GATEWAY}/volume/vol-000000FF"
OPERATIONS = {
    "describe volumes": "DescribeCachediSCSIVolumes",
    "describe": "DescribeGatewayInformation",
    "tags": "GetResources",
}


def listing(*names: str) -> Callable[[str | None], VolumePage]:
    return lambda marker: VolumePage(
        tuple(
            ListedVolume(f"{GATEWAY}/volume/{name}", 2**40, "ATTACHED", GATEWAY, "CACHED") for name in names
        )
    )


def failing(operation: str, error: Callable[[], CallFailed] = denied, only: str | None = None) -> Fault:
    def fault(asked: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        return error() if asked == operation and only in (None, key) else None

    return fault


def scanned(source: SimulatedService, *details: str, **scan: Any) -> Inventory:
    return run(inventory_of(config(details=details, **scan), source))[0]


def told(whole: Inventory) -> list[tuple[str, FailureKind]]:
    return [(failure.operation, failure.kind) for failure in whole.failures]


def test_no_detail_is_asked_for_unless_it_is_wanted() -> None:
    source = SimulatedService()
    whole = scanned(source)
    assert set(source.calls) == {"open", "list", "read"}
    assert whole.gateways[0].details is whole.gateways[0].tags is whole.volumes[0].tags is None


@pytest.mark.parametrize(
    ("detail", "calls"),
    [("gateway", {"describe"}), ("volumes", {"describe volumes"}), ("tags", {"tags"})],
)
def test_each_detail_costs_its_own_calls_and_no_others(detail: str, calls: set[str]) -> None:
    source = SimulatedService()
    assert scanned(source, detail).scan.outcome is Outcome.COMPLETE
    assert set(source.calls) - {"open", "list", "read"} == calls


@pytest.mark.parametrize("operation", list(OPERATIONS))
def test_a_refused_detail_leaves_what_was_read(operation: str) -> None:
    source = SimulatedService(gateways=1, volumes=1, fault=failing(operation))
    whole = scanned(source, "volumes", "gateway", "tags")
    assert told(whole) == [(OPERATIONS[operation], FailureKind.ACCESS_DENIED)]
    assert whole.gateways[0].status is GatewayStatus.SCANNED
    assert whole.targets[0].status is TargetStatus.PARTIAL
    assert whole.volumes[0].verdict.age_seconds == 3600
    assert (whole.gateways[0].details is None) == (operation == "describe")


def test_a_gateway_deleted_before_its_details_keeps_its_points_and_is_no_failure() -> None:
    gone = failing("describe", lambda: GatewayVanished.of(FailureKind.INVALID_REQUEST, "gone"))
    whole = scanned(SimulatedService(gateways=1, fault=gone), "gateway")
    assert whole.scan.outcome is Outcome.COMPLETE
    assert len(whole.volumes) == 2


def test_a_detail_denied_everywhere_costs_no_recovery_point() -> None:
    source = SimulatedService(gateways=300, volumes=1, fault=failing("describe"))
    whole = scanned(source, "gateway")
    assert whole.coverage.gateways.scanned == len(whole.failures) == 300


def test_tags_of_all_pages_reach_gateways_and_volumes() -> None:
    pages = {
        None: TagPage({GATEWAY: {"tier": "1"}}, "more"),
        "more": TagPage({FIRST: {"owner": "ops"}, "arn:aws:s3:::elsewhere": {"a": "b"}}),
    }
    whole = scanned(SimulatedService(gateways=2, volumes=2, tag_page=pages.__getitem__), "tags")
    tags = {gateway.arn: gateway.tags for gateway in whole.gateways if gateway.tags}
    tags |= {volume.arn: volume.tags for volume in whole.volumes if volume.tags}
    assert tags == {GATEWAY: {"tier": "1"}, FIRST: {"owner": "ops"}}
    assert whole.volumes[1].tags == whole.gateways[1].tags == {}


def test_tags_that_come_last_end_their_target() -> None:
    pages = {None: TagPage({}, "a"), "a": TagPage({}, "b"), "b": TagPage({})}
    source = SimulatedService(gateways=1, tag_page=pages.__getitem__)
    assert scanned(source, "tags").targets[0].status is TargetStatus.COMPLETE
    assert source.calls["tags"] == 3


@pytest.mark.parametrize("broken", ["list", "nothing"])
def test_where_no_gateway_was_listed_no_tags_are_asked_for(broken: str) -> None:
    source = SimulatedService(gateways=0, fault=failing(broken))
    status = scanned(source, "tags").targets[0].status
    assert source.calls["tags"] == 0
    assert status is (TargetStatus.FAILED if broken == "list" else TargetStatus.COMPLETE)


def test_the_tags_that_come_with_a_gateway_serve_where_none_were_asked_for() -> None:
    source = SimulatedService(gateways=1, facts=lambda arn: GatewayDescription({}, {"tier": "1"}))
    assert scanned(source, "gateway").gateways[0].tags == {"tier": "1"}


def ruled(**match: object) -> ScannerConfig:
    rules = [{"name": "tier-1", "rpo": "30m", "match": {"tags": {"tier": "1"}}}]
    policy: dict[str, Any] = {"rpo": "24h", "rules": rules}
    return config(details=("tags",), list_volumes="with_gateways").model_copy(
        update={
            "policy": ScannerConfig.model_validate({"policy": policy, "scan": {"details": ["tags"]}}).policy
        }
    )


def test_a_rule_on_tags_rates_the_volumes_that_carry_them() -> None:
    source = SimulatedService(gateways=1, volumes=2, tag_page=lambda _: TagPage({FIRST: {"tier": "1"}}))
    whole, _ = run(inventory_of(ruled(), source))
    assert [volume.verdict.status.value for volume in whole.volumes] == ["breach", "ok"]


def policed(policy: dict[str, Any], *details: str, **scan: Any) -> ScannerConfig:
    settings = config(details=details, **scan)
    made = ScannerConfig.model_validate({"policy": policy, "scan": {"details": ["tags"]}}).policy
    return settings.model_copy(update={"policy": made})


TIER_1 = {"name": "tier-1", "rpo": "30m", "match": {"tags": {"tier": "1"}}}
WAIVED = {"until": "2099-01-01", "reason": "moving"}


@pytest.mark.parametrize(
    ("policy", "status", "rule"),
    [
        ({"rpo": "40m", "rules": [TIER_1]}, "breach", "default"),
        ({"rpo": "24h", "rules": [TIER_1]}, "unknown", None),
        ({"rules": [{"name": "all", "rpo": "24h", "match": {"regions": ["*"]}}, TIER_1]}, "ok", "all"),
        (
            {"rpo": "24h", "rules": [TIER_1 | {"match": {"tags": {"a": "b"}, "regions": ["eu-*"]}}]},
            "ok",
            "default",
        ),
        ({"rpo": "30m", "waivers": [WAIVED | {"match": {"tags": {"a": "b"}}}]}, "breach", "default"),
    ],
)
def test_tags_that_were_refused_matter_only_where_a_rule_on_them_could_change_the_verdict(
    policy: dict[str, Any], status: str, rule: str | None
) -> None:
    """A volume in breach whatever its tags say stays one, and a waiver that cannot be proven excuses none."""
    source = SimulatedService(gateways=1, volumes=1, fault=failing("tags"))
    whole, _ = run(inventory_of(policed(policy, "tags"), source))
    verdict = whole.volumes[0].verdict
    assert (verdict.status.value, verdict.rule, verdict.waived) == (status, rule, None)


def test_a_volume_of_a_gateway_that_failed_is_unknown_and_tells_its_rpo_and_its_waiver() -> None:
    policy = {"rpo": "24h", "waivers": [WAIVED | {"match": {"volumes": ["vol-*"]}}]}
    source = SimulatedService(gateways=1, fault=failing("read"), listed=listing("vol-00000000"))
    whole, _ = run(inventory_of(policed(policy, list_volumes="always"), source))
    verdict = whole.volumes[0].verdict
    assert (verdict.status, verdict.age_seconds) == (VerdictStatus.UNKNOWN, None)
    assert (verdict.rpo_seconds, verdict.rule, verdict.waived) == (86400, "default", "moving")


def test_without_tags_a_rule_on_tags_says_nothing_but_a_missing_point_stays_missing() -> None:
    source = SimulatedService(
        gateways=1, volumes=1, fault=failing("tags"), listed=listing("vol-00000000", "vol-000000FF")
    )
    whole, _ = run(inventory_of(ruled(), source))
    read, unread = (volume.verdict for volume in whole.volumes)
    assert (read.status, read.age_seconds, read.rpo_seconds) == (VerdictStatus.UNKNOWN, 3600, None)
    assert unread.status is VerdictStatus.NO_RECOVERY_POINT


@pytest.mark.parametrize("markers", [["a"] * 2, ["a", "b", "a"], [str(number) for number in range(1000)]])
def test_tags_that_never_end_are_ended_and_count_as_unknown(markers: list[str]) -> None:
    following = iter(markers)
    source = SimulatedService(tag_page=lambda _: TagPage({}, next(following)))
    whole = scanned(source, "tags")
    assert told(whole) == [("GetResources", FailureKind.INVALID_RESPONSE)]
    assert whole.gateways[0].tags is None
    assert whole.coverage.gateways.scanned == 2


def test_a_description_of_a_volume_not_asked_about_is_refused() -> None:
    class Confused(SimulatedService):
        async def describe_volumes(
            self, target: TargetKey, volume_arns: tuple[str, ...]
        ) -> tuple[VolumeDescription, ...]:
            return (VolumeDescription(UNREAD, {"status": "AVAILABLE"}),)

    whole = scanned(Confused(gateways=1, volumes=1), "volumes")
    assert told(whole) == [("DescribeCachediSCSIVolumes", FailureKind.INVALID_RESPONSE)]
    assert whole.volumes[0].details is None


def test_a_stray_description_leaves_no_trace_on_a_volume_that_is_read_later() -> None:
    """The form of an ARN that is seen first is kept, so one of another Region must not be it."""

    class Confused(SimulatedService):
        async def list_recovery_points(self, target: TargetKey, gateway_arn: str) -> RecoveryPoints:
            if gateway_arn != GATEWAY:
                await anyio.sleep(1)
            return await super().list_recovery_points(target, gateway_arn)

        async def describe_volumes(
            self, target: TargetKey, volume_arns: tuple[str, ...]
        ) -> tuple[VolumeDescription, ...]:
            if not volume_arns[0].startswith(GATEWAY):
                return await super().describe_volumes(target, volume_arns)
            elsewhere = "arn:aws:storagegateway:eu-west-1:000000000001:volume/vol-00010000"
            return (VolumeDescription(elsewhere, {"status": "AVAILABLE"}),)

    whole = scanned(Confused(gateways=2, volumes=1), "volumes")
    assert told(whole) == [("DescribeCachediSCSIVolumes", FailureKind.INVALID_RESPONSE)]
    assert [volume.id for volume in whole.volumes] == ["vol-00000000", "vol-00010000"]
    assert {volume.region for volume in whole.volumes} == {"us-east-1"}


def test_the_deadline_in_mid_details_keeps_points_and_names_what_is_missing() -> None:
    class Slow(SimulatedService):
        async def describe_gateway(self, target: TargetKey, gateway_arn: str) -> GatewayDescription:
            await self._call("describe", target, gateway_arn)
            self.latency = 60
            return self.facts(gateway_arn)

    source = Slow(gateways=20, latency=0.1)
    whole = scanned(source, "gateway", deadline="10s", max_concurrency_per_target=1)
    assert whole.scan.deadline_reached
    scanned_ones = [gateway for gateway in whole.gateways if gateway.status is GatewayStatus.SCANNED]
    described = [gateway for gateway in whole.gateways if gateway.details]
    assert len(whole.gateways) == 20
    assert {kind for _, kind in told(whole)} == {FailureKind.DEADLINE}
    assert len(scanned_ones) > len(described) > 0
    assert len(whole.failures) == 20 - len(described)
    assert len(whole.volumes) == 2 * len(scanned_ones)


def test_tags_that_hang_until_the_deadline_cost_no_recovery_point() -> None:
    class Hanging(SimulatedService):
        async def list_tags(self, target: TargetKey, marker: str | None) -> TagPage:
            self.latency = 1000
            return await SimulatedService.list_tags(self, target, marker)

    class Quick(Hanging):
        async def list_gateways(self, target: TargetKey, marker: str | None) -> Any:
            self.latency = 0.01
            return await SimulatedService.list_gateways(self, target, marker)

        async def list_recovery_points(self, target: TargetKey, gateway_arn: str) -> RecoveryPoints:
            self.latency = 0.01
            return await SimulatedService.list_recovery_points(self, target, gateway_arn)

    whole = scanned(Quick(gateways=3), "tags", deadline="5s")
    assert told(whole) == [("GetResources", FailureKind.DEADLINE)]
    assert whole.coverage.gateways.scanned == 3
    assert whole.coverage.volumes.known == 6


def test_a_gateway_whose_entry_is_nonsense_fails_unasked() -> None:
    record = replace(cached(TARGET, 0), problem="its name is a number")
    source = SimulatedService(pages=lambda target, marker: GatewayPage((record,)))
    whole = scanned(source, "volumes")
    assert told(whole) == [("ListVolumeRecoveryPoints", FailureKind.INVALID_RESPONSE)]
    assert set(source.calls) == {"open", "list"}


def test_observed_moments_are_those_of_the_answers() -> None:
    whole = scanned(SimulatedService(gateways=1), "gateway")
    assert whole.gateways[0].observed_at == NOW


def test_every_tag_is_read_to_the_end() -> None:
    tagged = count()

    def tag_page(marker: str | None) -> TagPage:
        number = next(tagged)
        return TagPage({f"arn:{number}": {"n": str(number)}}, f"after {number}" if number < 40 else None)

    source = SimulatedService(gateways=1, tag_page=tag_page)
    assert scanned(source, "tags").scan.outcome is Outcome.COMPLETE
    assert source.calls["tags"] == 41


# DescribeCachediSCSIVolumes takes 32 volumes of one gateway, as their ARNs name it, and all or none.

ELSEWHERE = "arn:aws:storagegateway:us-east-1:000000000001:gateway/sgw-BEFORE00"


@dataclass
class Picky(SimulatedService):
    """Refuses a whole call for volumes of two gateways, and for one volume in `refused`, by its code."""

    refused: dict[str, str] = field(default_factory=dict)
    batches: list[tuple[str, ...]] = field(default_factory=list)

    async def describe_volumes(
        self, target: TargetKey, volume_arns: tuple[str, ...]
    ) -> tuple[VolumeDescription, ...]:
        self.batches.append(volume_arns)
        codes = {self.refused.get(arn.rpartition("/")[2]) for arn in volume_arns} - {None}
        if len({arn.partition("/volume/")[0] for arn in volume_arns}) > 1:
            codes.add("InvalidParameters")
        if codes:
            raise CallFailed.of(FailureKind.INVALID_REQUEST, "refused", code=min(filter(None, codes)))
        return await SimulatedService.describe_volumes(self, target, volume_arns)


def points(*arns: str) -> Callable[[TargetKey, str], RecoveryPoints]:
    return lambda target, gateway: RecoveryPoints(
        NOW, tuple(RecoveryPoint(arn, 2**40, None, NOW) for arn in arns)
    )


def numbered(gateway: str, numbers: Iterable[int]) -> list[str]:
    return [f"{gateway}/volume/vol-{number:08X}" for number in numbers]


def test_volumes_are_described_by_the_gateway_that_their_arns_name() -> None:
    """A volume that was moved keeps its ARN, and would have all of its neighbours refused."""
    arns = [*numbered(GATEWAY, range(40)), *numbered(ELSEWHERE, range(100, 102))]
    source = Picky(gateways=1, points=points(*arns))
    whole = scanned(source, "volumes")
    assert not whole.failures
    assert all(volume.details for volume in whole.volumes)
    assert sorted(map(len, source.batches)) == [2, 8, 32]


@pytest.mark.parametrize(("code", "failed"), [("VolumeNotFound", False), ("InvalidParameters", True)])
def test_a_volume_that_cannot_be_described_costs_its_neighbours_nothing(code: str, failed: bool) -> None:
    """One that was deleted meanwhile is no failure."""
    source = Picky(gateways=1, points=points(*numbered(GATEWAY, range(32))), refused={"vol-00000011": code})
    whole = scanned(source, "volumes")
    assert sum(volume.details is None for volume in whole.volumes) == 1
    assert told(whole) == ([("DescribeCachediSCSIVolumes", FailureKind.INVALID_REQUEST)] if failed else [])
    assert len(source.batches) <= 11
