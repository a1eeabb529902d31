"""Connections of all clients of a Scanner, which trust the same certificates."""

import ssl
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiobotocore.httpsession import AIOHTTPSession
from botocore.httpsession import create_urllib3_context, get_cert_path

LONGEST_BODY = 32 << 20
"""Bytes. A page of a hundred gateways has some 50,000; an endless one would fill memory."""


def sessions_sharing_trust() -> type[AIOHTTPSession]:
    """A session class for AioConfig; all sessions made of it read each bundle of certificates once.

    Reading one takes 25 ms and a megabyte, which the SDK would pay again for every Region.
    """
    trust: dict[str | None, ssl.SSLContext] = {}

    class Session(AIOHTTPSession):  # type: ignore[misc]
        async def _get_session(self, proxy_url: str | None) -> Any:
            return _Steadfast(await super()._get_session(proxy_url))

        def _create_connector(self, proxy_url: str | None) -> aiohttp.TCPConnector:
            if proxy_url or not self._verify or self._cert_file:
                connector: aiohttp.TCPConnector = super()._create_connector(proxy_url)
                return connector
            bundle = get_cert_path(self._verify)
            if bundle not in trust:
                trust[bundle] = _trusting(bundle)
            arguments: dict[str, Any] = self._connector_args
            return aiohttp.TCPConnector(limit=self._max_pool_connections, ssl=trust[bundle], **arguments)

    return Session


class TooLongError(Exception):
    """An answer that is longer than any of the service's."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer that has come in whole, as the SDK's session looks at one."""

    url: Any
    status: int
    raw_headers: Any
    body: bytes

    async def read(self) -> bytes:
        return self.body


class _Steadfast:
    """A session that follows no redirect, and takes in no more than a service would send.

    The service redirects nobody, and no other host must see the token.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def request(self, method: str, **options: Any) -> _Answer:
        async with self._session.request(method, allow_redirects=False, **options) as answer:
            body = bytearray()
            async for piece in answer.content.iter_any():
                body += piece
                if len(body) > LONGEST_BODY:
                    answer.close()
                    raise TooLongError(f"the answer is longer than {LONGEST_BODY >> 20} MiB")
            return _Answer(answer.url, answer.status, answer.raw_headers, bytes(body))


def _trusting(bundle: str | None) -> ssl.SSLContext:
    context: ssl.SSLContext = create_urllib3_context()
    if bundle:
        context.load_verify_locations(bundle)
    return context
