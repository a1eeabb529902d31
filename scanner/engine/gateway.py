"""One gateway from its listing to its end: its recovery points, then the details that were asked for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from scanner.engine.calls.calls import GivenUp
from scanner.engine.calls.paging import Paging
from scanner.engine.context import TargetContext
from scanner.inventory.records import FailureKind, GatewayStatus
from scanner.service.answers import (
    GatewayDescription,
    ListedGateway,
    ListedVolume,
    RecoveryPoints,
    VolumeDescription,
    VolumePage,
)
from scanner.service.errors import (
    CallFailed,
    GatewayNotApplicable,
    GatewayVanished,
    InvalidResponse,
)

READ = "ListVolumeRecoveryPoints"
LIST_VOLUMES = "ListVolumes"
DESCRIBE_VOLUMES = "DescribeCachediSCSIVolumes"
DESCRIBE_GATEWAY = "DescribeGatewayInformation"
DESCRIBED_AT_ONCE = 32
"""Volumes in one DescribeCachediSCSIVolumes; a gateway has at most as many."""
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
"""After these no other call to the same gateway has a better chance."""


@dataclass(slots=True)
class GatewayResult:
    """All that is known of one gateway: what its listing said, and what its answers said."""

    listing: ListedGateway
    arn: str
    status: GatewayStatus = GatewayStatus.SCANNED
    points: RecoveryPoints | None = None
    description: GatewayDescription | None = None
    listed: dict[str, ListedVolume] = field(default_factory=dict)
    """Volumes by ARN, in the form in which each was seen first."""
    described: dict[str, VolumeDescription] = field(default_factory=dict)

    @property
    def observed_at(self) -> datetime | None:
        return self.points.observed_at if self.points else None


Detail = Callable[[TargetContext, GatewayResult], Awaitable[None]]


async def read_gateway(target: TargetContext, listing: ListedGateway, arn: str) -> tuple[GatewayResult, bool]:
    """Reads a gateway's recovery points, and says whether to ask for its details.

    What cannot be read becomes a failure.
    """
    result = GatewayResult(listing, arn)
    if listing.problem:
        result.status = GatewayStatus.FAILED
        broken = GivenUp(CallFailed.of(FailureKind.INVALID_RESPONSE, listing.problem), 1)
        await target.fail_gateway(arn, READ, broken)
        return result, False
    try:
        result.points = await target.ask(READ, arn, partial(_recovery_points, target, arn))
    except GivenUp as failure:
        return result, await _can_go_on(target, result, failure)
    return result, bool(target.details)


async def read_details(target: TargetContext, result: GatewayResult) -> None:
    """Reads the details of a gateway that were asked for; what cannot be read becomes a failure."""
    if await _read_volumes(target, result) and "gateway" in target.details:
        await _ask_detail(target, result, DESCRIBE_GATEWAY, _describe_gateway)


async def _recovery_points(target: TargetContext, arn: str) -> RecoveryPoints:
    points = await target.service.list_recovery_points(target.key, arn)
    target.check_volumes(points.volumes, points.request_id)
    return points


async def _can_go_on(target: TargetContext, result: GatewayResult, failure: GivenUp) -> bool:
    """What becomes of a gateway whose recovery points were not read; says whether to ask for more of it."""
    if isinstance(failure.error, GatewayVanished):
        result.status = GatewayStatus.VANISHED
        return False
    if isinstance(failure.error, GatewayNotApplicable):
        result.status = GatewayStatus.NOT_APPLICABLE
        return False
    result.status = GatewayStatus.FAILED
    await target.fail_gateway(result.arn, READ, failure)
    return failure.facts.kind not in HOPELESS


async def _read_volumes(target: TargetContext, result: GatewayResult) -> bool:
    """Lists and describes the gateway's volumes, if asked for; says whether the gateway is worth asking more."""
    if "volumes" in target.details:
        if not await _ask_detail(target, result, LIST_VOLUMES, _list_volumes):
            return False
        # A gateway that does not answer is not asked once more; the listing came from the service.
        if result.points and not await _ask_detail(target, result, DESCRIBE_VOLUMES, _describe_volumes):
            return False
    return result.points is not None


async def _ask_detail(target: TargetContext, result: GatewayResult, operation: str, ask: Detail) -> bool:
    """Asks for a detail; says whether the gateway is worth asking more."""
    try:
        await ask(target, result)
    except GivenUp as failure:
        if isinstance(failure.error, GatewayVanished):
            # Its recovery points stand; a gateway that is being deleted has no details to miss.
            return False
        await target.fail_gateway(result.arn, operation, failure)
        return failure.facts.kind not in HOPELESS
    return True


async def _list_volumes(target: TargetContext, result: GatewayResult) -> None:
    paging, marker = Paging(), None
    while True:
        page, marker = await target.ask(
            LIST_VOLUMES, result.arn, partial(_volume_page, target, result, paging, marker)
        )
        result.listed.update((target.canonical(volume.arn), volume) for volume in page.volumes)
        if marker is None:
            return


async def _volume_page(
    target: TargetContext, result: GatewayResult, paging: Paging, marker: str | None
) -> tuple[VolumePage, str | None]:
    page = await target.service.list_volumes(target.key, result.arn, marker)
    target.check_volumes(page.volumes)
    news = any(target.canonical(volume.arn) not in result.listed for volume in page.volumes)
    return page, page.marker if paging.follow(page.marker, news=news) else None


async def _describe_volumes(target: TargetContext, result: GatewayResult) -> None:
    arns = sorted(volume.arn for volume in result.listed.values())
    for start in range(0, len(arns), DESCRIBED_AT_ONCE):
        batch = tuple(arns[start : start + DESCRIBED_AT_ONCE])
        described = await target.ask(
            DESCRIBE_VOLUMES, result.arn, partial(_volume_descriptions, target, result, batch)
        )
        result.described.update((target.canonical(volume.arn), volume) for volume in described)


async def _volume_descriptions(
    target: TargetContext, result: GatewayResult, batch: tuple[str, ...]
) -> tuple[VolumeDescription, ...]:
    described = await target.service.describe_volumes(target.key, batch)
    stray = next((each.arn for each in described if target.canonical(each.arn) not in result.listed), None)
    if stray:
        raise InvalidResponse.because(f"the answer describes {stray[:200]!r}, which was not asked for")
    return described


async def _describe_gateway(target: TargetContext, result: GatewayResult) -> None:
    result.description = await target.ask(
        DESCRIBE_GATEWAY, result.arn, partial(target.service.describe_gateway, target.key, result.arn)
    )
