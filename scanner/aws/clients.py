"""One client for each service and Region, shared by all accounts: credentials go with each request."""

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, TypeVar

import aioboto3
import anyio
from aiobotocore.config import AioConfig
from botocore import UNSIGNED, auth
from botocore.auth import SIGNED_HEADERS_BLACKLIST, SIGV4_TIMESTAMP, SigV4Auth
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from scanner.aws.connections import sessions_sharing_trust
from scanner.aws.credentials.holder import Credentials
from scanner.aws.errors import clean, failed, is_clock_error
from scanner.aws.parse.bodies import checked, guard_of
from scanner.aws.regions import SERVICE
from scanner.inventory.records import FailureKind
from scanner.policy.durations import format_duration
from scanner.service.errors import CallFailed

LOG = logging.getLogger("scanner")
_signing: ContextVar[tuple[Credentials, timedelta]] = ContextVar("signing")
Parsed = TypeVar("Parsed")
SKEW_WORTH_MENDING = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the parsed answer, and when the service gave it by its own clock."""

    body: Mapping[str, Any]
    at: datetime
    request_id: str | None

    def read(self, parse: Callable[[Mapping[str, Any]], Parsed]) -> Parsed:
        """What `parse` makes of the body; a CallFailed that it raises will name this answer's request."""
        try:
            return parse(self.body)
        except CallFailed as failure:
            raise failure.but(request_id=self.request_id) from None


class _Headers(dict[str, str]):
    """Headers of which each stands once, as far as signing looks at them; the SDK's are made for mail."""

    def get_all(self, name: str) -> list[str]:
        return [self[name]]


_host_of = lru_cache(maxsize=1024)(auth._host_from_url)  # type: ignore[attr-defined]


class _Signer(SigV4Auth):
    """Signature V4 at the service's time, where the local clock is known to be wrong."""

    def __init__(self, credentials: Credentials, service: str, region: str, skew: timedelta) -> None:
        read_only = ReadOnlyCredentials(credentials.access_key, credentials.secret_key, credentials.token)
        super().__init__(read_only, service, region)
        self._place = region, service
        self._skew = skew
        self._headers: Any = None

    def _modify_request_before_signing(self, request: Any) -> None:
        if self._skew:
            moment = datetime.now(UTC) + self._skew
            request.context["timestamp"] = moment.strftime(SIGV4_TIMESTAMP)
        super()._modify_request_before_signing(request)  # type: ignore[misc]

    def headers_to_sign(self, request: Any) -> Any:
        # Asked for twice; a signer signs one request, whose headers stand by then.
        if self._headers is None:
            lowered = ((name.lower(), value) for name, value in request.headers.items())
            self._headers = _Headers(
                (name, value) for name, value in lowered if name not in SIGNED_HEADERS_BLACKLIST
            )
            self._headers.setdefault("host", _host_of(request.url))
        return self._headers

    def signature(self, string_to_sign: str, request: Any) -> str:
        # The key is the same for a day, and its derivation half of the work.
        day = request.context["timestamp"][:8]
        key = _signing_key(self.credentials.secret_key, day, *self._place)
        return hmac.digest(key, string_to_sign.encode(), "sha256").hex()

    def payload(self, request: Any) -> str:
        body = request.data
        signed: bool = self._should_sha256_sign_payload(request)  # type: ignore[attr-defined]
        if signed and body and isinstance(body, bytes):
            # What is already bytes goes out as it is; the SDK would build the whole request to learn that.
            return hashlib.sha256(body).hexdigest()
        digest: str = super().payload(request)
        return digest


@lru_cache(maxsize=4096)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


