"""aiohttp's connector with four things that it has no public way for.

Seen in aiohttp 3.13.3 to 3.14: `_create_connection(req, traces, timeout)`, `_conns` (idle
connections by key, oldest first), `_acquired` (connections in use), requests to a proxy by `req.proxy`, `req.ssl`, and
`_release(key, protocol, should_close=...)`.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

import aiohttp


class Connector(aiohttp.TCPConnector):
    """A pool whose `limit` counts idle connections too, and that trusts a proxy by a context of its own.

    `proxy_contexts` has that one for each context of requests. aiohttp counts only connections in use: those kept
    alive for many Regions would use up the process's files.
    """

    def __init__(
        self, *, limit: int, proxy_contexts: Mapping[ssl.SSLContext, ssl.SSLContext], **options: Any
    ) -> None:
        super().__init__(limit=limit, **options)
        self._proxy_contexts = proxy_contexts

    def _update_proxy_auth_header_and_build_proxy_req(self, req: Any) -> Any:
        proxy_req = super()._update_proxy_auth_header_and_build_proxy_req(req)
        # It would be made with the context of the endpoint, and show the endpoint's client certificate.
        proxy_req._ssl = self._proxy_contexts[req.ssl]
        return proxy_req

    async def _create_connection(self, req: Any, traces: Any, timeout: Any) -> Any:
        self._make_room()
        # aiohttp bounds TCP and TLS each, but neither the answer to CONNECT nor all of it together.
        try:
            async with asyncio.timeout(timeout.sock_connect):
                return await super()._create_connection(req, traces, timeout)
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError(f"connecting took {timeout.sock_connect} s") from error

    def _release(self, key: Any, protocol: Any, *, should_close: bool = False) -> None:
        transport = protocol.transport
        if should_close and transport is not None and transport.get_write_buffer_size():
            # It would wait until the rest is sent, and a peer that reads no more could keep that for ever.
            transport.abort()
        super()._release(key, protocol, should_close=should_close)

    def _make_room(self) -> None:
        idle = sum(len(kept) for kept in self._conns.values())
        # The connection that is being made stands among those in use already.
        for _ in range(max(0, idle + len(self._acquired) - self.limit)):
            self._close_one_idle()

    def _close_one_idle(self) -> None:
        key = min((key for key, kept in self._conns.items() if kept), key=lambda key: self._conns[key][0][1])
        protocol, _ = self._conns[key].popleft()
        protocol.close()
        if not self._conns[key]:
            del self._conns[key]
