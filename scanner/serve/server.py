"""A server of its own: it scans again and again, and answers from the last scan."""

import asyncio
import ipaddress
import logging
import re
import signal
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from aiohttp import web

from scanner.api import Scanner
from scanner.config.settings import ScannerConfig
from scanner.errors import ConfigError, ScannerError
from scanner.serve.app import application
from scanner.serve.state import State

LOG = logging.getLogger("scanner.serve")
LAST_ANSWERS = 5.0
"""Seconds that answers under way have when the server ends."""
IDLE = 30.0
"""Seconds after which a connection without a request is closed."""


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
) -> None:
    """Serves `state` at `address` and scans every `state.every`, until SIGTERM, SIGINT or a cancellation.

    SIGHUP takes what `reload` returns as the configuration; one that it refuses leaves the old one in force.
    `ready` is called with the port once the server listens. Raises ConfigError where it cannot listen.
    """
    runner = web.AppRunner(
        application(state, loopback=address.loopback),
        access_log=None,
        keepalive_timeout=IDLE,
        shutdown_timeout=LAST_ANSWERS,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, address.host, address.port)
        try:
            await site.start()
        except OSError as error:
            raise ConfigError(
                f"--listen: {address.host}:{address.port}: {error.strerror or error}; choose another port or address"
            ) from None
        if ready:
            ready(runner.addresses[0][1])
        await _Loop(config, state, reload).run()
    finally:
        await runner.cleanup()


class _Loop:
    """Scans until it is told to end; a new configuration begins with a scan of its own."""

    def __init__(
        self, config: ScannerConfig, state: State, reload: Callable[[], ScannerConfig] | None
    ) -> None:
        self._config = config
        self._state = state
        self._reload = reload
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
                    self._scans.result()
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
            async for inventory in inventories:
                await self._state.take(inventory)
                LOG.info("scan %s: %s", inventory.scan.id, inventory.scan.outcome.value)

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
            LOG.error("the new configuration is refused, the old one stays: %s", error)
            return
        LOG.warning("the configuration was read anew")
        self._scans.cancel()
