"""What the engine asks of the service; the service's side implements it."""

from collections.abc import Hashable
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


class SignIn(NamedTuple):
    """One step of the way into an account; each rests on the steps before it.

    `operation` is `GetCredentials` (the SDK's chain), `AssumeRole` or `GetCallerIdentity`. `identity` is what it
    signs in: equal for all accounts that share a profile or a hub role. `limiter` says which rate limiter and
    circuit breaker the call passes; None: it calls nothing that would need one.
    """

    operation: str
    identity: Hashable
    limiter: Hashable
    account: AccountSettings | None = None


class Service(Protocol):
    """The service as the engine sees it. Every method sends at most one call, or raises CallFailed."""

    @property
    def most_connections(self) -> int:
        """How many calls can be under way at once."""
        ...

    def sign_in_steps(self, account: AccountSettings | None) -> tuple[SignIn, ...]:
        """The steps into `account` (None: the base identity's own account), in order."""
        ...

    def base_steps(self) -> tuple[SignIn, ...]:
        """The steps to the base identity itself, which asks the organization."""
        ...

    def signed_in(self, step: SignIn) -> bool:
        """Whether the credentials of a step are there, good for the next minutes, and still checked."""
        ...

    async def sign_in(self, step: SignIn) -> None:
        """Does one step, all before it being signed in."""
        ...

    def account_of(self, step: SignIn) -> str:
        """The id of the account that the last step, signed in, leads into."""
        ...

    async def organization(self, request: OrganizationRequest) -> OrganizationPage:
        """What the base identity is told about its organization."""
        ...

    async def list_regions(self, account_id: str, marker: str | None) -> RegionPage:
        """One page of the Regions that the account has enabled, of ListRegions."""
        ...

    async def describe_regions(self, account_id: str) -> RegionPage:
        """The same of DescribeRegions, which is asked where ListRegions cannot be."""
        ...

    def region_operation(self, account_id: str) -> str:
        """The call to ask first for the account's Regions: `ListRegions` or `DescribeRegions`."""
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

    async def list_volumes(self, target: TargetKey, marker: str | None) -> VolumePage:
        """One page of ListVolumes of the whole target, 100 at most."""
        ...

    async def describe_volumes(
        self, target: TargetKey, volume_arns: tuple[str, ...]
    ) -> tuple[VolumeDescription, ...]:
        """DescribeCachediSCSIVolumes of volumes of one gateway."""
        ...

    async def list_tags(self, target: TargetKey, marker: str | None) -> TagPage:
        """One page of GetResources: the tags of gateways and volumes, of 100 resources at most."""
        ...
