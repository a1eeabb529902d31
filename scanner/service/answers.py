"""What the service answers, as frozen records: types are checked, what they mean is the engine's."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class ListedGateway:
    """One entry of ListGateways, as it came; only the types of its fields have been checked."""

    arn: str | None
    name: str | None = None
    type: str | None = None
    operational_state: str | None = None
    host_environment: str | None = None
    ec2_instance_id: str | None = None
    software_version: str | None = None
    deprecation_date: str | None = None
    dropped: tuple[str, ...] = ()
    """Fields that were broken: of another type, or with characters that cannot be shown."""
    problem: str | None = None
    """Why this entry cannot be trusted, where two entries contradict each other."""


@dataclass(frozen=True, slots=True)
class GatewayPage:
    """One page of ListGateways; a `marker` leads to the next."""

    gateways: tuple[ListedGateway, ...]
    marker: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class RecoveryPoint:
    """One record of ListVolumeRecoveryPoints; sizes in bytes, `time` None where there is no point."""

    arn: str
    size_bytes: int | None = None
    usage_bytes: int | None = None
    time: datetime | None = None

    def same_as(self, other: object) -> bool:
        """Whether both say the same of a volume, whose ARN has two forms: with its gateway and without."""
        return self is other or (isinstance(other, RecoveryPoint) and replace(other, arn=self.arn) == self)


@dataclass(frozen=True, slots=True)
class RecoveryPoints:
    """An answer of ListVolumeRecoveryPoints, and when the service gave it by its own clock."""

    observed_at: datetime
    volumes: tuple[RecoveryPoint, ...]
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class GatewayDescription:
    """An answer of DescribeGatewayInformation: its fields by snake_case name, and its first tags."""

    details: dict[str, Any]
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class ListedVolume:
    """One entry of ListVolumes. All of its fields but the ARN are optional."""

    arn: str
    size_bytes: int | None = None
    attachment_status: str | None = None
    gateway_arn: str | None = None
    type: str | None = None
    dropped: tuple[str, ...] = ()
    """Fields that were broken, and are left out."""
    problem: str | None = None
    """Why this entry cannot be trusted."""

    def same_as(self, other: object) -> bool:
        """Whether both say the same of a volume, whose ARN has two forms: with its gateway and without."""
        return self is other or (isinstance(other, ListedVolume) and replace(other, arn=self.arn) == self)


@dataclass(frozen=True, slots=True)
class VolumePage:
    """One page of ListVolumes; a `marker` leads to the next."""

    volumes: tuple[ListedVolume, ...]
    marker: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class VolumeDescription:
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


class MemberAccount(NamedTuple):
    """An account of the organization; one that is suspended or closed is not active."""

    account_id: str
    name: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class OrganizationPage:
    """An answer about the organization; `units` are roots or organizational units by (id, name).

    `problems` tell of entries that cannot be trusted, and so are in neither.
    """

    accounts: tuple[MemberAccount, ...] = ()
    units: tuple[tuple[str, str], ...] = ()
    management_account: str | None = None
    marker: str | None = None
    problems: tuple[str, ...] = ()
