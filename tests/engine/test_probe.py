"""What `check` may cost: each operation once for each target, whatever the size of its fleet."""

from dataclasses import replace

import pytest

from scanner.engine.probe import NOBODY, Probe
from scanner.engine.source import (
    CallFailed,
    GatewayPage,
    GatewayVanished,
    ListedVolume,
    Place,
    TagPage,
    VolumePage,
)
from scanner.model import Inventory
from scanner.records import FailureKind, Outcome
from tests.engine.simulated import SimulatedSource, cached, config, denied, inventory_of
from tests.virtual import run

DETAILS = ("gateway", "volumes", "tags")


def fleet(**keys: object) -> SimulatedSource:
    def listed(gateway: str) -> VolumePage:
        volumes = tuple(ListedVolume(f"{gateway}/volume/vol-{number:08X}") for number in range(100))
        return VolumePage(volumes, "more")

    source = SimulatedSource(gateways=500, tag_page=lambda _: TagPage({}, "more"), listed=listed)
    return replace(source, **keys)  # type: ignore[arg-type]


def checked(source: SimulatedSource, accounts: int = 1, *regions: str) -> Inventory:
    settings = config(accounts, regions or ("us-east-1",), details=DETAILS)
    return run(inventory_of(settings, Probe(source)))[0]


def test_each_operation_is_asked_once_for_each_target() -> None:
    source = fleet()
    whole = checked(source, 3, "us-east-1", "eu-west-1")
    assert whole.scan.outcome is Outcome.COMPLETE
    asked = {operation: calls for operation, calls in source.calls.items() if operation != "open"}
    assert asked == dict.fromkeys(["list", "read", "list volumes", "describe volumes", "describe", "tags"], 6)
    assert source.calls["open"] == 3


@pytest.mark.parametrize(
    "operation", ["list", "read", "list volumes", "describe volumes", "describe", "tags"]
)
def test_a_missing_permission_is_told_after_one_call(operation: str) -> None:
    def fault(asked: str, place: Place, key: str | None, nth: int) -> CallFailed | None:
        return denied() if asked == operation else None

    source = fleet(fault=fault)
    whole = checked(source)
    assert [failure.kind for failure in whole.failures] == [FailureKind.ACCESS_DENIED]
    assert source.calls[operation] == 1


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov"])
def test_where_no_cached_gateway_is_the_question_names_one_that_nobody_has(partition: str) -> None:
    """Permissions are checked before existence: not found proves them."""
    asked: list[str | None] = []

    def pages(place: Place, marker: str | None) -> GatewayPage:
        record = cached(place, 1, "FILE_S3")
        arn = (record.arn or "").replace("arn:aws:", f"arn:{partition}:")
        return GatewayPage((replace(record, arn=arn),), "more")

    def fault(operation: str, place: Place, key: str | None, nth: int) -> CallFailed | None:
        if operation != "read":
            return None
        asked.append(key)
        return GatewayVanished(FailureKind.INVALID_REQUEST, "no such gateway")

    whole = checked(fleet(pages=pages, fault=fault))
    assert asked == [f"arn:{partition}:storagegateway:us-east-1:000000000001:gateway/{NOBODY}"]
    assert whole.scan.outcome is Outcome.COMPLETE


def test_an_account_without_gateways_is_asked_in_the_probes_own_partition() -> None:
    asked: list[str | None] = []

    def fault(operation: str, place: Place, key: str | None, nth: int) -> CallFailed | None:
        if operation == "read":
            asked.append(key)
        return None

    source = fleet(pages=lambda place, marker: GatewayPage(()), fault=fault)
    run(inventory_of(config(), Probe(source, "aws-cn")))
    assert asked == [f"arn:aws-cn:storagegateway:us-east-1:000000000001:gateway/{NOBODY}"]


def test_the_cheapest_cached_gateway_is_chosen_among_others() -> None:
    def pages(place: Place, marker: str | None) -> GatewayPage:
        return GatewayPage((cached(place, 1, "VTL"), cached(place, 2), cached(place, 3)), "more")

    (gateway,) = checked(fleet(pages=pages)).gateways
    assert gateway.id == "sgw-00000002"


def test_the_plan_is_that_of_a_scan() -> None:
    source = fleet(regions=("us-east-1", "eu-west-1", "us-west-2"), not_offered=frozenset({"us-west-2"}))
    settings = config(2)
    settings = settings.model_copy(update={"scan": settings.scan.model_copy(update={"regions": "enabled"})})
    whole, _ = run(inventory_of(settings, Probe(source)))
    assert (whole.coverage.targets.complete, whole.coverage.targets.skipped) == (4, 2)
