"""A service that tries each call once for each target, at its cheapest: what `check` runs a scan over."""

from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from scanner.config.settings import AccountSettings
from scanner.inventory.arns import gateway_arn
from scanner.inventory.records import FailureKind
from scanner.service.answers import (
    GatewayDescription,
    GatewayPage,
    ListedGateway,
    OrganizationPage,
    RecoveryPoint,
    RecoveryPoints,
    RegionPage,
    TagPage,
    VolumeDescription,
    VolumePage,
)
from scanner.service.errors import CallFailed, GatewayVanished
from scanner.service.protocol import OrganizationRequest, Service, SignIn, TargetKey

NOBODY = "sgw-00000000"
"""The id of no gateway. AWS checks permissions before existence, so GatewayNotFound proves them."""
NOTHING = "vol-00000000"
"""No volume's id, for the same reason."""
Found = TypeVar("Found")


@dataclass(slots=True)
class Preflight:
    """`service`, cut down to one cached gateway for each target, or to one that does not exist."""

    service: Service

    @property
    def most_connections(self) -> int:
        return self.service.most_connections

    def sign_in_steps(self, account: AccountSettings | None) -> tuple[SignIn, ...]:
        return self.service.sign_in_steps(account)

    def base_steps(self) -> tuple[SignIn, ...]:
        return self.service.base_steps()

    def signed_in(self, step: SignIn) -> bool:
        return self.service.signed_in(step)

    async def sign_in(self, step: SignIn) -> None:
        await self.service.sign_in(step)

    def account_of(self, step: SignIn) -> str:
        return self.service.account_of(step)

    async def organization(self, request: OrganizationRequest) -> OrganizationPage:
        return await self.service.organization(request)

    def region_operation(self, account_id: str) -> str:
        return self.service.region_operation(account_id)

    async def list_regions(self, account_id: str, marker: str | None) -> RegionPage:
        return await self.service.list_regions(account_id, marker)

    async def describe_regions(self, account_id: str) -> RegionPage:
        return await self.service.describe_regions(account_id)

    def partition_of(self, region: str) -> str:
        return self.service.partition_of(region)

    async def list_gateways(self, target: TargetKey, marker: str | None) -> GatewayPage:
        page = await self.service.list_gateways(target, marker)
        cached = next((each for each in page.gateways if each.type == "CACHED" and each.arn), None)
        arn = gateway_arn(self.partition_of(target.region), target.region, target.account_id, NOBODY)
        return GatewayPage((cached or ListedGateway(arn, type="CACHED"),))

    async def list_recovery_points(self, target: TargetKey, gateway_arn: str) -> RecoveryPoints:
        nothing = RecoveryPoints(datetime.now(UTC), ())
        points = await _admitted(self.service.list_recovery_points(target, gateway_arn), nothing)
        # Whatever volumes there are, describing one proves that all may be described.
        one = points.volumes[:1] or (RecoveryPoint(f"{gateway_arn}/volume/{NOTHING}"),)
        return replace(points, volumes=one)

    async def describe_gateway(self, target: TargetKey, gateway_arn: str) -> GatewayDescription:
        return await _admitted(self.service.describe_gateway(target, gateway_arn), GatewayDescription({}, {}))

    async def list_volumes(self, target: TargetKey, marker: str | None) -> VolumePage:
        await self.service.list_volumes(target, marker)
        return VolumePage(())

    async def describe_volumes(
        self, target: TargetKey, volume_arns: tuple[str, ...]
    ) -> tuple[VolumeDescription, ...]:
        try:
            return await _admitted(self.service.describe_volumes(target, volume_arns), ())
        except CallFailed as failure:
            if failure.facts.kind is FailureKind.INVALID_REQUEST and volume_arns[0].endswith(NOTHING):
                return ()
            raise

    async def list_tags(self, target: TargetKey, marker: str | None) -> TagPage:
        return replace(await self.service.list_tags(target, marker), marker=None)


async def _admitted(call: Awaitable[Found], otherwise: Found) -> Found:
    """The answer, or `otherwise` if the call failed for a reason that proves its permission, as not found does."""
    try:
        return await call
    except GatewayVanished:
        return otherwise
    except CallFailed as failure:
        if failure.facts.kind is FailureKind.GATEWAY_UNREACHABLE:
            return otherwise
        raise
