"""STS: who a caller is, and the roles that it may assume."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..fleets.accounts import Account, Role
from ..fleets.statements import is_statement
from ..protocol.errors import ServiceError, denied
from ..protocol.errors import invalid as invalid_parameter
from ..state.principals import Principal
from .policies import decide, demand
from .request import Operation, Request, operation

_SESSION_NAME = re.compile(r"[\w+=,.@-]*", re.ASCII)
_ROLE_ARN = re.compile(r"arn:[a-z-]+:iam::(\d{12}):role(/(?:.+/)?)([\w+=,.@-]+)", re.ASCII)
_CHAINED_MAX = 3600
TAG_SESSION = "sts:TagSession"
_TAG = re.compile(r"Tags\.member\.(\d{1,4})\.(?:Key|Value)")
_MOST_TAGS = 50


def invalid(problem: str) -> ServiceError:
    return invalid_parameter(problem, "ValidationError")


def get_caller_identity(request: Request) -> dict[str, Any]:
    # No policy can forbid this one.
    return {"UserId": request.principal.user_id, "Account": request.account_id, "Arn": request.principal.arn}


def _required(request: Request, name: str, low: int, high: int) -> str:
    value = request.params.get(name)
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


def _duration(request: Request) -> int:
    text = request.params.get("DurationSeconds", "3600")
    if not re.fullmatch(r"\d{1,9}", str(text), re.ASCII):
        raise ServiceError("MalformedInput", f"DurationSeconds is no number: {text}")
    seconds = int(text)
    if not 900 <= seconds <= 43_200:
        bound = "greater than or equal to 900" if seconds < 900 else "less than or equal to 43200"
        raise invalid(
            f"Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: "
            f"Member must have value {bound}"
        )
    return seconds


def _statements(request: Request) -> Sequence[Mapping[str, Any]] | None:
    text = request.params.get("Policy")
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
    except (ValueError, RecursionError):
        raise malformed from None
    if not isinstance(document, dict) or "Statement" not in document:
        raise malformed
    statements = document["Statement"]
    listed = statements if isinstance(statements, list) else [statements]
    if not all(map(is_statement, listed)):
        raise ServiceError("MalformedPolicyDocument", "Syntax errors in policy.")
    return list(listed)


def _trusted(principal: Principal, role: Role) -> bool:
    known = {"*", principal.account_id, principal.arn, principal.role_arn or principal.arn}
    known.add(f"arn:{principal.partition}:iam::{principal.account_id}:root")
    return any(trusted in known for trusted in role.trust)


def find_role(request: Request, arn: str) -> tuple[Account, Role] | None:
    """The role with this ARN, unless its account is suspended or closed."""
    match = _ROLE_ARN.fullmatch(arn)
    account = request.backend.accounts.get(match[1]) if match else None
    if account is None or account.state in ("SUSPENDED", "CLOSED"):
        return None
    role = next((role for role in account.roles if account.role_arn(role) == arn), None)
    return (account, role) if role else None


def _role(request: Request, arn: str) -> tuple[Account, Role]:
    """The role, if there is one that the caller may assume; AWS does not tell which of the two failed."""
    reason = decide(request.principal, "sts:AssumeRole", arn)
    account, role = find_role(request, arn) or (None, None)
    external_id = request.params.get("ExternalId")
    if (
        reason is not None
        or account is None
        or role is None
        or account.partition != request.principal.partition
        or not _trusted(request.principal, role)
        or (role.external_id is not None and role.external_id != external_id)
    ):
        raise denied(request.principal.arn, "sts:AssumeRole", arn, reason or "")
    return account, role


@dataclass(frozen=True, slots=True)
class AssumeRoleInput:
    """A session that was asked for: well-formed, but not granted yet."""

    arn: str
    name: str
    seconds: int
    policy: Sequence[Mapping[str, Any]] | None


def parse_input(request: Request) -> AssumeRoleInput:
    """What every way of assuming a role takes; an error if it is malformed."""
    arn = _required(request, "RoleArn", 20, 2048)
    name = _required(request, "RoleSessionName", 2, 64)
    if not _SESSION_NAME.fullmatch(name):
        raise invalid(
            f"Value '{name}' at 'roleSessionName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [\\w+=,.@-]*"
        )
    if not _ROLE_ARN.fullmatch(arn):
        raise ServiceError("ValidationError", f"{arn} is invalid")
    external_id = request.params.get("ExternalId")
    if external_id is not None and not re.fullmatch(r"[\w+=,.@:/-]{2,1224}", external_id, re.ASCII):
        raise invalid(f"Value '{external_id}' at 'externalId' failed to satisfy constraint")
    return AssumeRoleInput(arn, name, _duration(request), _statements(request))


def assume_role(request: Request) -> dict[str, Any]:
    wanted = parse_input(request)
    account, role = _role(request, wanted.arn)
    if request.principal.role_arn is not None and wanted.seconds > _CHAINED_MAX:
        raise ServiceError(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit "
            "for roles assumed by role chaining",
        )
    return issue_session(request, account, role, wanted, _tags(request, role))


def issue_session(
    request: Request, account: Account, role: Role, wanted: AssumeRoleInput, tags: Mapping[str, str]
) -> dict[str, Any]:
    """Issues the credentials of a session."""
    if wanted.seconds > role.max_session_seconds:
        raise ServiceError(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )
    role_id = f"AROA{hashlib.sha256(account.role_arn(role).encode()).hexdigest()[:17].upper()}"
    session = Principal(
        key_id=f"ASIA{secrets.token_hex(8).upper()}",
        secret=secrets.token_urlsafe(30),
        account_id=account.id,
        arn=f"arn:{account.partition}:sts::{account.id}:assumed-role/{role.name}/{wanted.name}",
        user_id=f"{role_id}:{wanted.name}",
        policy=role.policy,
        session_policy=wanted.policy,
        token=secrets.token_urlsafe(180),
        expires_at=request.now + wanted.seconds,
        role_arn=account.role_arn(role),
        tags=tags,
    )
    request.backend.credentials.add_session(session)
    expires = datetime.fromtimestamp(request.now + wanted.seconds, UTC)
    return {
        "Credentials": {
            "AccessKeyId": session.key_id,
            "SecretAccessKey": session.secret,
            "SessionToken": session.token,
            "Expiration": f"{expires:%Y-%m-%dT%H:%M:%SZ}",
        },
        "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
        **({"PackedPolicySize": 6} if wanted.policy is not None else {}),
    }


def _tags(request: Request, role: Role) -> dict[str, str]:
    numbers = {match[1] for name in request.params if (match := _TAG.fullmatch(name))}
    if len(numbers) > _MOST_TAGS:
        raise invalid(
            f"Value at 'tags' failed to satisfy constraint: Member must have length <= {_MOST_TAGS}"
        )
    tags = {
        str(request.params.get(f"Tags.member.{number}.Key", "")): request.params.get(
            f"Tags.member.{number}.Value", ""
        )
        for number in sorted(numbers, key=int)
    }
    if tags:
        demand(request.principal, TAG_SESSION, request.params["RoleArn"])
        if not role.trust_tags:
            raise denied(request.principal.arn, TAG_SESSION, request.params["RoleArn"], "")
    return tags


OPERATIONS: dict[str, Operation] = {
    "GetCallerIdentity": operation(get_caller_identity),
    # PolicyArns would need managed policies, SerialNumber an MFA device: both are refused, not ignored.
    "AssumeRole": operation(
        assume_role, "RoleArn", "RoleSessionName", "DurationSeconds", "ExternalId", "Policy", "Tags"
    ),
}
