"""STS: roles for the bearer of an identity provider's token, the one call that no AWS key signs."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from ..fleets.accounts import Account, Role
from ..protocol.errors import ServiceError
from ..protocol.parser import ParsedRequest
from ..state.backend import Backend
from ..state.principals import Principal
from .request import Operation, Request, operation
from .sts import find_role, invalid, issue_session, parse_input

OPERATION = "AssumeRoleWithWebIdentity"
_ACCOUNT = re.compile(r"arn:[a-z-]+:iam::(\d{12}):")


def is_unsigned(parsed: ParsedRequest) -> bool:
    """Whether the operation identifies its caller by itself, without a signature."""
    return (parsed.service.name, parsed.operation) == ("sts", OPERATION)


def unsigned_request(backend: Backend, parsed: ParsedRequest, now: float) -> Request:
    """The request of a bearer. It counts for the account of the role; its Region is not known."""
    params = parsed.params or {}
    account = _ACCOUNT.match(str(params.get("RoleArn")))
    bearer = Principal("", "", account[1] if account else "", "", "", ())
    return Request(backend, parsed.service, parsed.operation, "", bearer, params, now)


def assume_role_with_web_identity(request: Request) -> dict[str, Any]:
    wanted = parse_input(request)
    claims = _claims(request)
    if claims["exp"] <= request.now:
        raise ServiceError(
            "ExpiredTokenException",
            f"Token expired: current date/time {request.now:.0f} must be before the expiration date/time "
            f"{claims['exp']:.0f}",
        )
    account, role = find_role(request, wanted.arn) or (None, None)
    if account is None or role is None or not _trusted(claims, account, role):
        raise ServiceError("AccessDenied", f"Not authorized to perform sts:{OPERATION}", 403)
    return {
        **issue_session(request, account, role, wanted, {}),
        "SubjectFromWebIdentityToken": claims["sub"],
        "Provider": claims["iss"],
        "Audience": str(claims.get("aud", "")),
    }


def _claims(request: Request) -> Mapping[str, Any]:
    """The claims of the token. Its signature is not verified: the provider's keys are not known here."""
    token = request.params.get("WebIdentityToken")
    if not isinstance(token, str) or not 4 <= len(token) <= 20_000:
        raise invalid("Value at 'webIdentityToken' failed to satisfy constraint")
    try:
        _, payload, _ = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        good = all(isinstance(claims[name], str) for name in ("iss", "sub"))
        good = good and isinstance(claims["exp"], int | float)
    except (ValueError, TypeError, LookupError, RecursionError):
        good = False
    if not good:
        raise ServiceError("InvalidIdentityToken", "The ID Token provided is not a valid JWT.")
    return dict(claims)


def _trusted(claims: Mapping[str, Any], account: Account, role: Role) -> bool:
    issuer = claims["iss"].partition("://")[2]
    provider = f"arn:{account.partition}:iam::{account.id}:oidc-provider/{issuer}"
    return bool({"*", provider} & set(role.trust))


OPERATIONS: dict[str, Operation] = {
    OPERATION: operation(
        assume_role_with_web_identity,
        "RoleArn",
        "RoleSessionName",
        "DurationSeconds",
        "Policy",
        "WebIdentityToken",
    ),
}
