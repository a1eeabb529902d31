"""A gateway that is known to be away can be excused; what says nothing of the gateway never is."""

import pytest

from scanner.inventory.model import Inventory
from scanner.inventory.records import FailureKind, GatewayStatus, Outcome, TargetStatus
from scanner.policy.rules import Policy
from scanner.service.answers import ListedVolume, VolumePage
from scanner.service.errors import CallFailed
from scanner.service.protocol import TargetKey
from tests.engine.simulated import SimulatedService, cached, config, inventory_of
from tests.virtual import run

TARGET = TargetKey("000000000001", "us-east-1")
AWAY = cached(TARGET, 0).arn or ""


def scanned(kind: FailureKind, until: str = "2999-12-31") -> Inventory:
    """A target with two gateways, of which one fails and has a waiver, and a volume that only ListVolumes names."""

    def fault(operation: str, place: TargetKey, gateway: str | None, nth: int) -> CallFailed | None:
        return CallFailed.of(kind, "as injected") if operation == "read" and gateway == AWAY else None

    listed = ListedVolume(f"{AWAY}/volume/vol-00000001", 2**30, "ATTACHED", AWAY, "CACHED")
    waiver = {
        "match": {"gateways": ["sgw-00000000"]},
        "until": until,
        "reason": "moves house",
        "excuses": ["unreachable"],
    }
    asked = config(list_volumes="always").model_copy(
        update={"policy": Policy.model_validate({"rpo": "24h", "waivers": [waiver]})}
    )
    whole, _ = run(inventory_of(asked, SimulatedService(fault=fault, listed=lambda _: VolumePage((listed,)))))
    return whole


@pytest.mark.parametrize(
    "kind", [FailureKind.GATEWAY_UNREACHABLE, FailureKind.TIMEOUT, FailureKind.SERVER_ERROR]
)
def test_an_excused_gateway_leaves_its_target_complete_and_its_volumes_unknown(kind: FailureKind) -> None:
    whole = scanned(kind)
    assert (whole.scan.outcome, whole.targets[0].status) == (Outcome.COMPLETE, TargetStatus.COMPLETE)
    assert [failure.waived for failure in whole.failures] == ["moves house"]
    assert whole.gateways[0].status is GatewayStatus.FAILED
    assert whole.coverage.volumes.unknown == 1


@pytest.mark.parametrize("kind", [FailureKind.ACCESS_DENIED, FailureKind.CREDENTIALS])
def test_no_waiver_excuses_what_says_nothing_of_the_gateway(kind: FailureKind) -> None:
    whole = scanned(kind)
    assert (whole.scan.outcome, whole.failures[0].waived) == (Outcome.PARTIAL, None)


def test_a_waiver_that_has_ended_excuses_no_gateway() -> None:
    assert scanned(FailureKind.GATEWAY_UNREACHABLE, until="2026-01-31").scan.outcome is Outcome.PARTIAL
