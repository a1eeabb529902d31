"""What the emulator serves: accounts, their roles, gateways and volumes, as plain values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from os import PathLike
from typing import TYPE_CHECKING, Any

from .places import DEFAULT_REGIONS, gateway_arn, partition_of

if TYPE_CHECKING:
    from .faults import Fault

ALLOW_ALL: dict[str, Any] = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@dataclass
class Volume:
    """`recovery_point` is an age at the emulator's start, a moment, text to be sent as it is, or None."""

    id: str
    size_bytes: int = 100 * 1024**3
    usage_bytes: int | None = 10 * 1024**3
    recovery_point: timedelta | datetime | str | None = None
    status: str = "AVAILABLE"
    attachment_status: str = "ATTACHED"
    kms_key: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Gateway:
    """One gateway in one Region; `error` is an inner error code that every question to it gets."""

    id: str
    region: str
    name: str | None = None
    type: str = "CACHED"
    state: str = "ACTIVE"
    host_environment: str = "VMWARE"
    software_version: str = "2.10.4"
    error: str | None = None
    volumes: list[Volume] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Role:
    """`trust` holds account ids, ARNs or `*`; `policy` the statements of the role.

    `trust_tags`: whom the role trusts may also give tags to its session.
    """

    name: str
    trust: Sequence[str] = ("*",)
    external_id: str | None = None
    policy: Sequence[Mapping[str, Any]] = (ALLOW_ALL,)
    max_session_seconds: int = 3600
    path: str = "/"
    trust_tags: bool = True


@dataclass
class Key:
    """A static access key of an account's user."""

    id: str
    secret: str
    user: str = "user"
    policy: Sequence[Mapping[str, Any]] = (ALLOW_ALL,)


@dataclass
class Account:
    """`regions` are those enabled for it; None: AWS's default ones and all with gateways."""

    id: str
    name: str = ""
    regions: Sequence[str] | None = None
    gateways: list[Gateway] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    state: str = "ACTIVE"
    ou: str = ""
    email: str = ""
    in_organization: bool = True
    # What ListRegions says of a Region instead of what follows from `regions` (ENABLING, DISABLING...).
    region_status: dict[str, str] = field(default_factory=dict)

    @property
    def enabled_regions(self) -> tuple[str, ...]:
        if self.regions is not None:
            return tuple(self.regions)
        own = {gateway.region for gateway in self.gateways}
        if own and all(partition_of(region) != "aws" for region in own):
            return tuple(sorted(own))
        return tuple(sorted({*DEFAULT_REGIONS, *own}))

    @property
    def partition(self) -> str:
        return partition_of(self.enabled_regions[0]) if self.enabled_regions else "aws"

    def arn_of(self, gateway: Gateway) -> str:
        return gateway_arn(self.id, gateway.region, gateway.id)

    def role_arn(self, role: Role) -> str:
        return f"arn:{self.partition}:iam::{self.id}:role{role.path}{role.name}"


@dataclass
class Bucket:
    """A limit for each account and Region: `rate` calls a second, `burst` at once.

    `changes` are (seconds after start, new rate). `operations` share one bucket unless `per_operation`.
    """

    rate: float
    burst: float = 1.0
    service: str = "storagegateway"
    operations: Sequence[str] = ()
    per_operation: bool = False
    accounts: Sequence[str] = ()
    regions: Sequence[str] = ()
    changes: Sequence[tuple[float, float]] = ()


@dataclass
class Organization:
    """Who may ask, and how its lists are cut.

    Accounts name their unit by its path (`prod/databases`); `units` are further ones, without accounts.
    `status` adds the field that newer endpoints dropped.
    """

    units: Sequence[str] = ()
    delegated: Sequence[str] = ()
    page_size: int = 3
    status: bool = False
    id: str = "o-sgwemulate"
    root_id: str = "r-ab12"

    def unit_id(self, path: str) -> str:
        """The id of the unit with this path; the root's for the empty one."""
        if not path:
            return self.root_id
        return f"ou-{self.root_id[2:]}-{hashlib.sha256(path.encode()).hexdigest()[:8]}"


@dataclass
class Fleet:
    """Everything behind the endpoint; the first account manages and owns the base identity."""

    accounts: list[Account] = field(default_factory=list)
    throttle: list[Bucket] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    organization: Organization | None = field(default_factory=Organization)
    base_account: str | None = None
    extra_regions: Sequence[str] = ()
    # How far the service's clock is ahead of the real one; it signs, expires and dates by its own.
    clock_skew_seconds: float = 0.0

    @property
    def members(self) -> dict[str, Account]:
        """The accounts of the organization, by their ids and in their order."""
        inside = (account for account in self.accounts if account.in_organization)
        return {account.id: account for account in sorted(inside, key=lambda account: account.id)}

    @property
    def units(self) -> dict[str, str]:
        """The path of each unit by its id, in the order of the ids; the root's is empty."""
        if self.organization is None:
            return {}
        paths = {""}
        for path in (*self.organization.units, *(account.ou for account in self.members.values())):
            steps = path.split("/") if path else []
            paths.update("/".join(steps[: end + 1]) for end in range(len(steps)))
        return dict(sorted((self.organization.unit_id(path), path) for path in paths))

    @property
    def base_account_id(self) -> str:
        if self.base_account is not None:
            return self.base_account
        return self.accounts[0].id if self.accounts else "000000000000"

    def account(self, account_id: str) -> Account:
        """The account with this id; KeyError if there is none."""
        for account in self.accounts:
            if account.id == account_id:
                return account
        raise KeyError(account_id)

    @classmethod
    def from_toml(cls, path: str | PathLike[str]) -> Fleet:
        """A fleet described in a file; FleetFileError names file and key where it is wrong."""
        from .fleet_file import load

        return load(path)

    @classmethod
    def generate(
        cls,
        accounts: int = 12,
        regions: int | Sequence[str] = 6,
        seed: int = 7,
        gateways_per_target: int | tuple[int, int] = (0, 4),
        volumes_per_gateway: int | tuple[int, int] = (1, 12),
        types: Mapping[str, int] | None = None,
        role: str = "sgw-scanner",
    ) -> Fleet:
        """A random fleet, the same for the same arguments."""
        from .generate import generate

        return generate(accounts, regions, seed, gateways_per_target, volumes_per_gateway, types, role)

    @classmethod
    def demo(cls) -> Fleet:
        """A fleet with something of everything, failures included."""
        from .demo import demo

        return demo()
