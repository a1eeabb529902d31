"""Fleets described in TOML; whatever is wrong is said with file, key and what would be right."""

from __future__ import annotations

import tomllib
from os import PathLike
from pathlib import Path

from .checks import (
    Check,
    FleetFileError,
    Node,
    age,
    changes,
    is_a,
    like,
    moment,
    policy,
    regions,
    shares,
    span,
    tags,
    texts,
)
from .faults import KINDS, Fault
from .fleet import Account, Bucket, Fleet, Gateway, Key, Organization, Role, Volume
from .generate import TYPES

__all__ = ["FleetFileError", "load"]

_TEXT = is_a(str, "text")
_WHOLE = is_a(int, "a whole number")
_NUMBER = is_a((int, float), "a number")
_FLAG = is_a(bool, "true or false")
_ACCOUNT_ID = like(r"\d{12}", "an account id of 12 digits, in quotes")
_REGION = like(r"[a-z]{2,6}(-[a-z]+)+-\d", "a Region such as 'us-east-1'")

VOLUME: dict[str, Check] = {
    "id": like(r"vol-[0-9A-F]{8,17}", "a volume id such as 'vol-1122AABB' (upper case)"),
    "size_bytes": _WHOLE,
    "usage_bytes": _WHOLE,
    "recovery_point": moment,
    "status": _TEXT,
    "attachment_status": _TEXT,
    "kms_key": _TEXT,
    "tags": tags,
}
GATEWAY: dict[str, Check] = {
    "id": like(r"sgw-[0-9A-F]{8,17}", "a gateway id such as 'sgw-12A3456B' (upper case)"),
    "region": _REGION,
    "name": _TEXT,
    "type": like("|".join(TYPES), f"one of {', '.join(TYPES)}"),
    "state": _TEXT,
    "host_environment": _TEXT,
    "software_version": _TEXT,
    "error": _TEXT,
    "tags": tags,
}
ROLE: dict[str, Check] = {
    "name": _TEXT,
    "trust": texts,
    "trust_tags": _FLAG,
    "external_id": _TEXT,
    "policy": policy,
    "max_session_seconds": _WHOLE,
    "path": _TEXT,
}
KEY: dict[str, Check] = {"id": _TEXT, "secret": _TEXT, "user": _TEXT, "policy": policy}
ACCOUNT: dict[str, Check] = {
    "id": _ACCOUNT_ID,
    "name": _TEXT,
    "regions": texts,
    "state": _TEXT,
    "ou": _TEXT,
    "email": _TEXT,
    "in_organization": _FLAG,
    "region_status": tags,
}
ORGANIZATION: dict[str, Check] = {
    "units": texts,
    "delegated": texts,
    "page_size": _WHOLE,
    "status": _FLAG,
    "id": _TEXT,
    "root_id": _TEXT,
}
BUCKET: dict[str, Check] = {
    "rate": _NUMBER,
    "burst": _NUMBER,
    "service": _TEXT,
    "operations": texts,
    "per_operation": _FLAG,
    "accounts": texts,
    "regions": texts,
    "changes": changes,
}
FAULT: dict[str, Check] = {
    "kind": like("|".join(KINDS), f"one of {', '.join(KINDS)}"),
    **dict.fromkeys(("account", "region", "service", "operation", "gateway"), _TEXT),
    **dict.fromkeys(("code", "message", "inner", "retry_after", "body", "other"), _TEXT),
    **dict.fromkeys(("nth", "from_nth", "times", "seed", "status"), _WHOLE),
    **dict.fromkeys(("probability", "seconds"), _NUMBER),
    "each": _FLAG,
    "patch": is_a(dict, "a table of paths and values"),
    "remove": texts,
}
GENERATE: dict[str, Check] = {
    "accounts": _WHOLE,
    "regions": regions,
    "seed": _WHOLE,
    "gateways_per_target": span,
    "volumes_per_gateway": span,
    "types": shares,
    "role": _TEXT,
}
TOP: dict[str, Check] = {
    "base_account": _ACCOUNT_ID,
    "extra_regions": texts,
    "clock_skew_seconds": _NUMBER,
}
TABLES = {"accounts", "generate", "organization", "faults", "throttle"}


def load(path: str | PathLike[str]) -> Fleet:
    """The fleet that a file describes; OSError if there is none, FleetFileError if it is no good."""
    file = str(path)
    try:
        content = tomllib.loads(Path(path).read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FleetFileError(f"{file}: not a TOML file: {error}") from None
    top = Node(file, "", content)
    top.only({*TOP, *TABLES})
    fleet = _generated(top.sub("generate"))
    fleet.accounts += [_account(node) for node in top.tables("accounts")]
    if not fleet.accounts:
        raise top.wrong("accounts", "none; describe one ([[accounts]]) or have some made ([generate])")
    for key, check in TOP.items():
        if key in content:
            setattr(fleet, key, check(top, key, content[key]))
    organization = top.sub("organization")
    if organization is not None:
        fleet.organization = organization.build(Organization, ORGANIZATION)
    fleet.throttle = [node.build(Bucket, BUCKET) for node in top.tables("throttle")]
    fleet.faults = [node.build(Fault, FAULT) for node in top.tables("faults")]
    _unique(top, fleet)
    return fleet


def _generated(node: Node | None) -> Fleet:
    if node is None:
        return Fleet()
    node.only(GENERATE)
    values = {key: check(node, key, node.table[key]) for key, check in GENERATE.items() if key in node.table}
    try:
        return Fleet.generate(**values)
    except ValueError as error:
        raise node.wrong("regions", str(error)) from None


def _account(node: Node) -> Account:
    account = node.build(Account, ACCOUNT, {"roles", "keys", "gateways"})
    account.roles = [each.build(Role, ROLE) for each in node.tables("roles")]
    account.keys = [each.build(Key, KEY) for each in node.tables("keys")]
    for each in node.tables("gateways"):
        gateway = each.build(Gateway, GATEWAY, {"volumes"})
        gateway.volumes = [_volume(volume) for volume in each.tables("volumes")]
        account.gateways.append(gateway)
    return account


def _volume(node: Node) -> Volume:
    if {"age", "recovery_point"} <= node.table.keys():
        raise node.wrong(
            "age", "clashes with recovery_point; give one of them, or none for no recovery point"
        )
    volume = node.build(Volume, VOLUME, {"age"})
    if "age" in node.table:
        volume.recovery_point = age(node, "age", node.table["age"])
    return volume


def _unique(top: Node, fleet: Fleet) -> None:
    seen: set[str] = set()
    for account in fleet.accounts:
        names = [account.id, *(account.arn_of(gateway) for gateway in account.gateways)]
        for name in names:
            if name in seen:
                raise top.wrong("accounts", f"{name} stands twice")
            seen.add(name)
