"""What the engine asks of the service, and how the service's side answers it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from scanner.config.settings import AccountSettings
from scanner.inventory.records import FailureKind


class Place(NamedTuple):
    """A target's key: one account in one Region."""

    account_id: str
    region: str


@dataclass(frozen=True, slots=True)
class GatewayRecord:
    """One entry of ListGateways, as it came; only the types of its fields have been checked."""

    arn: str | None
    name: str | None = None
    type: str | None = None
    operational_state: str | None = None
    host_environment: str | None = None
    ec2_instance_id: str | None = None
    software_version: str | None = None
    deprecation_date: str | None = None
    problem: str | None = None
    """Why this entry cannot be trusted, where a field of it is nonsense."""


@dataclass(frozen=True, slots=True)
class GatewayPage:
    """One page of ListGateways; a `marker` leads to the next."""

    gateways: tuple[GatewayRecord, ...]
    marker: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class VolumeRecord:
    """One record of ListVolumeRecoveryPoints; sizes in bytes, `time` None where there is no point."""

    arn: str
    size_bytes: int | None = None
    usage_bytes: int | None = None
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecoveryPoints:
    """An answer of ListVolumeRecoveryPoints, and when the service gave it by its own clock."""

    observed_at: datetime
    volumes: tuple[VolumeRecord, ...]
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class GatewayFacts:
    """An answer of DescribeGatewayInformation: its fields by snake_case name, and its first tags."""

    details: dict[str, Any]
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class ListedVolume:
    """One entry of ListVolumes."""

    arn: str
    size_bytes: int | None = None
    attachment_status: str | None = None


@dataclass(frozen=True, slots=True)
class VolumePage:
    """One page of ListVolumes; a `marker` leads to the next."""

    volumes: tuple[ListedVolume, ...]
    marker: str | None = None


@dataclass(frozen=True, slots=True)
class VolumeFacts:
    """One entry of DescribeCachediSCSIVolumes: its fields by snake_case name."""

    arn: str
    details: dict[str, Any]
    size_bytes: int | None = None
    usage_bytes: int | None = None
    attachment_status: str | None = None


@dataclass(frozen=True, slots=True)
class TagPage:
    """One page of GetResources: tags by ARN; a `marker` leads to the next."""

    tags: dict[str, dict[str, str]]
    marker: str | None = None


@dataclass(frozen=True, slots=True)
class RegionPage:
    """Regions that an account has enabled; a `marker` leads to the next page."""

    regions: tuple[str, ...]
    marker: str | None = None


class Inquiry(NamedTuple):
    """One call about the organization, by its API name."""

    operation: str
    parent: str | None = None
    marker: str | None = None


class Member(NamedTuple):
    """An account of the organization; one that is suspended or closed is not active."""

    account_id: str
    name: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class OrganizationPage:
    """An answer about the organization; `units` are roots or organizational units by (id, name).

    `problems` tell of entries that cannot be trusted, and so are in neither.
    """

    accounts: tuple[Member, ...] = ()
    units: tuple[tuple[str, str], ...] = ()
    management_account: str | None = None
    marker: str | None = None
    problems: tuple[str, ...] = ()


class CallFailed(Exception):
    """A call was refused, broke, or was answered with nonsense.

    `retryable`: trying again may help. `mended`: the source has removed the cause (fresh credentials, a
    corrected clock), so the same call is worth repeating at once. `retry_after`: seconds the service asked
    to be left alone. `connected`: False where no connection came about. `sent`: False where nothing was sent.
    """

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        operation: str | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retryable: bool = False,
        mended: bool = False,
        retry_after: float | None = None,
        connected: bool = True,
        sent: bool = True,
        named_gateway: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.operation = operation
        self.code = code
        self.request_id = request_id
        self.retryable = retryable
        self.mended = mended
        self.retry_after = retry_after
        self.connected = connected
        self.sent = sent
        self.named_gateway = named_gateway


class GatewayVanished(CallFailed):
    """The gateway was deleted between listing and asking."""


class GatewayNotApplicable(CallFailed):
    """The gateway is of a type that has no recovery points."""


class RegionNotEnabled(CallFailed):
    """The account has not enabled the Region."""


class Source(Protocol):
    """The service as the engine sees it. Every method sends at most one paced call, or raises CallFailed."""

    async def open_account(self, account: AccountSettings | None) -> str:
        """Credentials for `account` (None: the base identity's own); returns the account's id."""
        ...

    async def organization(self, inquiry: Inquiry) -> OrganizationPage:
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

    async def list_gateways(self, place: Place, marker: str | None) -> GatewayPage:
        """One page of ListGateways, 100 at most."""
        ...

    async def list_recovery_points(self, place: Place, gateway_arn: str) -> RecoveryPoints:
        """ListVolumeRecoveryPoints of one gateway."""
        ...

    async def describe_gateway(self, place: Place, gateway_arn: str) -> GatewayFacts:
        """DescribeGatewayInformation of one gateway."""
        ...

    async def list_volumes(self, place: Place, gateway_arn: str, marker: str | None) -> VolumePage:
        """One page of ListVolumes of one gateway, 100 at most."""
        ...

    async def describe_volumes(self, place: Place, volume_arns: tuple[str, ...]) -> tuple[VolumeFacts, ...]:
        """DescribeCachediSCSIVolumes of volumes of one gateway."""
        ...

    async def list_tags(self, place: Place, marker: str | None) -> TagPage:
        """One page of GetResources: the tags of gateways and volumes, of 100 resources at most."""
        ...
