"""What `check` may cost: each operation once for each target, whatever the size of its fleet."""

from dataclasses import replace

import pytest

from scanner.engine.preflight import NOBODY, NOTHING, Preflight
from scanner.inventory.model import Inventory
from scanner.inventory.records import FailureKind, Outcome
from scanner.service.answers import GatewayPage, TagPage, VolumePage
from scanner.service.errors import CallFailed, GatewayVanished
from scanner.service.protocol import TargetKey
from tests.engine.simulated import SimulatedService, cached, config, denied, inventory_of
from tests.virtual import run

DETAILS = ("gateway", "volumes", "tags")


def fleet(**keys: object) -> SimulatedService:
    def listed(marker: str | None) -> VolumePage:
        return VolumePage((), "more")

    source = SimulatedService(gateways=500, tag_page=lambda _: TagPage({}, "more"), listed=listed)
    return replace(source, **keys)  # type: ignore[arg-type]


def checked(source: SimulatedService, accounts: int = 1, *regions: str) -> Inventory:
    settings = config(accounts, regions or ("us-east-1",), details=DETAILS, list_volumes="with_gateways")
    return run(inventory_of(settings, Preflight(source)))[0]


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
    def fault(asked: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        return denied() if asked == operation else None

    source = fleet(fault=fault)
    whole = checked(source)
    assert [failure.kind for failure in whole.failures] == [FailureKind.ACCESS_DENIED]
    assert source.calls[operation] == 1


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov"])
@pytest.mark.parametrize("others", [True, False])
def test_where_no_cached_gateway_is_each_question_names_what_nobody_has(partition: str, others: bool) -> None:
    """Permissions are checked before existence: not found proves them, of the details as well."""
    asked: dict[str, str | None] = {}

    def pages(target: TargetKey, marker: str | None) -> GatewayPage:
        return GatewayPage((cached(target, 1, "FILE_S3"),) if others else (), "more")

    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        asked[operation] = key
        if operation in ("read", "describe"):
            return GatewayVanished.of(FailureKind.INVALID_REQUEST, "no such gateway")
        if operation == "describe volumes":
            return CallFailed.of(FailureKind.INVALID_REQUEST, "no such volume")
        return None

    whole = checked(fleet(pages=pages, fault=fault, partition=partition))
    arn = f"arn:{partition}:storagegateway:us-east-1:000000000001:gateway/{NOBODY}"
    assert (asked["read"], asked["describe volumes"]) == (arn, f"{arn}/volume/{NOTHING}")
    assert "describe" in asked
    assert whole.scan.outcome is Outcome.COMPLETE


def test_a_gateway_without_volumes_proves_as_much_as_any_other() -> None:
    """Otherwise a permission that is missing would be found only by the scan."""

    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        return denied() if operation == "describe volumes" else None

    whole = checked(fleet(volumes=0, fault=fault))
    assert [failure.kind for failure in whole.failures] == [FailureKind.ACCESS_DENIED]


def test_a_gateway_that_is_offline_is_no_reason_why_a_scan_would_fail() -> None:
    """The service says so only to who may ask, and it is not asked again."""

    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        if operation in ("list", "list volumes", "tags", "open"):
            return None
        return CallFailed.of(FailureKind.GATEWAY_UNREACHABLE, "not connected", retryable=True)

    source = fleet(fault=fault)
    assert checked(source).scan.outcome is Outcome.COMPLETE
    assert source.calls["read"] == 1


def test_the_cheapest_cached_gateway_is_chosen_among_others() -> None:
    def pages(target: TargetKey, marker: str | None) -> GatewayPage:
        return GatewayPage((cached(target, 1, "VTL"), cached(target, 2), cached(target, 3)), "more")

    (gateway,) = checked(fleet(pages=pages)).gateways
    assert gateway.id == "sgw-00000002"


def test_the_plan_is_that_of_a_scan() -> None:
    source = fleet(regions=("us-east-1", "eu-west-1", "us-west-2"), not_offered=frozenset({"us-west-2"}))
    settings = config(2)
    settings = settings.model_copy(update={"scan": settings.scan.model_copy(update={"regions": "enabled"})})
    whole, _ = run(inventory_of(settings, Preflight(source)))
    assert (whole.coverage.targets.complete, whole.coverage.targets.skipped) == (4, 2)
