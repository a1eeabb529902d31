"""The SDK's sessions: profiles and credential chains as the SDK reads them."""

from datetime import datetime

import aioboto3
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
from scanner.aws.errors import clean, failed
from scanner.engine.source import CallFailed
from scanner.errors import ConfigError
from scanner.records import FailureKind

CREDENTIALS_OPERATION = "GetCredentials"
NO_CREDENTIALS = (
    "no credentials were found; set AWS_PROFILE or credentials.profile, or sign in (`aws sso login`,"
    " `aws configure`)"
)


class Sessions:
    """One SDK session for each profile named; that of the base identity first.

    Raises ConfigError for a profile that does not exist, and for SDK files that cannot be read.
    """

    def __init__(self, base_profile: str | None, profiles: set[str]) -> None:
        self._base_profile = base_profile
        self._sessions = {
            profile: _session(profile) for profile in sorted({base_profile, *profiles}, key=str)
        }

    @property
    def base(self) -> aioboto3.Session:
        return self._sessions[self._base_profile]

    async def credentials(self, profile: str | None) -> Credentials:
        """What the chain of `profile` (None: the base identity) yields; raises CallFailed if nothing."""
        session = self._sessions[profile or self._base_profile]
        name = profile or self._base_profile
        try:
            found = await session.get_credentials()
            frozen = await found.get_frozen_credentials() if found else None
        except (SSOError, TokenRetrievalError) as error:
            login = "aws sso login" + (f" --profile {name}" if name else "")
            raise _unavailable(f"{clean(str(error))}; run `{login}`") from None
        except (BotoCoreError, ClientError) as error:
            failure = failed(error, CREDENTIALS_OPERATION)
            raise _unavailable(failure.message, failure.code) from None
        except OSError as error:
            raise _unavailable(f"credential_process: {error.strerror}: {error.filename}") from None
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


def _session(profile: str | None) -> aioboto3.Session:
    try:
        core = get_session()
        core.set_config_variable("sts_regional_endpoints", "regional")
        return aioboto3.Session(botocore_session=core, profile_name=profile)
    except ProfileNotFound:
        named = f"the profile {profile!r}" if profile else "the profile of AWS_PROFILE"
        raise ConfigError(
            f"{named} does not exist; `aws configure list-profiles` lists those that do, `aws configure sso`"
            " makes one"
        ) from None
    except ConfigParseError as error:
        raise ConfigError(f"{clean(str(error))}; mend this file") from None


def _unavailable(message: str, code: str | None = None) -> CallFailed:
    return CallFailed(
        FailureKind.CREDENTIALS, message, operation=CREDENTIALS_OPERATION, code=code, sent=False
    )
