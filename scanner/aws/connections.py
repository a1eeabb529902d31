"""Connections of all clients of a Scanner, which trust the same certificates."""

import ssl
from typing import Any

import aiohttp
from aiobotocore.httpsession import AIOHTTPSession
from botocore.httpsession import create_urllib3_context, get_cert_path


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


class _Steadfast:
    """A session that follows no redirect: the service sends none, and another host must not see the token."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def request(self, method: str, **options: Any) -> aiohttp.ClientResponse:
        return await self._session.request(method, allow_redirects=False, **options)


def _trusting(bundle: str | None) -> ssl.SSLContext:
    context: ssl.SSLContext = create_urllib3_context()
    if bundle:
        context.load_verify_locations(bundle)
    return context
