"""A small company's fleet, with what goes wrong in one."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from .accounts import Account, DetachedVolume, Gateway, Role
from .buckets import Bucket
from .generate import generate_gateway, generate_volume

_ROLE = "sgw-scanner"
_REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "ap-southeast-2")
_HOME, _WEST, _EUROPE, _SYDNEY = _REGIONS
# A name is any text; whoever prints one must be ready for this.
HOSTILE = "=cmd|'/c calc'!A0 <script>alert(1)</script> \u202e\x1b[31mred\x1b[0m"

_HUB = "111122223333"
# Name, id and unit.
_ACCOUNTS = (
    ("hub", _HUB, "platform"),
    ("prod-databases", "222233334444", "workloads/prod"),
    ("prod-files", "333344445555", "workloads/prod"),
    ("staging", "444455556666", "workloads/test"),
    ("lab", "555566667777", "sandbox"),
)
# Account, Region, type and name of each gateway, and how many volumes it has.
_GATEWAYS = (
    ("hub", _HOME, "CACHED", "shared", 4),
    ("hub", _WEST, "VTL", "tapes", 0),
    ("hub", _EUROPE, "FILE_S3", "archive", 0),
    ("prod-databases", _HOME, "CACHED", "db-primary", 6),
    ("prod-databases", _HOME, "CACHED", "db-reporting", 5),
    ("prod-databases", _HOME, "CACHED", "branch-office-7", 2),
    ("prod-databases", _WEST, "CACHED", "db-standby", 4),
    ("prod-databases", _EUROPE, "CACHED", "db-nightly", 4),
    ("prod-databases", _SYDNEY, "CACHED", "db-sydney", 3),
    ("prod-files", _HOME, "CACHED", "files-home", 4),
    ("prod-files", _HOME, "CACHED", HOSTILE, 2),
    ("prod-files", _EUROPE, "STORED", "files-office", 3),
    ("prod-files", _EUROPE, "FILE_FSX_SMB", "profiles", 0),
    ("prod-files", _SYDNEY, "CACHED", "files-sydney", 4),
    ("prod-files", _SYDNEY, "FILE_S3", "media", 0),
    *(("staging", _HOME, "CACHED", f"ci-{number}", 1) for number in range(1, 13)),
    ("staging", _WEST, "CACHED", "load-test", 4),
    ("staging", _EUROPE, "VTL", "old-tapes", 0),
    ("lab", _WEST, "CACHED", "bench", 3),
)
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# Where the ages of recovery points matter to the story; all others are good.
_AGES = {
    "db-primary": tuple(minutes * _MINUTE for minutes in (2, 9, 14, 21, 33, 47)),
    "db-nightly": (4 * _MINUTE, 31 * _HOUR, 12 * _DAY, None),
    "files-home": (7 * _MINUTE, 2 * _HOUR, 21 * _HOUR, 26 * _HOUR),
    "load-test": (40 * _MINUTE, 5 * _HOUR, 22 * _HOUR, 3 * _DAY),
}
_TAGS = {"db-primary": {"tier": "1", "team": "databases"}, "db-nightly": {"tier": "2", "team": "databases"}}
_DETACHED = {
    "prod-files": (DetachedVolume("vol-0DE7AC4E", 512 * 1024**3, region=_HOME, gateway="sgw-0DE7AC4E"),)
}
_ERRORS = {"branch-office-7": "GatewayNotConnected"}
_STATES = {"old-tapes": "DISABLED"}


def demo_accounts() -> list[Account]:
    """Five accounts in four Regions, about sixty volumes; every demo shows the same.

    Volumes that breach an RPO of a day, one without a recovery point, one that is detached, a gateway that
    lost its connection, and an account that lets nobody in.
    """
    random, taken = Random(2012), set[str]()
    accounts = []
    for name, account_id, unit in _ACCOUNTS:
        # Nobody outside may assume the lab's role: the account is known, what is in it is not.
        trusted = account_id if name == "lab" else _HUB
        account = Account(account_id, name, _REGIONS, ou=unit, email=f"{name}@example.com")
        account.roles.append(Role(_ROLE, trust=(trusted,)))
        for owner, region, kind, label, volumes in _GATEWAYS:
            if owner == name:
                account.gateways.append(_gateway(random, region, kind, label, volumes, taken))
        account.detached_volumes += _DETACHED.get(name, ())
        accounts.append(account)
    return accounts


def demo_buckets() -> list[Bucket]:
    """One target that answers few calls a second."""
    (staging,) = (account_id for name, account_id, _ in _ACCOUNTS if name == "staging")
    return [Bucket(10, 4, accounts=(staging,), regions=(_HOME,))]


def _gateway(random: Random, region: str, kind: str, name: str, volumes: int, taken: set[str]) -> Gateway:
    made = generate_gateway(random, region, 1, kind, 0, taken)
    made.name = name
    made.tags = dict(_TAGS.get(name, {}))
    made.error = _ERRORS.get(name)
    made.state = _STATES.get(name, "ACTIVE")
    ages = _AGES.get(name) or tuple(random.randint(3, 18 * 60) * _MINUTE for _ in range(volumes))
    for age in ages:
        each = generate_volume(random, taken)
        each.recovery_point = age
        made.volumes.append(each)
    return made
