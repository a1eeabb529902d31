"""Tables of a TOML file that know where they stand, and checks that say what would be right."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any, TypeVar

from .generate import TYPES

Value = TypeVar("Value")
# Returns the value as its dataclass wants it, or raises FleetFileError.
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


def is_a(kind: type | tuple[type, ...], words: str) -> Check:
    def check(node: Node, key: str, value: Any) -> Any:
        if (isinstance(value, bool) and kind is not bool) or not isinstance(value, kind):
            raise node.wrong(key, f"must be {words}, not {value!r}")
        return value

    return check


def like(pattern: str, words: str) -> Check:
    def check(node: Node, key: str, value: Any) -> Any:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise node.wrong(key, f"must be {words}, not {value!r}")
        return value

    return check


def texts(node: Node, key: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise node.wrong(key, "must be a list of texts")
    return value


def tags(node: Node, key: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise node.wrong(key, 'must be a table of texts ({ name = "text" })')
    return value


def policy(node: Node, key: str, value: Any) -> list[dict[str, Any]]:
    for statement in value if isinstance(value, list) else [None]:
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            raise node.wrong(key, "must be a list of IAM statements with Effect, Action and Resource")
    return list(value)


def span(node: Node, key: str, value: Any) -> int | tuple[int, int]:
    numbers = value if isinstance(value, list) else [value, value]
    good = len(numbers) == 2 and all(type(each) is int and each >= 0 for each in numbers)
    if not good or numbers[0] > numbers[1]:
        raise node.wrong(key, f"must be a number or [least, most], not {value!r}")
    return value if isinstance(value, int) else (value[0], value[1])


def regions(node: Node, key: str, value: Any) -> Any:
    return value if type(value) is int and value > 0 else texts(node, key, value)


def changes(node: Node, key: str, value: Any) -> list[tuple[float, float]]:
    try:
        return [(float(since), float(rate)) for since, rate in value]
    except (TypeError, ValueError):
        raise node.wrong(key, "must be a list of [seconds after start, rate]") from None


def shares(node: Node, key: str, value: Any) -> dict[str, int]:
    whole = isinstance(value, dict) and all(type(each) is int and each >= 0 for each in value.values())
    if not whole or not sum(value.values()) or not value.keys() <= TYPES.keys():
        raise node.wrong(key, f"must be a table of whole numbers for some of {', '.join(TYPES)}")
    return dict(value)


def age(node: Node, key: str, value: Any) -> timedelta:
    """A duration such as `3h` or `1h30m`."""
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise node.wrong(key, f"must be a duration such as '90s', '3h' or '2d', not {value!r}")
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(value)))


def moment(node: Node, key: str, value: Any) -> datetime | str:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, str):
        return value
    raise node.wrong(key, "must be a time (2026-11-23T08:00:00Z) or text that is sent as it is")
