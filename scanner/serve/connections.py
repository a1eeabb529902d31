"""How many connections are served, and for how long one may ask nothing."""

import asyncio
import resource

from aiohttp import web
from aiohttp.typedefs import Handler
from aiohttp.web_protocol import RequestHandler

MOST = 512
"""Connections at once, where the process may open files enough."""
SHARE = 4
"""Connections take at most one file of so many: the scan needs the others."""
IDLE = 30.0
"""Seconds after which a connection that asks nothing is closed."""
BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 21\r\n\r\ntoo many connections\n"
)


def most_connections() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else max(1, min(MOST, soft // SHARE))


class _Busy(asyncio.Protocol):
    """Answers one connection too many before it has asked."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(BUSY)
        transport.close()


class Connections:
    """Makes the protocol of each connection of a server, for at most `most` at once."""

    def __init__(self, most: int | None = None) -> None:
        self._most = most or most_connections()
        self._silent: dict[asyncio.BaseProtocol, asyncio.TimerHandle] = {}
        """Connections that have not asked yet, and what closes each."""

    def protocol(self, server: web.Server) -> asyncio.BaseProtocol:
        """The protocol of a new connection to `server`."""
        if len(server.connections) >= self._most:
            return _Busy()
        handler = server()
        # aiohttp closes a connection that is idle after a request, and waits for the first one for ever.
        self._silent[handler] = asyncio.get_running_loop().call_later(IDLE, self._close_silent, handler)
        return handler

    @web.middleware
    async def note(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """A middleware that notes who has asked."""
        closing = self._silent.pop(request.protocol, None)
        if closing:
            closing.cancel()
        return await handler(request)

    def _close_silent(self, handler: RequestHandler) -> None:
        del self._silent[handler]
        if handler.transport:
            handler.transport.close()
