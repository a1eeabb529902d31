"""What the engine asks of the service; the service's side implements it."""

from typing import NamedTuple, Protocol

from scanner.config.settings import AccountSettings
from scanner.service.answers import (
    GatewayDescription,
    GatewayPage,
    OrganizationPage,
    RecoveryPoints,
    RegionPage,
    TagPage,
    VolumeDescription,
    VolumePage,
)


class TargetKey(NamedTuple):
    """A target's key: one account in one Region."""

    account_id: str
    region: str


class OrganizationRequest(NamedTuple):
    """One call about the organization, by its API name."""

    operation: str
    parent: str | None = None
    marker: str | None = None


class Service(Protocol):
    """The service as the engine sees it. Every method sends at most one paced call, or raises CallFailed."""

    async def sign_in(self, account: AccountSettings | None) -> str:
        """Credentials for `account` (None: the base identity's own); returns the account's id."""
        ...

    async def organization(self, request: OrganizationRequest) -> OrganizationPage:
        """What the base identity is told about its organization."""
        ...

    async def enabled_regions(self, account_id: str, marker: str | None) -> RegionPage:
        """One page of the Regions that the account has enabled."""
        ...

    def partition_of(self, region: str) -> str:
        """The partition that `region` is of, as ARNs name it."""
        ...

    def offered(self, region: str) -> bool:
        """Whether Storage Gateway is offered in `region`; one too new to be known counts as offered."""
        ...

    async def list_gateways(self, target: TargetKey, marker: str | None) -> GatewayPage:
        """One page of ListGateways, 100 at most."""
        ...

    async def list_recovery_points(self, target: TargetKey, gateway_arn: str) -> RecoveryPoints:
        """ListVolumeRecoveryPoints of one gateway."""
        ...

    async def describe_gateway(self, target: TargetKey, gateway_arn: str) -> GatewayDescription:
        """DescribeGatewayInformation of one gateway."""
        ...

    async def list_volumes(self, target: TargetKey, gateway_arn: str, marker: str | None) -> VolumePage:
        """One page of ListVolumes of one gateway, 100 at most."""
        ...

    async def describe_volumes(
        self, target: TargetKey, volume_arns: tuple[str, ...]
    ) -> tuple[VolumeDescription, ...]:
        """DescribeCachediSCSIVolumes of volumes of one gateway."""
        ...

    async def list_tags(self, target: TargetKey, marker: str | None) -> TagPage:
        """One page of GetResources: the tags of gateways and volumes, of 100 resources at most."""
        ...
