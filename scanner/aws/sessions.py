"""The SDK's sessions: profiles and credential chains as the SDK reads them."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import aioboto3
import anyio
from aiobotocore.session import get_session
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from scanner.aws.credentials import Credentials
from scanner.aws.errors import EXPIRED, clean, failed
from scanner.engine.source import CallFailed
from scanner.errors import ConfigError
from scanner.records import FailureKind

CREDENTIALS_OPERATION = "GetCredentials"
NO_CREDENTIALS = (
    "no credentials were found; set AWS_PROFILE or credentials.profile, or sign in (`aws sso login`,"
    " `aws configure`)"
)
TRUST_REMEDY = (
    "mend the role that the profile names: its trust policy must name the identity that assumes it, with the"
    " profile's external_id"
)
PROFILE_REMEDY = "mend the profile, or what it reads its credentials from"
STALE = EXPIRED | {"InvalidIdentityToken", "IDPRejectedClaim"}
BROKEN = (ValueError, RuntimeError, AttributeError, TypeError, LookupError)
"""What the SDK's providers trip over when a process, a file or an endpoint yields something odd."""


class Sessions:
    """One SDK session for each profile named; that of the base identity first.

    Raises ConfigError for a profile that does not exist, and for SDK files that cannot be read.
    """

    def __init__(self, base_profile: str | None, profiles: Iterable[str], patience: float) -> None:
        self._base_profile = base_profile
        self._patience = patience
        self._processes: dict[str | None, list[asyncio.subprocess.Process]] = {}
        self._sessions = {
            profile: self._session(profile) for profile in sorted({base_profile, *profiles}, key=str)
        }

    @property
    def base(self) -> aioboto3.Session:
        return self._sessions[self._base_profile]

    def regions(self) -> dict[str, str | None]:
        """The Region that each profile names."""
        return {profile: session.region_name for profile, session in self._sessions.items() if profile}

    async def credentials(self, profile: str | None) -> Credentials:
        """What the chain of `profile` (None: the base identity) yields; raises CallFailed if nothing."""
        name = profile or self._base_profile
        session = self._sessions[name]
        try:
            with anyio.fail_after(self._patience):
                found = await session.get_credentials()
                frozen = await found.get_frozen_credentials() if found else None
        except TimeoutError:
            told = f"the credentials did not come within {self._patience:g} s; {PROFILE_REMEDY}"
            raise _unavailable(told) from None
        except (SSOError, TokenRetrievalError) as error:
            signed_in = _signed_in(session, name)
            login = "aws sso login" + (f" --profile {signed_in}" if signed_in else "")
            raise _unavailable(f"{clean(str(error))}; run `{login}`") from None
        except (BotoCoreError, ClientError) as error:
            raise _refused(failed(error, CREDENTIALS_OPERATION)) from None
        except OSError as error:
            raise _unavailable(f"{error.filename}: {error.strerror}; {PROFILE_REMEDY}") from None
        except BROKEN as error:
            # Its text may quote what should have been a secret.
            told = f"the profile's credentials cannot be read ({type(error).__name__}); {PROFILE_REMEDY}"
            raise _unavailable(told) from None
        finally:
            self._end_processes(name)
        if frozen is None or not frozen.access_key or not frozen.secret_key:
            raise _unavailable(NO_CREDENTIALS)
        expires_at = getattr(found, "_expiry_time", None)
        return Credentials(
            None,
            frozen.access_key,
            frozen.secret_key,
            frozen.token,
            expires_at if isinstance(expires_at, datetime) else None,
        )

    def _session(self, profile: str | None) -> aioboto3.Session:
        try:
            core = get_session()
            core.set_config_variable("sts_regional_endpoints", "regional")
            session = aioboto3.Session(botocore_session=core, profile_name=profile)
            chain = core.get_component("credential_provider")
        except ProfileNotFound:
            named = f"the profile {profile!r}" if profile else "the profile of AWS_PROFILE"
            raise ConfigError(
                f"{named} does not exist; `aws configure list-profiles` lists those that do,"
                " `aws configure sso` makes one"
            ) from None
        except ConfigParseError as error:
            raise ConfigError(f"{clean(str(error))}; mend this file") from None

        async def start(*command: str, **pipes: Any) -> asyncio.subprocess.Process:
            process = await asyncio.create_subprocess_exec(*command, **pipes)
            self._processes.setdefault(profile, []).append(process)
            return process

        chain.get_provider("custom-process")._popen = start
        chain.get_provider("assume-role")._prompter = _no_prompt
        return session

    def _end_processes(self, profile: str | None) -> None:
        for process in self._processes.pop(profile, ()):
            if process.returncode is None:
                process.kill()


def _no_prompt(prompt: str) -> str:
    # Under cron nobody would answer, and in a service the question would stop its loop.
    raise _unavailable(
        "the profile asks for an MFA code; get temporary credentials first, as"
        " `aws configure export-credentials --profile NAME --format env` prints them"
    )


def _signed_in(session: aioboto3.Session, profile: str | None) -> str | None:
    """The profile that is signed in by SSO: `profile`, or whichever it takes its credentials from."""
    profiles = session._session.full_config.get("profiles", {})
    seen: set[str] = set()
    name = profile or session.profile_name
    while name in profiles and name not in seen:
        settings = profiles[name]
        if "sso_session" in settings or "sso_start_url" in settings or "source_profile" not in settings:
            break
        seen.add(name)
        name = settings["source_profile"]
    return None if name == "default" else name


def _refused(failure: CallFailed) -> CallFailed:
    told = failure.message.partition("; allow the action")[0]
    if failure.kind is FailureKind.ACCESS_DENIED:
        told = f"{told}; {TRUST_REMEDY}"
    elif failure.code in STALE:
        told = f"{told}; renew the token that the profile or AWS_WEB_IDENTITY_TOKEN_FILE names"
    return _unavailable(told, failure.code)


def _unavailable(message: str, code: str | None = None) -> CallFailed:
    return CallFailed(
        FailureKind.CREDENTIALS, message, operation=CREDENTIALS_OPERATION, code=code, sent=False
    )
