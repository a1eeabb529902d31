"""A small company's fleet, with what goes wrong in one."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from .fleet import Account, Bucket, Fleet, Gateway, Role, Volume
from .generate import TYPES, gateway, hex_id

_REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
_ROLE = "sgw-scanner"
# A name is any text; whoever prints one must be ready for this.
HOSTILE = "=cmd|'/c calc'!A0 <script>alert(1)</script> \u202e\x1b[31mred\x1b[0m"
_ACCOUNTS = (
    ("111122223333", "hub", "platform"),
    ("222233334444", "prod-databases", "workloads/prod"),
    ("333344445555", "prod-files", "workloads/prod"),
    ("444455556666", "staging", "workloads/test"),
    ("555566667777", "lab", "sandbox"),
)


def demo() -> Fleet:
    """Five accounts in three Regions; seeded, so that every demo shows the same."""
    random = Random(2012)
    taken: set[str] = set()
    fleet = Fleet()
    for account_id, name, unit in _ACCOUNTS:
        account = Account(account_id, name, _REGIONS, ou=unit, email=f"{name}@example.com")
        account.roles.append(Role(_ROLE, trust=(_ACCOUNTS[0][0],)))
        for region in _REGIONS:
            for number in range(random.randint(1, 3)):
                kind = random.choices(list(TYPES), list(TYPES.values()))[0]
                account.gateways.append(gateway(random, region, number + 1, kind, (2, 6), taken))
        fleet.accounts.append(account)
    hub, databases, files, staging, lab = fleet.accounts
    for number, kind in enumerate(TYPES):
        hub.gateways.append(gateway(random, "us-east-1", 11 + number, kind, 4, taken))
    late = gateway(random, "eu-west-1", 21, "CACHED", 0, taken)
    late.name = "db-nightly"
    late.tags = {"tier": "1", "team": "databases"}
    ages = (timedelta(minutes=4), timedelta(hours=31), timedelta(days=12), None)
    late.volumes = [Volume(hex_id(random, "vol", taken), recovery_point=age) for age in ages]
    databases.gateways.append(late)
    _trouble(fleet, random, taken)
    files.gateways.append(_named(random, taken, HOSTILE))
    staging.gateways[0].state = "DISABLED"
    # Nobody outside may take on this role: the account is known, what is in it is not.
    lab.roles[0].trust = (lab.id,)
    return fleet


def _named(random: Random, taken: set[str], name: str) -> Gateway:
    made = gateway(random, "us-east-1", 31, "CACHED", 2, taken)
    made.name = name
    return made


def _trouble(fleet: Fleet, random: Random, taken: set[str]) -> None:
    """A gateway that lost its connection, and a target that may be asked slowly only."""
    databases, staging = fleet.accounts[1], fleet.accounts[3]
    lost = _named(random, taken, "branch-office-7")
    lost.error = "GatewayNotConnected"
    databases.gateways.append(lost)
    for number in range(12):
        staging.gateways.append(gateway(random, "us-east-1", 41 + number, "CACHED", (1, 3), taken))
    fleet.throttle.append(Bucket(10, 4, accounts=(staging.id,), regions=("us-east-1",)))
