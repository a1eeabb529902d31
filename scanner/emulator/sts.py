"""STS: who a caller is, and roles that it may take on."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .errors import ServiceError, denied
from .fleet import Account, Role
from .iam import Caller, decide, demand
from .world import Call

_SESSION_NAME = re.compile(r"[\w+=,.@-]*", re.ASCII)
_ROLE_ARN = re.compile(r"arn:[a-z-]+:iam::(\d{12}):role(/(?:.+/)?)([\w+=,.@-]+)", re.ASCII)
_CHAINED_MAX = 3600
TAG_SESSION = "sts:TagSession"


def invalid(problem: str) -> ServiceError:
    return ServiceError("ValidationError", f"1 validation error detected: {problem}")


def get_caller_identity(call: Call) -> dict[str, Any]:
    # No policy can forbid this one.
    return {"UserId": call.caller.user_id, "Account": call.account_id, "Arn": call.caller.arn}


def _required(call: Call, name: str, low: int, high: int) -> str:
    value = call.params.get(name)
    wire = name[0].lower() + name[1:]
    if not isinstance(value, str):
        raise invalid(f"Value null at '{wire}' failed to satisfy constraint: Member must not be null")
    if len(value) < low:
        raise invalid(
            f"Value '{value}' at '{wire}' failed to satisfy constraint: "
            f"Member must have length greater than or equal to {low}"
        )
    if len(value) > high:
        raise invalid(
            f"Value '{value}' at '{wire}' failed to satisfy constraint: "
            f"Member must have length less than or equal to {high}"
        )
    return value


def _duration(call: Call) -> int:
    text = call.params.get("DurationSeconds", "3600")
    if not str(text).isdigit():
        raise ServiceError("MalformedInput", f"DurationSeconds is no number: {text}")
    seconds = int(text)
    if not 900 <= seconds <= 43_200:
        bound = "greater than or equal to 900" if seconds < 900 else "less than or equal to 43200"
        raise invalid(
            f"Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: "
            f"Member must have value {bound}"
        )
    return seconds


def _statements(call: Call) -> Sequence[Mapping[str, Any]] | None:
    text = call.params.get("Policy")
    if text is None:
        return None
    if len(text) > 2048:
        raise invalid(
            "Value at 'policy' failed to satisfy constraint: "
            "Member must have length less than or equal to 2048"
        )
    malformed = ServiceError("MalformedPolicyDocument", "The policy is not in the valid JSON format.")
    try:
        document = json.loads(text)
    except ValueError:
        raise malformed from None
    if not isinstance(document, dict) or "Statement" not in document:
        raise malformed
    statements = document["Statement"]
    listed = statements if isinstance(statements, list) else [statements]
    for statement in listed:
        if (
            not isinstance(statement, dict)
            or statement.get("Effect") not in ("Allow", "Deny")
            or not {"Action", "NotAction"} & statement.keys()
            or not {"Resource", "NotResource"} & statement.keys()
        ):
            raise ServiceError("MalformedPolicyDocument", "Syntax errors in policy.")
    return list(listed)


def _trusted(caller: Caller, role: Role) -> bool:
    known = {"*", caller.account_id, caller.arn, caller.role_arn or caller.arn}
    known.add(f"arn:{caller.partition}:iam::{caller.account_id}:root")
    return any(principal in known for principal in role.trust)


def find(call: Call, arn: str) -> tuple[Account, Role] | None:
    """The role with this ARN, unless its account has been shut."""
    match = _ROLE_ARN.fullmatch(arn)
    account = call.world.accounts.get(match[1]) if match else None
    if account is None or account.state in ("SUSPENDED", "CLOSED"):
        return None
    role = next((role for role in account.roles if account.role_arn(role) == arn), None)
    return (account, role) if role else None


def _role(call: Call, arn: str) -> tuple[Account, Role]:
    """The role, if there is one and the caller may have it; AWS does not tell which of the two failed."""
    reason = decide(call.caller, "sts:AssumeRole", arn)
    account, role = find(call, arn) or (None, None)
    external_id = call.params.get("ExternalId")
    if (
        reason is not None
        or account is None
        or role is None
        or account.partition != call.caller.partition
        or not _trusted(call.caller, role)
        or (role.external_id is not None and role.external_id != external_id)
    ):
        raise denied("sts", call.caller.arn, "sts:AssumeRole", arn, reason or "")
    return account, role


@dataclass(frozen=True, slots=True)
class Wanted:
    """A session as it was asked for, well-formed but not granted yet."""

    arn: str
    name: str
    seconds: int
    policy: Sequence[Mapping[str, Any]] | None


def wanted(call: Call) -> Wanted:
    """What every way of assuming a role is asked."""
    arn = _required(call, "RoleArn", 20, 2048)
    name = _required(call, "RoleSessionName", 2, 64)
    if not _SESSION_NAME.fullmatch(name):
        raise invalid(
            f"Value '{name}' at 'roleSessionName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [\\w+=,.@-]*"
        )
    if not _ROLE_ARN.fullmatch(arn):
        raise ServiceError("ValidationError", f"{arn} is invalid")
    external_id = call.params.get("ExternalId")
    if external_id is not None and not re.fullmatch(r"[\w+=,.@:/-]{2,1224}", external_id, re.ASCII):
        raise invalid(f"Value '{external_id}' at 'externalId' failed to satisfy constraint")
    return Wanted(arn, name, _duration(call), _statements(call))


def assume_role(call: Call) -> dict[str, Any]:
    asked = wanted(call)
    account, role = _role(call, asked.arn)
    if call.caller.role_arn is not None and asked.seconds > _CHAINED_MAX:
        raise ServiceError(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit "
            "for roles assumed by role chaining",
        )
    return issue(call, account, role, asked, _tags(call, role))


def issue(call: Call, account: Account, role: Role, asked: Wanted, tags: Mapping[str, str]) -> dict[str, Any]:
    """Grants a session and says what AWS says of it."""
    if asked.seconds > role.max_session_seconds:
        raise ServiceError(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )
    role_id = f"AROA{hashlib.sha256(account.role_arn(role).encode()).hexdigest()[:17].upper()}"
    session = Caller(
        key_id=f"ASIA{secrets.token_hex(8).upper()}",
        secret=secrets.token_urlsafe(30),
        account_id=account.id,
        arn=f"arn:{account.partition}:sts::{account.id}:assumed-role/{role.name}/{asked.name}",
        user_id=f"{role_id}:{asked.name}",
        policy=role.policy,
        session_policy=asked.policy,
        token=secrets.token_urlsafe(180),
        expires_at=call.now + asked.seconds,
        role_arn=account.role_arn(role),
        tags=tags,
    )
    call.world.sessions[session.key_id] = session
    expires = datetime.fromtimestamp(call.now + asked.seconds, UTC)
    return {
        "Credentials": {
            "AccessKeyId": session.key_id,
            "SecretAccessKey": session.secret,
            "SessionToken": session.token,
            "Expiration": f"{expires:%Y-%m-%dT%H:%M:%SZ}",
        },
        "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
        **({"PackedPolicySize": 6} if asked.policy is not None else {}),
    }


def _tags(call: Call, role: Role) -> dict[str, str]:
    tags = {}
    for number in range(1, 51):
        key = call.params.get(f"Tags.member.{number}.Key")
        if key is None:
            break
        tags[key] = call.params.get(f"Tags.member.{number}.Value", "")
    if tags:
        demand(call.caller, TAG_SESSION, call.params["RoleArn"])
        if not role.trust_tags:
            raise denied("sts", call.caller.arn, TAG_SESSION, call.params["RoleArn"], "")
    return tags


OPERATIONS: dict[str, Callable[[Call], dict[str, Any]]] = {
    "GetCallerIdentity": get_caller_identity,
    "AssumeRole": assume_role,
}
