"""What a record must keep on its own, whatever else an inventory holds."""

from collections.abc import Iterator

from scanner.inventory.arns import GATEWAY_ARN, VOLUME_ARN
from scanner.inventory.records import (
    ANY_REGION,
    Coverage,
    Failure,
    FailureScope,
    Gateway,
    Record,
    Target,
    TargetStatus,
    Volume,
)


def problems_of(record: Record) -> Iterator[str]:
    """What contradicts itself in `record`, one sentence each."""
    match record:
        case Target():
            return _of_target(record)
        case Gateway():
            return _of_gateway(record)
        case Volume():
            return _of_volume(record)
        case Failure():
            return _of_failure(record)
        case Coverage():
            return _of_coverage(record)
    return iter(())


def _of_target(target: Target) -> Iterator[str]:
    if (target.status is TargetStatus.SKIPPED) != (target.reason is not None):
        yield f"target {target.account_id} {target.region} needs a reason exactly when it is skipped"
    if target.gateways and target.status in (TargetStatus.FAILED, TargetStatus.SKIPPED):
        yield f"target {target.account_id} {target.region} is {target.status.value} but lists gateways"


def _of_gateway(gateway: Gateway) -> Iterator[str]:
    parts = GATEWAY_ARN.fullmatch(gateway.arn)
    if not parts or parts.group(2, 3, 4) != (gateway.region, gateway.account_id, gateway.id):
        yield f"gateway {gateway.arn} disagrees with its account, Region or id"


def _of_volume(volume: Volume) -> Iterator[str]:
    parts = VOLUME_ARN.fullmatch(volume.arn)
    if not parts or parts.group(2, 3, 4) != (volume.region, volume.account_id, volume.id):
        yield f"volume {volume.arn} disagrees with its account, Region or id"


def _of_failure(failure: Failure) -> Iterator[str]:
    place = f"failure of {failure.operation} in {failure.account_id} {failure.region or ANY_REGION}"
    if failure.scope is FailureScope.ACCOUNT:
        if failure.region is not None or failure.gateway_arn is not None:
            yield f"{place} is of scope account but names more"
    elif failure.region is None or (failure.scope is FailureScope.GATEWAY) != bool(failure.gateway_arn):
        yield f"{place} does not name what its scope says"
    elif failure.gateway_arn:
        parts = GATEWAY_ARN.fullmatch(failure.gateway_arn)
        if not parts or parts.group(2, 3) != (failure.region, failure.account_id):
            yield f"{place} is of a gateway that its target does not hold"


def _of_coverage(coverage: Coverage) -> Iterator[str]:
    calls = coverage.calls
    if calls.retried > calls.attempted or calls.throttled > calls.attempted:
        yield "more calls retried or throttled than attempted"
