"""A source that tries each call once for each target, at its cheapest: what `check` runs a scan over."""

from dataclasses import dataclass, replace

from scanner.config import AccountSettings
from scanner.engine.source import (
    GatewayFacts,
    GatewayPage,
    GatewayRecord,
    Inquiry,
    ListedVolume,
    OrganizationPage,
    Place,
    RecoveryPoints,
    Source,
    TagPage,
    VolumeFacts,
    VolumePage,
)

NOBODY = "sgw-00000000"
"""No gateway's id. Permissions are checked before existence, so its GatewayNotFound proves them."""


@dataclass(slots=True)
class Probe:
    """`source`, cut down to one cached gateway for each target, or to one that does not exist."""

    source: Source
    partition: str = "aws"

    async def open_account(self, account: AccountSettings | None) -> str:
        return await self.source.open_account(account)

    async def organization(self, inquiry: Inquiry) -> OrganizationPage:
        return await self.source.organization(inquiry)

    async def enabled_regions(self, account_id: str) -> tuple[str, ...]:
        return await self.source.enabled_regions(account_id)

    def offered(self, region: str) -> bool:
        return self.source.offered(region)

    async def list_gateways(self, place: Place, marker: str | None) -> GatewayPage:
        page = await self.source.list_gateways(place, marker)
        cached = next((each for each in page.gateways if each.type == "CACHED" and each.arn), None)
        partition = (page.gateways[0].arn or "").split(":")[1:2] if page.gateways else []
        arn = f"arn:{''.join(partition) or self.partition}:storagegateway:{place.region}:{place.account_id}"
        return GatewayPage((cached or GatewayRecord(f"{arn}:gateway/{NOBODY}", type="CACHED"),))

    async def list_recovery_points(self, place: Place, gateway_arn: str) -> RecoveryPoints:
        return await self.source.list_recovery_points(place, gateway_arn)

    async def describe_gateway(self, place: Place, gateway_arn: str) -> GatewayFacts:
        return await self.source.describe_gateway(place, gateway_arn)

    async def list_volumes(self, place: Place, gateway_arn: str, marker: str | None) -> VolumePage:
        page = await self.source.list_volumes(place, gateway_arn, marker)
        first: tuple[ListedVolume, ...] = page.volumes[:1]
        return VolumePage(first)

    async def describe_volumes(self, place: Place, volume_arns: tuple[str, ...]) -> tuple[VolumeFacts, ...]:
        return await self.source.describe_volumes(place, volume_arns)

    async def list_tags(self, place: Place, marker: str | None) -> TagPage:
        return replace(await self.source.list_tags(place, marker), marker=None)
