"""Fleets of any size from a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from random import Random

from .fleet import Account, Fleet, Gateway, Role, Volume
from .places import DEFAULT_REGIONS, OPT_IN_REGIONS

Span = int | tuple[int, int]
# Half of the fleet has recovery points; the other types must be passed over.
TYPES = {"CACHED": 12, "STORED": 3, "VTL": 3, "FILE_S3": 4, "FILE_FSX_SMB": 2}
# Home first: a fleet of one Region is where most people begin.
_ORDER = ("us-east-1", "eu-west-1", "us-west-2", "eu-central-1", "ap-southeast-1", "ap-northeast-1")


def region_names(count: int) -> tuple[str, ...]:
    """The first `count` Regions, the best known ones first."""
    known = (*_ORDER, *(region for region in DEFAULT_REGIONS if region not in _ORDER), *OPT_IN_REGIONS)
    if not 0 < count <= len(known):
        raise ValueError(f"regions must be between 1 and {len(known)}, not {count}")
    return known[:count]


def _pick(random: Random, span: Span) -> int:
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


def volume(random: Random, taken: set[str]) -> Volume:
    size = random.choice((100, 512, 1024, 4096, 16384)) * 1024**3
    return Volume(
        id=hex_id(random, "vol", taken),
        size_bytes=size,
        usage_bytes=int(size * random.random()),
        recovery_point=_age(random),
    )


def gateway(random: Random, region: str, number: int, kind: str, volumes: Span, taken: set[str]) -> Gateway:
    made = Gateway(
        id=hex_id(random, "sgw", taken),
        region=region,
        name=f"{kind.lower().replace('_', '-')}-{number}",
        type=kind,
        host_environment=random.choice(("VMWARE", "HYPER-V", "KVM", "EC2")),
    )
    if kind in ("CACHED", "STORED"):
        made.volumes = [volume(random, taken) for _ in range(_pick(random, volumes))]
    return made


def generate(
    accounts: int,
    regions: int | Sequence[str],
    seed: int,
    gateways_per_target: Span,
    volumes_per_gateway: Span,
    types: Mapping[str, int] | None,
    role: str,
) -> Fleet:
    """A fleet in which every account has the role `role`, trusting the first account."""
    random = Random(seed)
    names = region_names(regions) if isinstance(regions, int) else tuple(regions)
    weights = dict(types or TYPES)
    kinds, shares = list(weights), list(weights.values())
    taken: set[str] = set()
    fleet = Fleet()
    for number in range(accounts):
        account = Account(
            id=f"{111100000000 + number:012d}",
            name=f"account-{number + 1}",
            email=f"account-{number + 1}@example.com",
            regions=names,
        )
        for region in names:
            for index in range(_pick(random, gateways_per_target)):
                kind = random.choices(kinds, shares)[0]
                account.gateways.append(gateway(random, region, index + 1, kind, volumes_per_gateway, taken))
        fleet.accounts.append(account)
        account.roles.append(Role(role, trust=(fleet.accounts[0].id,)))
    return fleet
