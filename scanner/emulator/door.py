"""The port that clients knock at: open, or bound and listened to by nobody."""

from __future__ import annotations

import asyncio
import socket
import struct

from aiohttp import web

_LINGER_NOT = struct.pack("ii", 1, 0)


def reset(transport: asyncio.Transport) -> None:
    """Ends a connection with RST instead of FIN, unless it has ended already."""
    if transport.is_closing():
        return
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    transport.abort()


class Door:
    """Lets connections in to a server; `port` is known once it was opened."""

    def __init__(self, server: web.Server, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._server = server
        self._runner = web.ServerRunner(server, shutdown_timeout=0.2)
        self._site: web.TCPSite | None = None
        # Keeps the port while nobody listens, so that a client is refused and no stranger answers.
        self._guard: socket.socket | None = None
        self._reopening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Listens; does nothing if the door is open. Raises OSError if the port is taken."""
        if self._site is not None:
            return
        if self._runner.server is None:
            await self._runner.setup()
        self._forget_guard()
        site = web.TCPSite(self._runner, self.host, self.port, backlog=1024)
        await site.start()
        self._site = site
        self.port = self._runner.addresses[0][1]

    async def shut(self, seconds: float | None = None) -> None:
        """Resets every connection and refuses new ones, for so long or until it is opened."""
        if self._site is None:
            return
        site, self._site = self._site, None
        await site.stop()
        self._guard = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        self._guard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._guard.bind((self.host, self.port))
        transports = (connection.transport for connection in self._server.connections)
        for transport in filter(None, transports):
            reset(transport)
        if seconds is not None:
            self._reopening = asyncio.create_task(self._reopen(seconds))

    async def close(self) -> None:
        """Ends every connection and gives the port away."""
        if self._reopening is not None:
            self._reopening.cancel()
        self._forget_guard()
        await self._runner.cleanup()

    async def _reopen(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.open()

    def _forget_guard(self) -> None:
        if self._guard is not None:
            self._guard.close()
            self._guard = None
