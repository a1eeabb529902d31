"""Accounts and what is in them, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from pydantic import Field

from .checked import (
    AccountId,
    Flag,
    GatewayId,
    MustBe,
    Policy,
    RecoveryPoint,
    RegionName,
    Secret,
    Table,
    Tags,
    Text,
    Texts,
    VolumeId,
    Whole,
    parse_duration,
    problem_at,
)
from .regions import DEFAULT_REGIONS, partition_of
from .statements import ALLOW_ALL

# The gateway types and their shares in a generated fleet.
TYPES = {"CACHED": 12, "STORED": 3, "VTL": 3, "FILE_S3": 4, "FILE_FSX_SMB": 2}
GatewayType = Annotated[str, Field(pattern=f"^({'|'.join(TYPES)})$"), MustBe(f"one of {', '.join(TYPES)}")]
VolumeType = Annotated[str, Field(pattern="^(CACHED|STORED)$"), MustBe("CACHED or STORED")]


@dataclass
class Volume(Table):
    """`recovery_point` is an age at the emulator's start, a moment, text to be sent as it is, or None."""

    file_keys: ClassVar[tuple[str, ...]] = ("age",)

    id: VolumeId
    size_bytes: Whole = 100 * 1024**3
    usage_bytes: Whole | None = 10 * 1024**3
    recovery_point: RecoveryPoint = None
    status: Text = "AVAILABLE"
    attachment_status: Text = "ATTACHED"
    kms_key: Text | None = None
    tags: Tags = field(default_factory=dict)

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Mapping[str, Any]:
        """Reads `age` as the recovery point."""
        if "age" not in table:
            return table
        if "recovery_point" in table:
            raise problem_at(
                "age", "clashes with recovery_point; give one of them, or none for no recovery point"
            )
        values = dict(table)
        try:
            values["recovery_point"] = parse_duration(values.pop("age"))
        except ValueError as error:
            raise problem_at("age", str(error)) from None
        return values


@dataclass
class DetachedVolume(Volume):
    """A volume that no gateway holds; its ARN goes on naming `gateway`, from which it was detached."""

    attachment_status: Text = "DETACHED"
    region: RegionName = field(kw_only=True)
    gateway: GatewayId = field(default="sgw-00000000", kw_only=True)
    type: VolumeType = field(default="CACHED", kw_only=True)


@dataclass
class Gateway(Table):
    """One gateway in one Region; `error` is an inner error code that every call about it gets."""

    id: GatewayId
    region: RegionName
    name: Text | None = None
    type: GatewayType = "CACHED"
    state: Text = "ACTIVE"
    host_environment: Text = "VMWARE"
    software_version: Text = "2.10.4"
    error: Text | None = None
    volumes: list[Volume] = field(default_factory=list)
    tags: Tags = field(default_factory=dict)


@dataclass
class Role(Table):
    """`trust` holds account ids, ARNs or `*`; `policy` the statements of the role.

    `trust_tags`: whoever the role trusts may also give tags to its session.
    """

    name: Text
    trust: Texts = ("*",)
    external_id: Secret | None = None
    policy: Policy = (ALLOW_ALL,)
    max_session_seconds: Whole = 3600
    path: Text = "/"
    trust_tags: Flag = True


@dataclass
class Key(Table):
    """A static access key of an account's user."""

    id: Text
    secret: Secret
    user: Text = "user"
    policy: Policy = (ALLOW_ALL,)


@dataclass
class Account(Table):
    """`regions` are those enabled for it; None: AWS's default ones and all with gateways or volumes."""

    id: AccountId
    name: Text = ""
    regions: Texts | None = None
    gateways: list[Gateway] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    state: Text = "ACTIVE"
    ou: Text = ""
    email: Text = ""
    in_organization: Flag = True
    # What ListRegions says of a Region instead of what follows from `regions` (ENABLING, DISABLING...).
    region_status: Tags = field(default_factory=dict)
    detached_volumes: list[DetachedVolume] = field(default_factory=list)

    @property
    def enabled_regions(self) -> tuple[str, ...]:
        if self.regions is not None:
            return tuple(self.regions)
        own = {gateway.region for gateway in self.gateways}
        own |= {volume.region for volume in self.detached_volumes}
        if own and all(partition_of(region) != "aws" for region in own):
            return tuple(sorted(own))
        return tuple(sorted({*DEFAULT_REGIONS, *own}))

    @property
    def partition(self) -> str:
        return partition_of(self.enabled_regions[0]) if self.enabled_regions else "aws"

    def arn_of(self, gateway: Gateway) -> str:
        return self._gateway_arn(gateway.region, gateway.id)

    def arn_of_detached(self, volume: DetachedVolume) -> str:
        return volume_arn(self._gateway_arn(volume.region, volume.gateway), volume)

    def role_arn(self, role: Role) -> str:
        return f"arn:{self.partition}:iam::{self.id}:role{role.path}{role.name}"

    def _gateway_arn(self, region: str, gateway_id: str) -> str:
        return f"arn:{partition_of(region)}:storagegateway:{region}:{self.id}:gateway/{gateway_id}"


def volume_arn(gateway_arn: str, volume: Volume) -> str:
    return f"{gateway_arn}/volume/{volume.id}"
