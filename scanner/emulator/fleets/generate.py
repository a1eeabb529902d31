"""Accounts in any number, the same for the same seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Annotated

from pydantic import AfterValidator, Field, Strict

from .accounts import TYPES, Account, Gateway, GatewayType, Role, Volume
from .checked import MustBe, RegionChoice, Span, Table, Text, Whole
from .regions import DEFAULT_REGIONS, OPT_IN_REGIONS

# Home first: a fleet of one Region is where most people begin.
_ORDER = ("us-east-1", "eu-west-1", "us-west-2", "eu-central-1", "ap-southeast-1", "ap-northeast-1")


def region_names(count: int) -> tuple[str, ...]:
    """The first `count` Regions, the best known ones first."""
    known = (*_ORDER, *(region for region in DEFAULT_REGIONS if region not in _ORDER), *OPT_IN_REGIONS)
    if not 0 < count <= len(known):
        raise ValueError(f"regions must be between 1 and {len(known)}, not {count}")
    return known[:count]


def _not_all_zero(shares: Mapping[str, int]) -> Mapping[str, int]:
    if not sum(shares.values()):
        raise ValueError("nothing to choose from")
    return shares


Shares = Annotated[
    Mapping[GatewayType, Annotated[int, Strict(), Field(ge=0)]],
    AfterValidator(_not_all_zero),
    MustBe(f"a table of whole numbers for some of {', '.join(TYPES)}"),
]


@dataclass
class Generation(Table):
    """What is to be generated; the spans are a number, or the least and the most."""

    accounts: Whole = 12
    regions: RegionChoice = 6
    seed: Whole = 7
    gateways_per_target: Span = (0, 4)
    volumes_per_gateway: Span = (1, 12)
    types: Shares = field(default_factory=lambda: dict(TYPES))
    role: Text = "sgw-scanner"


def _pick(random: Random, span: int | tuple[int, int]) -> int:
    return span if isinstance(span, int) else random.randint(*span)


def hex_id(random: Random, prefix: str, taken: set[str]) -> str:
    """A resource id that no other resource of the fleet has."""
    while (found := f"{prefix}-{random.getrandbits(32):08X}") in taken:
        pass
    taken.add(found)
    return found


def _age(random: Random) -> timedelta | None:
    """Mostly minutes, sometimes too old, sometimes no point at all."""
    kind = random.random()
    if kind < 0.03:
        return None
    if kind < 0.10:
        return timedelta(hours=random.uniform(24, 24 * 20))
    return timedelta(seconds=random.uniform(30, 20 * 3600))


def generate_volume(random: Random, taken: set[str]) -> Volume:
    size = random.choice((100, 512, 1024, 4096, 16384)) * 1024**3
    return Volume(
        id=hex_id(random, "vol", taken),
        size_bytes=size,
        usage_bytes=int(size * random.random()),
        recovery_point=_age(random),
    )


def generate_gateway(
    random: Random, region: str, number: int, kind: str, volumes: int | tuple[int, int], taken: set[str]
) -> Gateway:
    """A gateway of a type, with as many volumes if its type has some."""
    made = Gateway(
        id=hex_id(random, "sgw", taken),
        region=region,
        name=f"{kind.lower().replace('_', '-')}-{number}",
        type=kind,
        host_environment=random.choice(("VMWARE", "HYPER-V", "KVM", "EC2")),
    )
    if kind in ("CACHED", "STORED"):
        made.volumes = [generate_volume(random, taken) for _ in range(_pick(random, volumes))]
    return made


def generate_accounts(wanted: Generation) -> list[Account]:
    """Accounts that each have the role, trusting the first of them; ValueError for too many Regions."""
    random = Random(wanted.seed)
    names = region_names(wanted.regions) if isinstance(wanted.regions, int) else tuple(wanted.regions)
    kinds, shares = list(wanted.types), list(wanted.types.values())
    taken: set[str] = set()
    accounts: list[Account] = []
    for number in range(wanted.accounts):
        account = Account(
            id=f"{111100000000 + number:012d}",
            name=f"account-{number + 1}",
            email=f"account-{number + 1}@example.com",
            regions=names,
        )
        for region in names:
            for index in range(_pick(random, wanted.gateways_per_target)):
                kind = random.choices(kinds, shares)[0]
                account.gateways.append(
                    generate_gateway(random, region, index + 1, kind, wanted.volumes_per_gateway, taken)
                )
        accounts.append(account)
        account.roles.append(Role(wanted.role, trust=(accounts[0].id,)))
    return accounts
