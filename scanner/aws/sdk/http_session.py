"""The SDK's requests over the Scanner's own connections.

Seen in aiobotocore 2.25 and 3.10: `AioConfig(http_session_cls=...)`, the arguments with which the SDK makes such a
session, `send(request)` and `AioAWSResponse`; in botocore `ProxyConfiguration`.
"""

import io
from collections.abc import Callable
from typing import Any

import aiohttp
from aiobotocore.awsrequest import AioAWSResponse
from aiobotocore.config import AioConfig
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.httpsession import ProxyConfiguration
from multidict import CIMultiDict

from scanner.aws.connections import Connections, Reply, Route, TooLongError, Trust

LARGE = 1 << 20


class ClientConfig(AioConfig):  # type: ignore[misc]
    """Settings of a client that keep our connections: aiobotocore 2.25 forgets them when it merges two configs."""

    def __init__(self, connections: Connections, **settings: Any) -> None:
        super().__init__(http_session_cls=session_class(connections), **settings)

    def merge(self, other_config: AioConfig) -> AioConfig:
        merged: AioConfig = super().merge(other_config)
        merged.http_session_cls = self.http_session_cls
        return merged


def session_class(connections: Connections) -> Callable[..., "HttpSession"]:
    """A class for `AioConfig(http_session_cls=...)`: every client made with it uses `connections`."""

    def make(**options: Any) -> HttpSession:
        return HttpSession(connections, **options)

    return make


class HttpSession:
    """What the SDK calls an HTTP session: it sends requests, and knows the client's proxies and trust."""

    def __init__(
        self,
        connections: Connections,
        *,
        verify: bool | str = True,
        proxies: dict[str, str] | None = None,
        client_cert: str | tuple[str, str] | None = None,
        proxies_config: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        self._connections = connections
        self._proxies = ProxyConfiguration(proxies=proxies, proxies_settings=proxies_config)
        settings = proxies_config or {}
        self._trust = Trust(
            verify if isinstance(verify, str) else None,
            _certificate(client_cert),
            settings.get("proxy_ca_bundle"),
            _certificate(settings.get("proxy_client_cert")),
        )

    async def __aenter__(self) -> "HttpSession":
        return self

    async def __aexit__(self, *_: object) -> None:
        """The connections are the Scanner's, which closes them."""

    async def close(self) -> None:
        """The connections are the Scanner's, which closes them."""

    def route(self, url: str) -> Route:
        """How this client reaches `url`."""
        return Route(self._trust, self._proxies.proxy_url_for(url))

    async def send(self, request: Any) -> AioAWSResponse:
        """The answer to an AWSPreparedRequest; raises botocore's errors, with aiohttp's as their cause."""
        route = self.route(request.url)
        headers = CIMultiDict((name, _text(value)) for name, value in request.headers.items())
        headers["Accept-Encoding"] = "identity"
        chunked = headers.get("Transfer-Encoding", "").lower() == "chunked"
        if chunked:
            # aiohttp sets the header itself.
            del headers["Transfer-Encoding"]
        body = request.body.read() if isinstance(request.body, io.IOBase) else request.body
        if isinstance(body, bytes) and len(body) > LARGE:
            # Sent piece by piece, so that the event loop gets its turn in between.
            body = io.BytesIO(body)
        try:
            reply = await self._connections.send(
                request.method, request.url, headers, body, route, chunked=chunked or None
            )
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, TooLongError) as error:
            raise as_sdk_error(error, request.url, route.proxy) from None
        return AioAWSResponse(request.url, reply.status, dict(reply.headers), reply)


def as_sdk_error(error: Exception, url: str, proxy: str | None) -> Exception:
    """What the SDK's own session would raise, so that its credential chain and our errors read it alike."""
    known: dict[str, Any] = {"endpoint_url": url, "error": error}
    match error:
        case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
            return ProxyConnectionError(proxy_url="the proxy", **known)
        case aiohttp.ClientSSLError():
            return SSLError(**known)
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError() | aiohttp.ClientResponseError():
            return ConnectionClosedError(**known)
        case aiohttp.ConnectionTimeoutError():
            return ConnectTimeoutError(**known)
        case TimeoutError():
            return ReadTimeoutError(**known)
        case aiohttp.ClientConnectionError() | OSError():
            return EndpointConnectionError(**known)
        case _:
            return HTTPClientError(error=error)


def body_of(stream: Any) -> bytes:
    """The bytes of an answer that the SDK would stream; our connections have read it whole already.

    Seen in aiobotocore 2.25, where the stream is a proxy of our reply, and in 3.10, where it has it.
    """
    reply: Reply = getattr(stream, "raw_stream", None) or stream.__wrapped__
    return reply.body


def _certificate(given: Any) -> tuple[str, str | None] | None:
    if isinstance(given, str):
        return given, None
    return (given[0], given[1]) if given else None


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)
