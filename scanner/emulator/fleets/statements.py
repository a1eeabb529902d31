"""Statements of IAM policies, as fleets and session policies hold them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Statement = Mapping[str, Any]
ALLOW_ALL: dict[str, Any] = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def is_statement(value: Any) -> bool:
    """Whether a value has the form of a statement that can be evaluated."""
    return (
        isinstance(value, Mapping)
        and value.get("Effect") in ("Allow", "Deny")
        and bool(value.keys() & {"Action", "NotAction"})
        and bool(value.keys() & {"Resource", "NotResource"})
        and all(_is_texts(value.get(name, "")) for name in ("Action", "NotAction", "Resource", "NotResource"))
        and _is_condition(value.get("Condition", {}))
    )


def _is_texts(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
    )


def _is_condition(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(tests, Mapping) and all(map(_is_texts, tests.values())) for tests in value.values()
    )
