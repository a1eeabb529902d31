"""A server of its own: it scans again and again, and answers from the last scan."""

import asyncio
import gc
import ipaddress
import logging
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec

from aiohttp import web
from anyio.from_thread import start_blocking_portal

from scanner.api import Scanner
from scanner.config.settings import ScannerConfig
from scanner.errors import ConfigError, ScannerError
from scanner.inventory.model import Inventory
from scanner.serve.app import application
from scanner.serve.connections import IDLE, Connections
from scanner.serve.state import State

LOG = logging.getLogger("scanner.serve")
UVLOOP = find_spec("uvloop") is not None
LAST_ANSWERS = 5.0
"""Seconds that answers under way have when the server ends."""
REFUSED = "the new configuration is refused, the old one stays: %s"
SWITCHED_AFTER = 1e-4
"""Seconds, instead of Python's 5 ms, after which one thread lets another go on: answers wait for it at each step."""
WAITING = 1024
"""Connections that the system holds until they are accepted; one that it drops comes again a second later."""


@dataclass(frozen=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """The address in `HOST:PORT`, `[::1]:PORT` or `:PORT`, which is loopback; raises ConfigError."""
        parts = re.fullmatch(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^:\[\]]*):(?P<port>[0-9]{1,5})", text)
        if not parts or int(parts["port"]) > 65535:
            raise ConfigError(f"--listen: {text!r} is no address; write it like 127.0.0.1:9753")
        return cls(parts["host"].strip("[]") or "127.0.0.1", int(parts["port"]))

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


async def serve(
    config: ScannerConfig,
    state: State,
    address: Address,
    *,
    reload: Callable[[], ScannerConfig] | None = None,
    ready: Callable[[int], None] | None = None,
    told: Callable[[Inventory], None] | None = None,
) -> None:
    """Serves `state` at `address` and scans every `state.every`, until SIGTERM, SIGINT or a cancellation.

    SIGHUP takes what `reload` returns as the configuration; one that it or a Scanner refuses leaves the old one
    in force.
    `ready` is called with the port once the server listens, `told` with each inventory. Raises ConfigError where
    it cannot listen, and for a first configuration that is none to scan with.
    """
    switched_after = sys.getswitchinterval()
    sys.setswitchinterval(SWITCHED_AFTER)
    try:
        # Answers are sent by a loop of their own: each step of a scan's may take a tenth of a second.
        with (
            start_blocking_portal(backend_options={"use_uvloop": UVLOOP}) as portal,
            portal.wrap_async_context_manager(_listening(state, address)) as port,
        ):
            if ready:
                ready(port)
            await _Loop(config, state, reload, told).run()
    finally:
        sys.setswitchinterval(switched_after)


@asynccontextmanager
async def _listening(state: State, address: Address) -> AsyncIterator[int]:
    """Answers requests from `state` inside the block; yields the port. Raises ConfigError."""
    connections = Connections()
    app = application(state, loopback=address.loopback)
    app.middlewares.insert(0, connections.note)
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=IDLE, shutdown_timeout=LAST_ANSWERS)
    await runner.setup()
    try:
        server = await _listen(runner, connections, address)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, connections: Connections, address: Address) -> asyncio.Server:
    made = runner.server
    assert made
    try:
        return await asyncio.get_running_loop().create_server(
            lambda: connections.protocol(made), address.host, address.port, backlog=WAITING
        )
    except OSError as error:
        raise ConfigError(
            f"--listen: {address.host}:{address.port}: {error.strerror or error}; choose another port or address"
        ) from None


class _Loop:
    """Scans until it is told to end; a new configuration begins with a scan of its own."""

    def __init__(
        self,
        config: ScannerConfig,
        state: State,
        reload: Callable[[], ScannerConfig] | None,
        told: Callable[[Inventory], None] | None,
    ) -> None:
        self._config = config
        self._worked: ScannerConfig | None = None
        """The last configuration that a Scanner could be opened with."""
        self._state = state
        self._reload = reload
        self._told = told
        self._scans: asyncio.Task[None] | None = None
        self._ended = False

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        handlers = {signal.SIGTERM: self._end, signal.SIGINT: self._end, signal.SIGHUP: self._take_anew}
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        try:
            while not self._ended:
                self._scans = asyncio.create_task(self._scan(), name="sgw-scanner serve")
                await asyncio.wait([self._scans])
                if not self._scans.cancelled():
                    self._go_back(self._scans)
        finally:
            if self._scans:
                self._scans.cancel()
                await asyncio.wait([self._scans])
            for number in handlers:
                loop.remove_signal_handler(number)

    async def _scan(self) -> None:
        async with (
            Scanner(self._config) as scanner,
            aclosing(scanner.watch(self._state.every)) as inventories,
        ):
            self._worked = self._config
            async for inventory in inventories:
                await self._state.take(inventory)
                if self._told:
                    self._told(inventory)
                # What is served is rendered. With little left to look at, this holds up no answer for long.
                del inventory
                gc.collect()

    def _go_back(self, scans: "asyncio.Task[None]") -> None:
        """To the configuration that worked, if the new one was none to scan with."""
        try:
            scans.result()
        except ScannerError as error:
            if self._worked in (None, self._config):
                raise
            LOG.error(REFUSED, error)
            self._config = self._worked

    def _end(self) -> None:
        self._ended = True
        if self._scans:
            self._scans.cancel()

    def _take_anew(self) -> None:
        if not self._reload or not self._scans:
            return
        try:
            self._config = self._reload()
        except ScannerError as error:
            LOG.error(REFUSED, error)
            return
        LOG.warning("the configuration was read anew")
        self._scans.cancel()
