"""The SDK's sessions: profiles and credential chains as the SDK reads them."""

import os
from collections.abc import Mapping
from functools import partial
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

from scanner.aws.connections import Connections
from scanner.aws.credentials import refusals
from scanner.aws.credentials.credentials import Credentials
from scanner.aws.credentials.processes import Processes
from scanner.aws.errors import failed
from scanner.aws.sdk.data import share_data
from scanner.aws.sdk.http_session import ClientConfig
from scanner.aws.sdk.providers import comes_of_reading, end_of, load_credentials, replace_helpers
from scanner.aws.sdk.session import core_of
from scanner.aws.sdk.settings import check_settings, leading_settings, without_empty_profile
from scanner.aws.text import clean
from scanner.errors import ConfigError
from scanner.service.secrets import remember

BROKEN = (ValueError, RuntimeError, AttributeError, TypeError, LookupError)
"""What the SDK's providers trip over when a process, a file or an endpoint yields something odd."""


class Sessions:
    """One SDK session for each profile named; that of the base identity first.

    Raises ConfigError for a profile that does not exist, and for SDK files that cannot be read.
    """

    def __init__(
        self,
        base_profile: str | None,
        profiles: Mapping[str, str],
        patience: float,
        connections: Connections | None = None,
    ) -> None:
        """`profiles` tells of those of single accounts where each is set; `patience` is in seconds.

        Clients that the SDK makes on its way to credentials use `connections`, and verify TLS as all others do.
        """
        self._connections = connections
        self._places = profiles
        self._base_profile = base_profile
        self._patience = patience
        names = sorted({base_profile, *profiles}, key=str)
        self._processes = {profile: Processes() for profile in names}
        self._loaders: dict[str | None, Any] = {}
        self._sessions = {profile: self._session(profile) for profile in names}
        self._locks = {profile: anyio.Lock() for profile in self._sessions}
        self._leading = self._leading_profiles()

    @property
    def base(self) -> aioboto3.Session:
        return self._sessions[self._base_profile]

    def of(self, profile: str | None) -> aioboto3.Session:
        """The session of a profile; None: of the base identity."""
        return self._sessions[profile or self._base_profile]

    def regions(self) -> dict[str, str | None]:
        """The Region that each profile names."""
        return {profile: session.region_name for profile, session in self._sessions.items() if profile}

    def own(self, profile: str | None) -> str | None:
        """`profile`, or None where that is the base identity's own."""
        return None if profile == self._base_profile else profile

    async def obtain(self, profile: str | None) -> Credentials:
        """What the chain of `profile` (None: the base identity) yields, read anew; raises CallFailed if nothing."""
        name = profile or self._base_profile
        # One at a time: what one try has started, another must not end.
        async with self._locks[name]:
            found = await self._obtain(name)
        remember((found.secret_key, found.token))
        return found

    async def _obtain(self, name: str | None) -> Credentials:
        session = self._sessions[name]
        try:
            with anyio.fail_after(self._patience):
                found = await load_credentials(core_of(session))
                frozen = await found.get_frozen_credentials() if found else None
        except TimeoutError:
            late = f"the credentials did not come within {self._patience:g} s (scan.call_timeout)"
            raise refusals.unavailable(late, refusals.remedy(name)) from None
        except (SSOError, TokenRetrievalError) as error:
            raise refusals.unavailable(
                clean(str(error)), refusals.login(session, name) or refusals.remedy(name)
            ) from None
        except (BotoCoreError, ClientError) as error:
            raise refusals.refused(
                failed(error, refusals.CREDENTIALS_OPERATION).facts, refusals.remedy(name)
            ) from None
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise refusals.unavailable(
                f"{where}{error.strerror or type(error).__name__}", refusals.remedy(name)
            ) from None
        except BROKEN as error:
            if not comes_of_reading(error):
                raise
            broken = f"the credentials of {refusals.called(name)} cannot be read: {refusals.cause(error)}"
            raise refusals.unavailable(
                broken, refusals.login(session, name) or refusals.remedy(name)
            ) from None
        finally:
            await self._processes[name].end()
        if frozen is None:
            raise refusals.none(session, name)
        if not frozen.access_key or not frozen.secret_key:
            lack = f"the credentials of {refusals.called(name)} lack the access key or its secret"
            raise refusals.unavailable(lack, refusals.remedy(name))
        refusals.check_sendable(name, found.method, frozen)
        return Credentials(
            None, frozen.access_key, frozen.secret_key, frozen.token, end_of(found), self._leading[name]
        )

    def _leading_profiles(self) -> dict[str | None, str | None]:
        """For each profile the one whose clients it shares, as both have the same settings; the base's is None."""
        found: dict[str, str | None] = {leading_settings(core_of(self.base)): None}
        return {
            profile: found.setdefault(leading_settings(core_of(session)), profile)
            for profile, session in self._sessions.items()
        }

    def _session(self, profile: str | None) -> aioboto3.Session:
        try:
            core = get_session()
            core.set_config_variable("sts_regional_endpoints", "regional")
            if self._connections:
                core.set_default_client_config(ClientConfig(self._connections))
            without_empty_profile(core)
            # AWS_REGION counts as AWS_DEFAULT_REGION does: users of GovCloud often set only that one.
            if os.environ.get("AWS_REGION") and not profile:
                core.set_config_variable("region", os.environ["AWS_REGION"])
            session = aioboto3.Session(botocore_session=core, profile_name=profile)
            share_data(core, self._loaders)
            check_settings(core, profile or core.profile)
        except ProfileNotFound:
            named = "AWS_PROFILE: the profile"
            if profile:
                named = f"{self._places.get(profile, 'credentials.profile')}: the profile {profile!r}"
            raise ConfigError(
                f"{named} does not exist; `aws configure list-profiles` lists those that do,"
                " `aws configure sso` makes one"
            ) from None
        except ConfigParseError as error:
            raise ConfigError(f"{clean(str(error))}; mend this file") from None

        prompt = partial(refusals.no_prompt, profile or session.profile_name)
        replace_helpers(core, self._processes[profile].start, prompt)
        return session
