"""One gateway from its listing to its end: its recovery points, then the details that were asked for."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from scanner.engine.calls.calls import GivenUp
from scanner.engine.context import TargetContext
from scanner.inventory.arns import id_of
from scanner.inventory.records import FailureKind, GatewayStatus
from scanner.service.answers import (
    GatewayDescription,
    ListedGateway,
    RecoveryPoints,
    VolumeDescription,
)
from scanner.service.errors import (
    CallFailed,
    GatewayNotApplicable,
    GatewayVanished,
    InvalidResponse,
)

READ = "ListVolumeRecoveryPoints"
DESCRIBE_VOLUMES = "DescribeCachediSCSIVolumes"
DESCRIBE_GATEWAY = "DescribeGatewayInformation"
DESCRIBED_AT_ONCE = 32
"""Volumes in one DescribeCachediSCSIVolumes; a gateway has at most as many."""
VOLUME_NOT_FOUND = "VolumeNotFound"
HOPELESS = frozenset(
    {
        FailureKind.NETWORK,
        FailureKind.TIMEOUT,
        FailureKind.CREDENTIALS,
        FailureKind.WRONG_ACCOUNT,
        FailureKind.DEADLINE,
        FailureKind.INTERRUPTED,
    }
)
"""After these failures other calls to the same gateway would fail, too."""


@dataclass(slots=True)
class GatewayResult:
    """All that is known of one gateway: what its listing said, and what its answers said."""

    listing: ListedGateway
    arn: str
    status: GatewayStatus = GatewayStatus.SCANNED
    points: RecoveryPoints | None = None
    description: GatewayDescription | None = None
    described: dict[str, VolumeDescription] = field(default_factory=dict)
    """Volumes by ARN, in the form in which each was seen first."""

    @property
    def observed_at(self) -> datetime | None:
        return self.points.observed_at if self.points else None


Detail = Callable[[TargetContext, GatewayResult], Awaitable[None]]


async def read_gateway(target: TargetContext, listing: ListedGateway, arn: str) -> GatewayResult:
    """Reads a gateway's recovery points; what cannot be read becomes a failure."""
    result = GatewayResult(listing, arn)
    if listing.problem:
        result.status = GatewayStatus.FAILED
        broken = GivenUp(CallFailed.of(FailureKind.INVALID_RESPONSE, listing.problem), 1)
        await target.fail_gateway(arn, listing.name, READ, broken)
        return result
    try:
        result.points = await target.ask(READ, arn, partial(_recovery_points, target, arn))
    except GivenUp as failure:
        await _end_unread(target, result, failure)
    return result


async def read_details(target: TargetContext, result: GatewayResult) -> None:
    """Reads the details of a gateway that were asked for; what cannot be read becomes a failure."""
    if "volumes" in target.details and not await _ask_detail(
        target, result, DESCRIBE_VOLUMES, _describe_volumes
    ):
        return
    if "gateway" in target.details:
        await _ask_detail(target, result, DESCRIBE_GATEWAY, _describe_gateway)


async def _recovery_points(target: TargetContext, arn: str) -> RecoveryPoints:
    points = await target.service.list_recovery_points(target.key, arn)
    target.check_volumes(points.volumes, points.request_id)
    return points


async def _end_unread(target: TargetContext, result: GatewayResult, failure: GivenUp) -> None:
    """Sets the status of a gateway whose recovery points were not read."""
    if isinstance(failure.error, GatewayVanished):
        result.status = GatewayStatus.VANISHED
    elif isinstance(failure.error, GatewayNotApplicable):
        result.status = GatewayStatus.NOT_APPLICABLE
    else:
        result.status = GatewayStatus.FAILED
        await target.fail_gateway(result.arn, result.listing.name, READ, failure)


async def _ask_detail(target: TargetContext, result: GatewayResult, operation: str, ask: Detail) -> bool:
    """Asks for a detail; returns whether further details are worth a call."""
    try:
        await ask(target, result)
    except GivenUp as failure:
        if isinstance(failure.error, GatewayVanished):
            # Its recovery points are valid; a gateway that is being deleted needs no details.
            return False
        await target.fail_gateway(result.arn, result.listing.name, operation, failure)
        return failure.facts.kind not in HOPELESS
    return True


async def _describe_volumes(target: TargetContext, result: GatewayResult) -> None:
    await target.volumes.ended.wait()
    held = {
        target.canonical(volume.arn) for volume in target.volumes.held_by(result.arn, result.listing.type)
    }
    arns = held | {target.canonical(point.arn) for point in (result.points.volumes if result.points else ())}
    refused = [
        failure for batch in _batches(arns) for failure in await _describe_batch(target, result, batch)
    ]
    if refused:
        raise refused[0]


def _batches(arns: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """The volumes that may be described in one call: those whose ARNs name the same gateway."""
    by_gateway: dict[str, list[str]] = {}
    for arn in sorted(arns):
        by_gateway.setdefault(arn.partition("/volume/")[0], []).append(arn)
    for named in by_gateway.values():
        for start in range(0, len(named), DESCRIBED_AT_ONCE):
            yield tuple(named[start : start + DESCRIBED_AT_ONCE])


async def _describe_batch(
    target: TargetContext, result: GatewayResult, batch: tuple[str, ...]
) -> list[GivenUp]:
    """Describes a batch; one that is refused is split until only what is wrong is left, which is returned."""
    try:
        described = await target.ask(
            DESCRIBE_VOLUMES, result.arn, partial(_volume_descriptions, target, batch)
        )
    except GivenUp as failure:
        if failure.facts.kind is not FailureKind.INVALID_REQUEST or isinstance(
            failure.error, GatewayVanished
        ):
            raise
        if len(batch) > 1:
            middle = len(batch) // 2
            return [
                *await _describe_batch(target, result, batch[:middle]),
                *await _describe_batch(target, result, batch[middle:]),
            ]
        # A volume that was deleted meanwhile needs no details.
        return [] if failure.facts.code == VOLUME_NOT_FOUND else [failure]
    result.described.update((target.canonical(volume.arn), volume) for volume in described)
    return []


async def _volume_descriptions(
    target: TargetContext, batch: tuple[str, ...]
) -> tuple[VolumeDescription, ...]:
    described = await target.service.describe_volumes(target.key, batch)
    asked = {id_of(arn) for arn in batch}
    for each in described:
        if not target.owns_volume(each.arn) or id_of(each.arn) not in asked:
            stray = f"the answer describes {each.arn[:200]!r}, which was not asked for"
            raise InvalidResponse.because(stray)
    return described


async def _describe_gateway(target: TargetContext, result: GatewayResult) -> None:
    result.description = await target.ask(
        DESCRIBE_GATEWAY, result.arn, partial(target.service.describe_gateway, target.key, result.arn)
    )
