"""The SDK's clients: one for each service and Region, shared by all accounts whose settings are the same.

Credentials go with each request.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

import aioboto3
import anyio
from botocore import UNSIGNED, xform_name
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from scanner.aws.clocks import Clocks, http_date
from scanner.aws.connections import Connections
from scanner.aws.credentials.credentials import Credentials
from scanner.aws.errors import failed, is_clock_error, unreadable
from scanner.aws.parse.bodies import checked, guard_of
from scanner.aws.sdk.answered import BROKEN_ANSWER, watch_answers, watched
from scanner.aws.sdk.endpoint_settings import check_endpoint, no_client
from scanner.aws.sdk.http_session import ClientConfig
from scanner.aws.sdk.session import core_of
from scanner.aws.sdk.signer import Signer
from scanner.aws.text import shown_id
from scanner.service.errors import CallFailed

Parsed = TypeVar("Parsed")
Further = ParamSpec("Further")


@dataclass(slots=True)
class _Signing:
    """What signs the request under way."""

    credentials: Credentials
    skew: timedelta


_signing: ContextVar[_Signing] = ContextVar("signing")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the parsed answer, and when the service gave it by its own clock."""

    body: Mapping[str, Any]
    at: datetime
    request_id: str | None

    def read(
        self,
        parse: Callable[Concatenate[Mapping[str, Any], Further], Parsed],
        *further: Further.args,
        **options: Further.kwargs,
    ) -> Parsed:
        """What `parse` makes of the body and what it needs besides. A CallFailed names this answer's request.

        Whatever else `parse` raises is the answer's fault, too: an `invalid_response`.
        """
        try:
            return parse(self.body, *further, **options)
        except CallFailed as failure:
            raise failure.but(request_id=self.request_id) from None
        except BROKEN_ANSWER:
            raise unreadable(self.request_id) from None


def client_config(*, connect_timeout: float, read_timeout: float) -> dict[str, Any]:
    """Settings of every client of the SDK. The engine retries and limits; nothing of that is the SDK's."""
    return {
        "connect_timeout": connect_timeout,
        "read_timeout": read_timeout,
        "parameter_validation": False,
        "disable_request_compression": True,
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
        "defaults_mode": "legacy",
        # Named, for AWS_RETRY_MODE=adaptive would slow down all accounts for one that is throttled.
        "retries": {"total_max_attempts": 1, "mode": "standard"},
    }


class Clients:
    """The clients of one Scanner. Use as an async context manager."""

    def __init__(
        self,
        session_of: Callable[[str | None], aioboto3.Session],
        connections: Connections,
        *,
        call_timeout: timedelta,
        connect_timeout: timedelta,
        user_agent: str,
    ) -> None:
        self._session_of = session_of
        self._call_timeout = call_timeout.total_seconds()
        settings = client_config(
            connect_timeout=connect_timeout.total_seconds(),
            read_timeout=call_timeout.total_seconds(),
        )
        self._config = ClientConfig(
            connections, **settings, signature_version=UNSIGNED, user_agent=user_agent
        )
        self._clients: dict[tuple[str | None, str, str], Any] = {}
        self._making = anyio.Lock()
        self._stack = AsyncExitStack()
        self.clocks = Clocks()

    async def __aenter__(self) -> "Clients":
        await self._stack.__aenter__()
        return self

    async def __aexit__(self, *exception: Any) -> None:
        with anyio.CancelScope(shield=True):
            await self._stack.__aexit__(*exception)

    async def call(
        self, service: str, region: str, operation: str, credentials: Credentials, **parameters: Any
    ) -> Answer:
        """Send one request of `operation` (its API name), signed for `credentials`; raises CallFailed."""
        endpoint = service, region
        signing = _Signing(credentials, self.clocks.skew(endpoint))
        token = _signing.set(signing)
        with watched() as watch:
            try:
                client = await self.client(service, region, credentials.profile)
                # Cheaper than anyio's, and there is one for each call.
                async with asyncio.timeout(self._call_timeout):
                    response = await getattr(client, xform_name(operation))(**parameters)
                metadata = response["ResponseMetadata"]
                at = self.clocks.moment(endpoint, metadata.get("HTTPHeaders", {}).get("date"))
                return Answer(checked(response), at, shown_id(metadata.get("RequestId")))
            except (ClientError, BotoCoreError, ResponseParserError, TimeoutError) as error:
                failure = failed(error, operation, credentials.hidden_in)
                theirs = _date_of(error)
                if theirs and is_clock_error(failure.facts.code, failure.facts.message):
                    repeat = self.clocks.correct(endpoint, theirs, signing.skew)
                    raise failure.but(repeat=repeat) from None
                raise failure from None
            except BROKEN_ANSWER:
                if not watch.answered:
                    # Nothing has been read yet: a defect, and none of the service's.
                    raise
                raise unreadable() from None
            finally:
                _signing.reset(token)

    async def client(self, service: str, region: str, profile: str | None) -> Any:
        """The SDK's client of a service in a Region, made once; raises CallFailed as `made` does."""
        key = profile, service, region
        if key not in self._clients:
            async with self._making:
                if key not in self._clients:
                    client = await self._stack.enter_async_context(self.made(service, region, profile))
                    self._clients[key] = _bent(client)
        return self._clients[key]

    @asynccontextmanager
    async def made(self, service: str, region: str, profile: str | None) -> AsyncIterator[Any]:
        """A client as the SDK makes it, with our settings and those of `profile`.

        Raises CallFailed if they allow of none.
        """
        session = self._session_of(profile)
        check_endpoint(core_of(session), service)
        made = session.client(
            service,
            region_name=region,
            config=self._config,
            # Never used: the SDK signs nothing, and must not go looking for credentials here.
            aws_access_key_id="unsigned",
            aws_secret_access_key="unsigned",  # noqa: S106
        )
        async with AsyncExitStack() as stack:
            try:
                client = await stack.enter_async_context(made)
            except (BotoCoreError, ValueError) as error:
                raise no_client(error) from None
            yield client


def _bent(client: Any) -> Any:
    """`client`, made to sign with the credentials of each request and to retry nothing."""
    events, model = client.meta.events, client.meta.service_model
    name = model.service_id.hyphenize()
    events.register(f"choose-signer.{name}", _leave_unsigned)
    events.register(f"before-sign.{name}", _sign)
    events.register(f"before-parse.{name}", guard_of(model.resolved_protocol))
    watch_answers(client)
    # With one attempt it never retries, but looks at every answer.
    events.unregister(f"needs-retry.{name}", unique_id=f"retry-config-{name}")
    return client


def _date_of(error: BaseException) -> datetime | None:
    if not isinstance(error, ClientError):
        return None
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return http_date(headers.get("date")) if isinstance(headers, Mapping) else None


def _leave_unsigned(**_: Any) -> Any:
    # The SDK would sign with the client's credentials; ours go with the request or not at all.
    return UNSIGNED


def _sign(request: Any, signing_name: str, region_name: str, **_: Any) -> None:
    context, signing = request.context.get("signing", {}), _signing.get()
    found = signing.credentials
    Signer(
        ReadOnlyCredentials(found.access_key, found.secret_key, found.token),
        context.get("signing_name") or signing_name,
        context.get("region") or region_name,
        skew=signing.skew,
    ).add_auth(request)
