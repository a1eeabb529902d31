"""Who asks, and what their policies say to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from .errors import denied

Statement = Mapping[str, Any]


@dataclass(slots=True)
class Caller:
    """Credentials that were found to be good: an account's user or an assumed role's session."""

    key_id: str
    secret: str
    account_id: str
    arn: str
    user_id: str
    policy: Sequence[Statement]
    session_policy: Sequence[Statement] | None = None
    token: str | None = None
    expires_at: float | None = None
    role_arn: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def partition(self) -> str:
        return self.arn.split(":")[1]


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
    """Whether a statement speaks of this action on this resource."""
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
    caller: Caller, action: str, resource: str = "*", context: Mapping[str, str] | None = None
) -> str | None:
    """None if allowed, else the reason in AWS's words."""
    known = context or {}
    layers = [("identity-based policy", caller.policy)]
    if caller.session_policy is not None:
        layers.append(("session policy", caller.session_policy))
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
    caller: Caller, action: str, resource: str = "*", context: Mapping[str, str] | None = None
) -> None:
    """Raises the access-denied error of the action's service unless the caller may."""
    reason = decide(caller, action, resource, context)
    if reason is not None:
        raise denied(action.partition(":")[0], caller.arn, action, resource, reason)


def tag_context(tags: Mapping[str, str]) -> dict[str, str]:
    return {f"aws:ResourceTag/{name}": value for name, value in tags.items()}
