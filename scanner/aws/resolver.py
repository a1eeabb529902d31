"""Name look-ups that cannot hold up each other."""

import asyncio
import socket
import threading
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

Found = list[ResolveResult]
_FLAGS = socket.AI_ADDRCONFIG


class Resolver(AbstractResolver):
    """Looks up each name in a thread of its own, once at a time, and waits for `patience` seconds at most.

    The loop's own pool has few threads. A resolver that does not answer for some names would hold all of them,
    and with them the look-ups of every other name.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._pending: dict[tuple[str, int, int], asyncio.Future[Found]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> Found:
        """The addresses of `host`; raises OSError where there are none, or no answer in time."""
        key = host, port, family
        pending = self._pending.get(key)
        if pending is None:
            loop = asyncio.get_running_loop()
            pending = self._pending[key] = loop.create_future()
            pending.add_done_callback(lambda done: self._ended(key, done))
            thread = threading.Thread(
                target=_look_up,
                args=(loop, pending, host, port, family),
                name=f"look-up of {host}",
                daemon=True,
            )
            thread.start()
        try:
            return await asyncio.wait_for(asyncio.shield(pending), self._patience)
        except TimeoutError:
            raise OSError(None, f"the name {host} was not resolved within {self._patience:g} s") from None

    def _ended(self, key: tuple[str, int, int], done: "asyncio.Future[Found]") -> None:
        self._pending.pop(key, None)
        if not done.cancelled():
            # Nobody may be waiting any more, and an exception that nobody fetches would be logged.
            done.exception()

    async def close(self) -> None:
        """Nothing is held: threads end with their look-ups."""


def _look_up(
    loop: asyncio.AbstractEventLoop,
    pending: "asyncio.Future[Found]",
    host: str,
    port: int,
    family: socket.AddressFamily,
) -> None:
    result: Any = None
    error: OSError | None = None
    try:
        result = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family, flags=_FLAGS)
    except OSError as failure:
        error = failure
    except UnicodeError:
        error = OSError(None, f"{host} is no name of a host")

    def conclude() -> None:
        if pending.done():
            return
        if error is not None:
            pending.set_exception(error)
        else:
            pending.set_result([_result(host, entry) for entry in result])

    try:
        loop.call_soon_threadsafe(conclude)
    except RuntimeError:
        # The loop has ended meanwhile, and with it everybody who waited.
        return


def _result(host: str, entry: Any) -> ResolveResult:
    family, _, proto, _, address = entry
    return ResolveResult(
        hostname=host,
        host=address[0],
        port=address[1],
        family=family,
        proto=proto,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
