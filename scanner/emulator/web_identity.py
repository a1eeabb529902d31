"""Roles for whoever brings a token of an identity provider: STS's call that no AWS key signs."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from .errors import ServiceError
from .fleet import Account, Role
from .iam import Caller
from .sts import find, invalid, issue, wanted
from .wire import Asked
from .world import Call, World

OPERATION = "AssumeRoleWithWebIdentity"
_ACCOUNT = re.compile(r"arn:[a-z-]+:iam::(\d{12}):")


def unsigned(asked: Asked) -> bool:
    """Whether the call proves by itself who asks, without a signature."""
    return (asked.service, asked.operation) == ("sts", OPERATION)


def call_of(world: World, asked: Asked, now: float) -> Call:
    """The call of a bearer. It is counted for the account of the role; its Region nobody knows."""
    params = asked.params or {}
    account = _ACCOUNT.match(str(params.get("RoleArn")))
    bearer = Caller("", "", account[1] if account else "", "", "", ())
    return Call(world, asked.service, asked.operation, "", bearer, params, now)


def assume_role_with_web_identity(call: Call) -> dict[str, Any]:
    asked = wanted(call)
    claims = _claims(call)
    if claims["exp"] <= call.now:
        raise ServiceError(
            "ExpiredTokenException",
            f"Token expired: current date/time {call.now:.0f} must be before the expiration date/time "
            f"{claims['exp']:.0f}",
        )
    account, role = find(call, asked.arn) or (None, None)
    if account is None or role is None or not _trusted(claims, account, role):
        raise ServiceError("AccessDenied", f"Not authorized to perform sts:{OPERATION}", 403)
    return {
        **issue(call, account, role, asked, {}),
        "SubjectFromWebIdentityToken": claims["sub"],
        "Provider": claims["iss"],
        "Audience": str(claims.get("aud", "")),
    }


def _claims(call: Call) -> Mapping[str, Any]:
    """What the token says. Nobody here knows the provider's keys, so its signature counts for nothing."""
    token = call.params.get("WebIdentityToken")
    if not isinstance(token, str) or not 4 <= len(token) <= 20_000:
        raise invalid("Value at 'webIdentityToken' failed to satisfy constraint")
    try:
        _, payload, _ = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        good = all(isinstance(claims[name], str) for name in ("iss", "sub"))
        good = good and isinstance(claims["exp"], int | float)
    except (ValueError, TypeError, LookupError):
        good = False
    if not good:
        raise ServiceError("InvalidIdentityToken", "The ID Token provided is not a valid JWT.")
    return dict(claims)


def _trusted(claims: Mapping[str, Any], account: Account, role: Role) -> bool:
    issuer = claims["iss"].partition("://")[2]
    provider = f"arn:{account.partition}:iam::{account.id}:oidc-provider/{issuer}"
    return bool({"*", provider} & set(role.trust))
