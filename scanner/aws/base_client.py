"""A client of the SDK for the base identity: what outputs, the history and alerts call beside the scan."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import anyio
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError

from scanner.aws.clients import client_config
from scanner.aws.codes import EXPIRED
from scanner.aws.connections import Connections
from scanner.aws.credentials.credentials import Credentials
from scanner.aws.credentials.sessions import Sessions
from scanner.aws.errors import CLOCK_REMEDY, failed, is_clock_error
from scanner.aws.sdk.answered import BROKEN_ANSWER, watch_answers, watched
from scanner.aws.sdk.endpoint_settings import check_endpoint, no_client
from scanner.aws.sdk.http_session import ClientConfig
from scanner.aws.sdk.session import core_of
from scanner.aws.text import clean
from scanner.config.settings import ScannerConfig
from scanner.errors import OutputError
from scanner.service.errors import CallFailed

SLOW_REMEDY = "look at what lies between here and the endpoint, or raise scan.call_timeout"
PASSING = {
    "SlowDown",
    "RequestTimeout",
    "InternalError",
    "ServiceUnavailable",
    "Throttling",
    "503 Slow Down",
    # Another request for the same new object is under way.
    "ConditionalRequestConflict",
}
AT_ONCE = 5
"""Connections, as far as the process may open so many."""
ATTEMPTS = 3
PAUSE = 0.2
"""Seconds before the second attempt; twice as long before the third."""


@dataclass(frozen=True)
class Peer:
    """A service as its client is made: its name in the SDK, and what helps where it refuses or is not there.

    `region`: None for the one of the SDK's settings. `remedies` are by error code.
    """

    service: str
    endpoint_remedy: str
    remedies: Mapping[str, str]
    region: str | None = None


@dataclass
class Refused(Exception):
    """Why one attempt failed; `passing` if another may do better, `unanswered` if this one may have done its work."""

    told: str
    remedy: str
    code: str | None = None
    passing: bool = False
    unanswered: bool = False


class RefusedError(OutputError):
    """A call failed for good; `code` is the service's own, where it said one."""

    def __init__(self, told: str, code: str | None) -> None:
        super().__init__(told)
        self.code = code


class BaseClient:
    """The SDK's client of one service over connections of our own, signed for the base identity as it is now."""

    def __init__(self, peer: Peer, config: ScannerConfig, stack: AsyncExitStack) -> None:
        self._peer = peer
        connect = config.scan.connect_timeout.total_seconds()
        self._patience = config.scan.call_timeout.total_seconds()
        connections = Connections(connect_timeout=connect, read_timeout=self._patience, limit=AT_ONCE)
        stack.push_async_callback(connections.close)
        self._sessions = Sessions(config.credentials.profile, {}, self._patience, connections)
        self._config = ClientConfig(
            connections, **client_config(connect_timeout=connect, read_timeout=self._patience)
        )
        self._stack = stack
        self._client: Any = None
        self._credentials: Credentials | None = None

    async def signed_in(self, place: str) -> Any:
        """The client, made anew when its credentials are about to end; raises OutputError."""
        if self._credentials is None or not self._credentials.lasts(datetime.now(UTC)):
            try:
                found = await self._sessions.obtain(None)
                client = await self._made(found)
            except CallFailed as failure:
                raise OutputError(f"{place}: {failure.facts.message}; {failure.facts.remedy}") from None
            client.meta.events.register_last(f"before-call.{self._peer.service}", _send_at_once)
            watch_answers(client)
            self._credentials, self._client = found, client
        return self._client

    async def call(
        self,
        place: str,
        operation: str,
        *,
        once_begun: bool = False,
        remedies: Mapping[str, str] | None = None,
        **parameters: Any,
    ) -> Mapping[str, Any]:
        """The answer to one call, tried a few times; raises RefusedError, which names `place` and remedy.

        `once_begun`: it is not tried again where the first try may have been heard. `remedies`: by error code,
        where those of the peer do not fit.
        """
        for attempt in range(ATTEMPTS):
            if attempt:
                await anyio.sleep(PAUSE * 2 ** (attempt - 1))
            try:
                return await self.ask(place, operation, **parameters)
            except Refused as refused:
                remedy = (remedies or {}).get(refused.code or "", refused.remedy)
                told = RefusedError(f"{place}: {refused.told}; {remedy}", refused.code)
                if not refused.passing or (refused.unanswered and once_begun):
                    break
        raise told

    async def ask(self, place: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
        """The answer to one request; raises `Refused`, or OutputError where nobody can sign in."""
        client = await self.signed_in(place)
        with watched() as watch:
            try:
                # Of the whole request and its answer: a peer that trickles is as silent as one that says nothing.
                with anyio.fail_after(self._patience):
                    answer: dict[str, Any] = await getattr(client, operation)(**parameters)
            except ClientError as error:
                raise self._refused(error) from None
            except TimeoutError:
                told = f"the answer took longer than {self._patience:g} s (scan.call_timeout)"
                raise Refused(told, SLOW_REMEDY, passing=True, unanswered=True) from None
            except (NoConnectionError, HTTPClientError) as error:
                facts = failed(error, operation).facts
                remedy = facts.remedy or self._peer.endpoint_remedy
                raise Refused(clean(str(error)), remedy, passing=True, unanswered=facts.connected) from None
            except (BotoCoreError, ResponseParserError) as error:
                raise Refused(clean(str(error)), self._peer.endpoint_remedy) from None
            except BROKEN_ANSWER as error:
                if watch.answered:
                    told = f"the answer is none of {self._peer.service}"
                elif isinstance(error, ValueError):
                    # What is to be sent cannot be written, such as half a character in a key.
                    told = clean(str(error))
                else:
                    # Nothing has been read yet: a defect, and none of the service's.
                    raise
                raise Refused(told, self._peer.endpoint_remedy) from None
            return answer

    async def _made(self, found: Credentials) -> Any:
        check_endpoint(core_of(self._sessions.base), self._peer.service)
        made = self._sessions.base.client(
            self._peer.service,
            region_name=self._peer.region,
            config=self._config,
            aws_access_key_id=found.access_key,
            aws_secret_access_key=found.secret_key,
            aws_session_token=found.token,
        )
        try:
            return await self._stack.enter_async_context(made)
        except (BotoCoreError, ValueError) as error:
            raise no_client(error) from None

    def _refused(self, error: ClientError) -> Refused:
        answer = error.response
        code = str(answer.get("Error", {}).get("Code"))
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in EXPIRED:
            # Perhaps there are new ones by now, in the file or from the process that these came from.
            self._credentials = None
        told = clean(str(error))
        remedy = (
            CLOCK_REMEDY
            if is_clock_error(code, told)
            else self._peer.remedies.get(code, self._peer.endpoint_remedy)
        )
        return Refused(told, remedy, code, passing=status >= 500 or code in PASSING or code in EXPIRED)


def _send_at_once(params: dict[str, Any], **_: Any) -> None:
    # Not everything that speaks S3 answers "Expect: 100-continue", and nothing is saved by asking first.
    params["headers"].pop("Expect", None)
