"""The port that clients connect to: open, or bound while nobody listens."""

from __future__ import annotations

import asyncio
import socket

from aiohttp import web

from ..faults.connections import reset


class Listener:
    """Accepts connections for a server; `port` is known once it was opened."""

    def __init__(self, server: web.Server, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._server = server
        self._runner = web.ServerRunner(server, shutdown_timeout=0.2)
        self._site: web.TCPSite | None = None
        # Keeps the port while nobody listens, so that a client is refused and no stranger answers.
        self._placeholder: socket.socket | None = None
        self._reopening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Listens; does nothing if it is open already. Raises OSError if the port is taken."""
        if self._site is not None:
            return
        if self._runner.server is None:
            await self._runner.setup()
        self._close_placeholder()
        site = web.TCPSite(self._runner, self.host, self.port, backlog=1024)
        await site.start()
        self._site = site
        self.port = self._runner.addresses[0][1]

    async def refuse(self, seconds: float | None = None) -> None:
        """Resets every connection and refuses new ones, for so long or until it is opened."""
        if self._site is None:
            return
        site, self._site = self._site, None
        await site.stop()
        self._placeholder = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        self._placeholder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._placeholder.bind((self.host, self.port))
        transports = (connection.transport for connection in self._server.connections)
        for transport in filter(None, transports):
            reset(transport)
        if seconds is not None:
            self._reopening = asyncio.create_task(self._reopen(seconds))

    async def close(self) -> None:
        """Ends every connection and frees the port."""
        if self._reopening is not None:
            self._reopening.cancel()
        self._close_placeholder()
        await self._runner.cleanup()

    async def _reopen(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.open()

    def _close_placeholder(self) -> None:
        if self._placeholder is not None:
            self._placeholder.close()
            self._placeholder = None
