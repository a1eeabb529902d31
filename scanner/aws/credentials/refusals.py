"""Why no credentials came, told with the place that they come from; no secret is repeated."""

import json
from typing import Any

import aioboto3

from scanner.aws.codes import EXPIRED
from scanner.aws.credentials.credentials import SENDABLE
from scanner.aws.credentials.processes import NO_COMMAND
from scanner.aws.errors import is_clock_error
from scanner.aws.sdk.session import core_of
from scanner.aws.text import clean
from scanner.inventory.records import FailureKind
from scanner.service.errors import CallFailed, FailureFacts

CREDENTIALS_OPERATION = "GetCredentials"
NO_CREDENTIALS_REMEDY = (
    "set AWS_PROFILE or credentials.profile, or sign in (`aws sso login`, `aws configure`)"
)
TRUST_REMEDY = (
    "mend the role that the profile names: its trust policy must name the identity that assumes it, with the"
    " profile's external_id"
)
PROVIDER_REMEDY = "mend the role's trust policy: it must name the token's identity provider and subject"
STALE_REMEDY = "renew the token that the profile or AWS_WEB_IDENTITY_TOKEN_FILE names"
STALE = EXPIRED | {"InvalidIdentityToken", "IDPRejectedClaim"}
PASSING = frozenset({FailureKind.THROTTLED, FailureKind.SERVER_ERROR})
TOLD = frozenset({FailureKind.NETWORK, FailureKind.TIMEOUT})
"""Kinds whose own remedy is better than any of the profile's."""
QUOTABLE = (
    NO_COMMAND,
    "No closing quotation",
    "No escaped character",
    "Unsupported host",
    "Auth token value is not a legal header value",
)
"""How the SDK's own sentences begin that say what is wrong, and repeat nothing that is secret."""


def no_prompt(profile: str, prompt: str) -> str:
    # Under cron nobody would answer, and in a service the question would stop its loop.
    command = f"aws configure export-credentials{_option(profile)} --format env"
    raise unavailable(
        "the profile asks for an MFA code",
        f"get temporary credentials first, as `{command}` prints them, and scan with those instead",
    )


def login(session: aioboto3.Session, profile: str | None) -> str | None:
    """How to sign in again, where `profile` or one that it takes its credentials from is signed in by SSO."""
    profiles = core_of(session).full_config.get("profiles", {})
    name = profile or session.profile_name
    seen: set[str] = set()
    while name in profiles and name not in seen:
        settings = profiles[name]
        if "sso_session" in settings or "sso_start_url" in settings:
            return f"run `aws sso login{_option(name)}`"
        seen.add(name)
        name = settings.get("source_profile")
    return None


def _option(profile: str | None) -> str:
    return f" --profile {profile}" if profile and profile != "default" else ""


def called(name: str | None) -> str:
    return f"the profile {name!r}" if name else "the base identity"


def remedy(name: str | None) -> str:
    if name:
        return f"mend the profile {name!r}, or what it reads its credentials from"
    return "mend the environment, or the files that the SDK reads the base identity's credentials from"


def check_sendable(name: str | None, method: str, keys: Any) -> None:
    """Raises CallFailed for a key with which no request could be sent; it does not repeat any of it."""
    parts = {
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_SESSION_TOKEN": keys.token,
    }
    for variable, value in parts.items():
        if not value or (isinstance(value, str) and SENDABLE.fullmatch(value)):
            continue
        place = {
            "env": variable,
            "shared-credentials-file": f"{variable.lower()} of {called(name)} in the credentials file",
            "config-file": f"{variable.lower()} of {called(name)} in the configuration file",
            "custom-process": f"what the credential_process of {called(name)} prints",
        }.get(method, f"what {called(name)} reads its credentials from")
        what = {"AWS_ACCESS_KEY_ID": "access key", "AWS_SECRET_ACCESS_KEY": "secret key"}.get(
            variable, "token"
        )
        raise unavailable(
            f"the {what} of {called(name)} holds a line break, a space or another character that no key has",
            f"mend {place}: look for what was copied along, such as a line break at its end",
        )


def cause(error: Exception) -> str:
    """What was wrong, without a word of what may have been a secret."""
    text = str(error)
    if text.startswith(QUOTABLE):
        return clean(text)
    match error:
        case json.JSONDecodeError() | UnicodeDecodeError():
            return "what came is no JSON"
        case ValueError() if type(error).__name__ == "ParserError":
            return "their Expiration is no time"
        case KeyError():
            return f"{clean(text)} is missing"
        case RuntimeError() if "expired" in text:
            return "they had expired when they came"
        case AttributeError() | TypeError():
            return "they came in another form than the SDK reads"
    return type(error).__name__


def none(session: aioboto3.Session, name: str | None) -> CallFailed:
    profile = name or session.profile_name
    if "login_session" in core_of(session).full_config.get("profiles", {}).get(profile, {}):
        command = f"aws configure export-credentials{_option(profile)} --format env"
        return unavailable(
            f"the profile {profile!r} is signed in by `aws login` (login_session), which this SDK cannot read",
            f"get credentials as `{command}` prints them, and scan with those instead",
        )
    if name is None:
        return unavailable("no credentials were found", NO_CREDENTIALS_REMEDY)
    option = _option(name)
    ways = f"give it some (`aws configure{option}`), or sign in (`aws sso login{option}`)"
    return unavailable(f"{called(name)} has no credentials", ways)


def refused(facts: FailureFacts, remedy: str) -> CallFailed:
    message = facts.message.rstrip()
    if message.endswith("custom-process:"):
        message += " credential_process failed without a word"
    if facts.kind is FailureKind.ACCESS_DENIED:
        remedy = PROVIDER_REMEDY if "WithWebIdentity" in message else TRUST_REMEDY
    elif facts.code in STALE:
        remedy = STALE_REMEDY
    elif facts.kind in PASSING:
        remedy = "scan again later"
    elif facts.remedy and (facts.kind in TOLD or is_clock_error(facts.code, message)):
        remedy = facts.remedy
    return unavailable(message, remedy, facts.code)


def unavailable(message: str, remedy: str, code: str | None = None) -> CallFailed:
    return CallFailed.of(
        FailureKind.CREDENTIALS,
        message.rstrip(" .:"),
        operation=CREDENTIALS_OPERATION,
        code=code,
        remedy=remedy,
        sent=False,
    )
