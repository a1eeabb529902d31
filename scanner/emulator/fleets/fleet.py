"""The whole fleet: what one emulator serves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from os import PathLike
from typing import Annotated, ClassVar

from pydantic import Field

from .accounts import TYPES, Account, volume_arn
from .buckets import Bucket
from .checked import AccountId, Number, Table, Texts
from .demo import demo_accounts, demo_buckets
from .faults import Fault
from .generate import Generation, generate_accounts
from .organization import Organization
from .toml_file import FleetFileError, read_toml


@dataclass
class Fleet(Table):
    """Everything behind the endpoint; the first account manages and owns the base identity."""

    accounts: list[Account] = field(default_factory=list)
    throttle: list[Bucket] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    organization: Organization | None = field(default_factory=Organization)
    base_account: AccountId | None = None
    extra_regions: Texts = ()
    # How far the service's clock is ahead of the real one; it signs, expires and dates by its own.
    clock_skew_seconds: Number = 0.0

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
        described = read_toml(path, _FleetFile)
        fleet = cls(**{each.name: getattr(described, each.name) for each in fields(cls)})
        if described.generation is not None:
            try:
                fleet.accounts = [*generate_accounts(described.generation), *fleet.accounts]
            except ValueError as error:
                raise FleetFileError(f"{path}: generate.regions: {error}") from None
        if not fleet.accounts:
            remedy = "describe one ([[accounts]]) or have some made ([generate])"
            raise FleetFileError(f"{path}: accounts: none; {remedy}")
        for name in _repeated(fleet.accounts):
            raise FleetFileError(f"{path}: accounts: {name} stands twice")
        return fleet

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
        wanted = Generation(
            accounts, regions, seed, gateways_per_target, volumes_per_gateway, types or TYPES, role
        )
        return cls(generate_accounts(wanted))

    @classmethod
    def demo(cls) -> Fleet:
        """A fleet with something of everything, failures included."""
        return cls(demo_accounts(), demo_buckets())


@dataclass
class _FleetFile(Fleet):
    """What a file can say: a fleet, and further accounts to generate."""

    file_keys: ClassVar[tuple[str, ...]] = ("generate",)
    python_keys: ClassVar[tuple[str, ...]] = ("generation",)

    generation: Annotated[Generation | None, Field(alias="generate")] = None


def _repeated(accounts: Sequence[Account]) -> list[str]:
    seen: set[str] = set()
    repeated = []
    for account in accounts:
        for name in (account.id, *_arns(account)):
            if name in seen:
                repeated.append(name)
            seen.add(name)
    return repeated


def _arns(account: Account) -> Iterator[str]:
    for gateway in account.gateways:
        arn = account.arn_of(gateway)
        yield arn
        yield from (volume_arn(arn, volume) for volume in gateway.volumes)
    yield from (account.arn_of_detached(volume) for volume in account.detached_volumes)
