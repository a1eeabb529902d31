"""Fleets described in TOML; whatever is wrong is said with file, key and what would be right."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from .faults import KINDS, Fault
from .fleet import Account, Bucket, Fleet, Gateway, Key, Organization, Role, Volume
from .generate import TYPES

Value = TypeVar("Value")
Check = Callable[["Node", str, Any], Any]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


class FleetFileError(ValueError):
    """A fleet file that cannot be served."""


class Node:
    """A table of the file that knows where it stands."""

    def __init__(self, file: str, place: str, table: Mapping[str, Any]) -> None:
        self.file, self.place, self.table = file, place, table

    def wrong(self, key: str, problem: str) -> FleetFileError:
        where = f"{self.place}.{key}" if self.place else key
        return FleetFileError(f"{self.file}: {where}: {problem}")

    def only(self, known: Mapping[str, Any] | set[str]) -> None:
        for key in self.table:
            if key not in known:
                near = get_close_matches(key, list(known), 1)
                hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}"
                raise self.wrong(key, f"no such key; {hint}")

    def tables(self, key: str) -> list[Node]:
        found = self.table.get(key, [])
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise self.wrong(key, f"must be a list of tables ([[{key}]])")
        base = f"{self.place}.{key}" if self.place else key
        return [Node(self.file, f"{base}[{number}]", each) for number, each in enumerate(found)]

    def sub(self, key: str) -> Node | None:
        found = self.table.get(key)
        if found is None:
            return None
        if not isinstance(found, dict):
            raise self.wrong(key, f"must be a table ([{key}])")
        return Node(self.file, key, found)

    def build(self, kind: type[Value], checks: Mapping[str, Check], others: set[str] | None = None) -> Value:
        """A dataclass from the keys that have a check; `others` are read by the caller."""
        self.only({*checks, *(others or ())})
        values = {
            key: check(self, key, self.table[key]) for key, check in checks.items() if key in self.table
        }
        for each in fields(kind):  # type: ignore[arg-type]
            needed = each.default is MISSING and each.default_factory is MISSING
            if needed and each.name not in values:
                raise self.wrong(each.name, "is missing")
        try:
            return kind(**values)
        except ValueError as error:
            raise self.wrong(next(iter(values), ""), str(error)) from None


def _is(kind: type | tuple[type, ...], words: str) -> Check:
    def check(node: Node, key: str, value: Any) -> Any:
        if (isinstance(value, bool) and kind is not bool) or not isinstance(value, kind):
            raise node.wrong(key, f"must be {words}, not {value!r}")
        return value

    return check


def _like(pattern: str, words: str) -> Check:
    def check(node: Node, key: str, value: Any) -> Any:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise node.wrong(key, f"must be {words}, not {value!r}")
        return value

    return check


def _texts(node: Node, key: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise node.wrong(key, "must be a list of texts")
    return value


def _tags(node: Node, key: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise node.wrong(key, 'must be a table of texts ({ name = "text" })')
    return value


def _policy(node: Node, key: str, value: Any) -> list[dict[str, Any]]:
    for statement in value if isinstance(value, list) else [None]:
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            raise node.wrong(key, "must be a list of IAM statements with Effect, Action and Resource")
    return list(value)


def _span(node: Node, key: str, value: Any) -> int | tuple[int, int]:
    numbers = value if isinstance(value, list) else [value, value]
    good = len(numbers) == 2 and all(type(each) is int and each >= 0 for each in numbers)
    if not good or numbers[0] > numbers[1]:
        raise node.wrong(key, f"must be a number or [least, most], not {value!r}")
    return value if isinstance(value, int) else (value[0], value[1])


def _regions(node: Node, key: str, value: Any) -> Any:
    return value if type(value) is int and value > 0 else _texts(node, key, value)


def _changes(node: Node, key: str, value: Any) -> list[tuple[float, float]]:
    if not isinstance(value, list) or not all(isinstance(each, list) and len(each) == 2 for each in value):
        raise node.wrong(key, "must be a list of [seconds after start, rate]")
    return [(float(since), float(rate)) for since, rate in value]


def age(node: Node, key: str, value: Any) -> timedelta:
    """A duration such as `3h` or `1h30m`."""
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise node.wrong(key, f"must be a duration such as '90s', '3h' or '2d', not {value!r}")
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(value)))


def _moment(node: Node, key: str, value: Any) -> datetime | str:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, str):
        return value
    raise node.wrong(key, "must be a time (2026-11-23T08:00:00Z) or text that is sent as it is")


_TEXT = _is(str, "text")
_WHOLE = _is(int, "a whole number")
_NUMBER = _is((int, float), "a number")
_FLAG = _is(bool, "true or false")
_ACCOUNT_ID = _like(r"\d{12}", "an account id of 12 digits, in quotes")
_REGION = _like(r"[a-z]{2,6}(-[a-z]+)+-\d", "a Region such as 'us-east-1'")

VOLUME: dict[str, Check] = {
    "id": _like(r"vol-[0-9A-F]{8,17}", "a volume id such as 'vol-1122AABB' (upper case)"),
    "size_bytes": _WHOLE,
    "usage_bytes": _WHOLE,
    "recovery_point": _moment,
    "status": _TEXT,
    "attachment_status": _TEXT,
    "kms_key": _TEXT,
    "tags": _tags,
}
GATEWAY: dict[str, Check] = {
    "id": _like(r"sgw-[0-9A-F]{8,17}", "a gateway id such as 'sgw-12A3456B' (upper case)"),
    "region": _REGION,
    "name": _TEXT,
    "type": _like("|".join(TYPES), f"one of {', '.join(TYPES)}"),
    "state": _TEXT,
    "host_environment": _TEXT,
    "software_version": _TEXT,
    "error": _TEXT,
    "tags": _tags,
}
ROLE: dict[str, Check] = {
    "name": _TEXT,
    "trust": _texts,
    "external_id": _TEXT,
    "policy": _policy,
    "max_session_seconds": _WHOLE,
    "path": _TEXT,
}
KEY: dict[str, Check] = {"id": _TEXT, "secret": _TEXT, "user": _TEXT, "policy": _policy}
ACCOUNT: dict[str, Check] = {
    "id": _ACCOUNT_ID,
    "name": _TEXT,
    "regions": _texts,
    "state": _TEXT,
    "ou": _TEXT,
    "email": _TEXT,
    "in_organization": _FLAG,
    "region_status": _tags,
}
ORGANIZATION: dict[str, Check] = {
    "units": _texts,
    "delegated": _texts,
    "page_size": _WHOLE,
    "status": _FLAG,
    "id": _TEXT,
    "root_id": _TEXT,
}
BUCKET: dict[str, Check] = {
    "rate": _NUMBER,
    "burst": _NUMBER,
    "service": _TEXT,
    "operations": _texts,
    "per_operation": _FLAG,
    "accounts": _texts,
    "regions": _texts,
    "changes": _changes,
}
FAULT: dict[str, Check] = {
    "kind": _like("|".join(KINDS), f"one of {', '.join(KINDS)}"),
    **dict.fromkeys(("account", "region", "service", "operation", "gateway"), _TEXT),
    **dict.fromkeys(("code", "message", "inner", "retry_after", "body", "other"), _TEXT),
    **dict.fromkeys(("nth", "from_nth", "times", "seed", "status"), _WHOLE),
    **dict.fromkeys(("probability", "seconds"), _NUMBER),
    "each": _FLAG,
    "patch": _is(dict, "a table of paths and values"),
    "remove": _texts,
}
GENERATE: dict[str, Check] = {
    "accounts": _WHOLE,
    "regions": _regions,
    "seed": _WHOLE,
    "gateways_per_target": _span,
    "volumes_per_gateway": _span,
    "types": _is(dict, "a table of types and their shares"),
    "role": _TEXT,
}
TOP: dict[str, Check] = {
    "base_account": _ACCOUNT_ID,
    "extra_regions": _texts,
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
