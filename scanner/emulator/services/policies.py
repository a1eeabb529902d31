"""Whether the policies of a caller allow an action."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from ..fleets.statements import Statement
from ..protocol.errors import denied
from ..state.principals import Principal


@lru_cache(maxsize=4096)
def _glob(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    parts = (".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _many(value: Any) -> Iterable[str]:
    return [value] if isinstance(value, str) else value


def _matches(patterns: Any, text: str, ignore_case: bool = False) -> bool:
    return any(_glob(pattern, ignore_case).fullmatch(text) for pattern in _many(patterns))


def _condition_holds(condition: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    for operator, tests in condition.items():
        name, optional = operator.removesuffix("IfExists"), operator.endswith("IfExists")
        negated = name.startswith("StringNot")
        for key, wanted in tests.items():
            value = next((value for known, value in context.items() if known.lower() == key.lower()), None)
            if value is None:
                if optional or negated:
                    continue
                return False
            if name in ("StringEquals", "StringNotEquals", "ArnEquals"):
                found = value in _many(wanted)
            elif name in ("StringLike", "StringNotLike", "ArnLike"):
                found = _matches(wanted, value)
            else:
                return False
            if found == negated:
                return False
    return True


def applies(statement: Statement, action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Whether a statement is about this action on this resource."""
    if "NotAction" in statement:
        if _matches(statement["NotAction"], action, ignore_case=True):
            return False
    elif not _matches(statement.get("Action", ()), action, ignore_case=True):
        return False
    if "NotResource" in statement:
        if _matches(statement["NotResource"], resource):
            return False
    elif not _matches(statement.get("Resource", ()), resource):
        return False
    return _condition_holds(statement.get("Condition", {}), context)


def decide(
    principal: Principal, action: str, resource: str = "*", context: Mapping[str, str] | None = None
) -> str | None:
    """None if allowed, else the reason in AWS's words."""
    known = context or {}
    layers = [("identity-based policy", principal.policy)]
    if principal.session_policy is not None:
        layers.append(("session policy", principal.session_policy))
    missing = None
    for name, statements in layers:
        allowed = False
        for statement in statements:
            if applies(statement, action, resource, known):
                if statement["Effect"] == "Deny":
                    return f"with an explicit deny in {'an' if name[0] == 'i' else 'a'} {name}"
                allowed = True
        if not allowed and missing is None:
            missing = f"because no {name} allows the {action} action"
    return missing


def demand(
    principal: Principal, action: str, resource: str = "*", context: Mapping[str, str] | None = None
) -> None:
    """Raises the access-denied error of the action's service unless the policies allow it."""
    reason = decide(principal, action, resource, context)
    if reason is not None:
        raise denied(principal.arn, action, resource, reason)


def tag_context(tags: Mapping[str, str]) -> dict[str, str]:
    return {f"aws:ResourceTag/{name}": value for name, value in tags.items()}