class Clients:
    """The clients of one Scanner. Use as an async context manager; leaving it closes every connection."""

    def __init__(
        self,
        session: aioboto3.Session,
        *,
        call_timeout: timedelta,
        connect_timeout: timedelta,
        connections: int,
        user_agent: str,
    ) -> None:
        self._session = session
        self._call_timeout = call_timeout.total_seconds()
        self._config = AioConfig(
            http_session_cls=sessions_sharing_trust(),
            connect_timeout=connect_timeout.total_seconds(),
            read_timeout=call_timeout.total_seconds(),
            max_pool_connections=connections,
            parameter_validation=False,
            disable_request_compression=True,
            retries={"total_max_attempts": 1},
            signature_version=UNSIGNED,
            user_agent=user_agent,
        )
        self._clients: dict[tuple[str, str], Any] = {}
        self._making = anyio.Lock()
        self._stack = AsyncExitStack()
        self.skew = timedelta()

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
        skew = self.skew
        token = _signing.set((credentials, skew))
        try:
            client = await self._client(service, region)
            # Cheaper than anyio's, and there is one for each call.
            async with asyncio.timeout(self._call_timeout):
                response = await client._make_api_call(operation, parameters)
        # A time that is no time comes out of the SDK's XML parser as it is: a ValueError.
        except (ClientError, BotoCoreError, ResponseParserError, ValueError, TimeoutError) as error:
            if isinstance(error, ClientError) and "Message" in error.response.get("Error", {}):
                # Before the message is cut: half a token would not be found in it any more.
                told = error.response["Error"]
                told["Message"] = credentials.hidden_in(str(told["Message"]))
            raise self._mended(failed(error, operation), error, skew) from None
        finally:
            _signing.reset(token)
        metadata = response["ResponseMetadata"]
        return Answer(checked(response), _date(metadata), metadata.get("RequestId"))

    def now(self) -> datetime:
        """The time by the service's clock, as far as it is known to differ from the local one."""
        return datetime.now(UTC) + self.skew

    def _mended(self, failure: CallFailed, error: Exception, signed_with: timedelta) -> CallFailed:
        if failure.facts.kind is not FailureKind.CREDENTIALS or not isinstance(error, ClientError):
            return failure
        if not is_clock_error(failure.facts.code, failure.facts.message):
            return failure
        # A wrong local clock is measured against the service's, and the same call signed at its time.
        skew = _date(error.response["ResponseMetadata"]) - datetime.now(UTC)
        # Others may have found it out while this call, signed at the wrong time, was still under way.
        if abs(skew - signed_with) > SKEW_WORTH_MENDING:
            if abs(skew - self.skew) > SKEW_WORTH_MENDING:
                self.skew = skew
                off = f"{format_duration(abs(skew))} {'behind' if skew > timedelta() else 'ahead of'}"
                LOG.warning("the local clock is %s the service's, whose time is used: set it by NTP", off)
            return failure.but(repeat=True)
        return failure

    async def _client(self, service: str, region: str) -> Any:
        key = service, region
        if key not in self._clients:
            async with self._making:
                if key not in self._clients:
                    try:
                        self._clients[key] = await self._make(service, region)
                    except ValueError as error:
                        message = (
                            f"{clean(str(error))}; mend AWS_ENDPOINT_URL, or endpoint_url of the profile"
                        )
                        raise CallFailed.of(FailureKind.NETWORK, message, sent=False) from None
        return self._clients[key]

    async def _make(self, service: str, region: str) -> Any:
        client = await self._stack.enter_async_context(
            self._session.client(
                service,
                region_name=region,
                config=self._config,
                # Never used: the SDK signs nothing, and must not go looking for credentials here.
                aws_access_key_id="unsigned",
                aws_secret_access_key="unsigned",  # noqa: S106
            )
        )
        name = client.meta.service_model.service_id.hyphenize()
        client.meta.events.register(f"choose-signer.{name}", _leave_unsigned)
        client.meta.events.register(f"before-sign.{name}", self._sign)
        protocol = client.meta.service_model.resolved_protocol
        client.meta.events.register(f"before-parse.{name}", guard_of(protocol))
        # With one attempt it never retries, but looks at every answer.
        client.meta.events.unregister(f"needs-retry.{name}", unique_id=f"retry-config-{name}")
        if service == SERVICE:
            await _settle_endpoint(client)
        return client

    def _sign(self, request: Any, signing_name: str, region_name: str, **_: Any) -> None:
        context = request.context.get("signing", {})
        credentials, skew = _signing.get()
        signer = _Signer(
            credentials,
            context.get("signing_name") or signing_name,
            context.get("region") or region_name,
            skew,
        )
        signer.add_auth(request)


async def _settle_endpoint(client: Any) -> None:
    """Keeps what the endpoint rules say of a Region, where that is no more than the one URL."""
    operation, context = client.meta.service_model.operation_model("ListGateways"), dict[str, Any]()
    found = await client._resolve_endpoint_ruleset(operation, {}, context)
    if found == (client.meta.endpoint_url, {}, {}) and not context:
        client._ruleset_resolver = None


def _leave_unsigned(**_: Any) -> Any:
    # The SDK would sign with the client's credentials; ours go with the request or not at all.
    return UNSIGNED


def _date(metadata: Mapping[str, Any]) -> datetime:
    try:
        moment = parsedate_to_datetime(metadata["HTTPHeaders"]["date"])
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (KeyError, ValueError, OverflowError):
        return datetime.now(UTC)
