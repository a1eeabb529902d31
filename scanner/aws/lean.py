"""The calls that are made thousands of times: each one signed JSON POST, with as little between as possible."""

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import aiohttp
import anyio
from botocore.exceptions import BotoCoreError

from scanner.aws.broken_connections import broken
from scanner.aws.clients import Answer, Clients
from scanner.aws.clocks import http_date
from scanner.aws.connections import Connections, Reply, TooLongError
from scanner.aws.credentials.credentials import Credentials
from scanner.aws.errors import ErrorAnswer, is_clock_error, refused
from scanner.aws.parse.bodies import json_object, parsed
from scanner.aws.sdk.endpoint_settings import no_client
from scanner.aws.sdk.endpoints import Endpoint, endpoint_of
from scanner.aws.signature import Signable, sign
from scanner.aws.text import shown_id
from scanner.service.errors import CallFailed

SERVICE: Final = "storagegateway"
TARGET_PREFIX: Final = "StorageGateway_20130630"


class LeanCalls:
    """Storage Gateway's operations in every Region, over the connections that all of them share."""

    def __init__(
        self, clients: Clients, connections: Connections, *, call_timeout: timedelta, user_agent: str
    ) -> None:
        self._clients = clients
        self._connections = connections
        self._call_timeout = call_timeout.total_seconds()
        self._headers = {"content-type": "application/x-amz-json-1.1", "user-agent": user_agent}
        self._endpoints: dict[tuple[str | None, str], tuple[Endpoint, Signable]] = {}
        self._making = anyio.Lock()

    async def call(
        self, region: str, operation: str, credentials: Credentials, parameters: Mapping[str, Any]
    ) -> Answer:
        """Send one request of `operation`, signed for `credentials`; raises CallFailed."""
        route = credentials.profile, region
        endpoint, signable = self._endpoints.get(route) or await self._endpoint(route, operation)
        clocks, key = self._clients.clocks, (SERVICE, region)
        skew = clocks.skew(key)
        body = json.dumps(parameters).encode()
        headers = sign(
            {**self._headers, "x-amz-target": f"{TARGET_PREFIX}.{operation}"},
            body,
            credentials,
            signable,
            endpoint.signing_region,
            endpoint.signing_name,
            clocks.now(key),
        )
        try:
            # Cheaper than anyio's, and there is one for each call.
            async with asyncio.timeout(self._call_timeout):
                reply = await self._connections.send("POST", endpoint.url, headers, body, endpoint.route)
        except (aiohttp.ClientError, OSError, TooLongError, ValueError) as error:
            raise broken(error, endpoint.url) from None
        date = reply.headers.get("date")
        request_id = shown_id(reply.headers.get("x-amzn-requestid"))
        if reply.status < 300:
            try:
                return Answer(json_object(reply.body), clocks.moment(key, date), request_id)
            except CallFailed as failure:
                raise failure.but(request_id=request_id) from None
        refusal = refused(_error_in(reply, request_id), operation, credentials.hidden_in)
        theirs = http_date(date)
        if theirs and is_clock_error(refusal.facts.code, refusal.facts.message):
            raise refusal.but(repeat=clocks.correct(key, theirs, skew))
        raise refusal

    async def _endpoint(self, route: tuple[str | None, str], operation: str) -> tuple[Endpoint, Signable]:
        profile, region = route
        async with self._making:
            if route not in self._endpoints:
                async with self._clients.made(SERVICE, region, profile) as client:
                    try:
                        endpoint = await endpoint_of(client, operation)
                    except BotoCoreError as error:
                        raise no_client(error) from None
                self._endpoints[route] = endpoint, Signable.of(endpoint.url)
            return self._endpoints[route]


def _error_in(reply: Reply, request_id: str | None) -> ErrorAnswer:
    """What an answer that refuses says. Any part of it may be of another type than documented."""
    body = parsed(reply.body) or {}
    named = body.get("__type") or body.get("code") or reply.headers.get("x-amzn-errortype") or ""
    message = body.get("message") or body.get("Message") or body.get("errorMessage") or ""
    modeled = body.get("error")
    inner = modeled.get("errorCode") if isinstance(modeled, dict) else ""
    return ErrorAnswer(
        reply.status,
        reply.headers,
        # As in "com.amazonaws.storagegateway#InternalServerError", and "InternalServerError:http://...".
        _text(named).split(":")[0].rpartition("#")[2],
        _text(message),
        _text(inner),
        request_id,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
