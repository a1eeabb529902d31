"""The endpoint: one port on loopback for every service, Region and account."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from email.utils import formatdate
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from ..faults.connections import send_broken, send_whole
from ..faults.rules import FaultRules
from ..fleets.faults import CONNECTION_KINDS
from ..fleets.fleet import Fleet
from ..state.backend import Backend
from ..state.principals import Principal
from ..state.token_buckets import TokenBuckets
from .control import PREFIX, control
from .counters import CallKey, Counters
from .environment import environment
from .handler import RequestHandler
from .listener import Listener


class Emulator:
    """Serves a fleet to any AWS client: `async with Emulator(fleet) as emulator: ... emulator.url`.

    `requests` counts calls by (service, operation, account, region), refused and throttled ones too;
    `mismatches` counts those whose credentials were mixed up: a wrong signature, a token of another key,
    an ARN of another account. `log` holds the last `log_size` calls as (service, operation, account, region,
    status). `clock` gives seconds since the epoch.
    """

    def __init__(
        self,
        fleet: Fleet | None = None,
        port: int = 0,
        clock: Callable[[], float] = time.time,
        *,
        host: str = "127.0.0.1",
        log_size: int = 0,
    ) -> None:
        self.fleet = fleet if fleet is not None else Fleet.demo()
        self.clock = clock
        self.backend = Backend(self.fleet, self.now())
        self.faults = FaultRules(self.fleet.faults)
        self.limits = TokenBuckets(self.fleet.throttle, time.monotonic)
        self._counters = Counters(log_size)
        self._handler = RequestHandler(self.backend, self.limits, self.faults, self._counters, self.now, host)
        self._host, self._port = host, port
        self._listener: Listener | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listens; the port is known afterwards, and kept if it is stopped and started again."""
        listener = Listener(web.Server(self._handle, access_log=None), self._host, self._port)
        try:
            await listener.open()
        except OSError:
            await listener.close()
            raise
        self._listener, self._port = listener, listener.port

    async def stop(self) -> None:
        """Ends every connection and frees the port."""
        if self._listener is not None:
            listener, self._listener = self._listener, None
            await listener.close()

    async def refuse(self, seconds: float | None = None) -> None:
        """Resets every connection and refuses new ones, for so long or until `accept`."""
        if self._listener is not None:
            await self._listener.refuse(seconds)

    async def accept(self) -> None:
        """Lets clients in again after `refuse`."""
        if self._listener is not None:
            await self._listener.open()

    @property
    def url(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    def environment(self) -> dict[str, str]:
        """What an AWS client needs in its environment to talk to this fleet and nothing else."""
        enabled = self.fleet.accounts[0].enabled_regions if self.fleet.accounts else ()
        return environment(self.url, "us-east-1" if "us-east-1" in enabled or not enabled else enabled[0])

    def now(self) -> float:
        """The time by the service's clock, in seconds since the epoch."""
        return self.clock() + self.fleet.clock_skew_seconds

    @property
    def requests(self) -> Counter[CallKey]:
        return self._counters.requests

    @property
    def mismatches(self) -> int:
        return self._counters.mismatches

    @property
    def log(self) -> deque[tuple[str, str, str, str, int]]:
        return self._counters.log

    @property
    def sessions(self) -> Mapping[str, Principal]:
        """The sessions that STS has issued, by the ids of their keys."""
        return self.backend.credentials.sessions

    def refresh(self) -> None:
        """Takes in changes made to the fleet since the start."""
        self.backend.refresh()

    def count(self, operation: str = "*", account: str = "*", region: str = "*", service: str = "*") -> int:
        """How many calls came, by names or globs."""
        return self._counters.count((service, operation, account, region))

    def stats(self) -> dict[str, Any]:
        """All counts, as JSON has them; `calls` holds one entry for each kind of call, target by target."""
        return {
            "total": self.requests.total(),
            "mismatches": self.mismatches,
            "throttled": self.limits.throttled,
            "faults": dict(self.faults.hits),
            "calls": self._counters.calls(),
        }

    def reset(self) -> None:
        """Counts from zero again; rules, buckets and credentials stay as they are."""
        self._counters.reset()
        self.faults.hits.clear()
        self.limits.throttled = 0

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        if request.path.startswith(PREFIX):
            return send_whole(control(self, self._host, request.method, request.path, request.headers, body))
        response, fault = self._handler.handle(request, body)
        # A fault may have set it: a clock that is wrong is wrong in the header too.
        response.headers.setdefault("Date", formatdate(self.now(), usegmt=True))
        if fault is not None and fault.kind == "refuse":
            await self.refuse(fault.seconds)
        if fault is not None and fault.kind in CONNECTION_KINDS:
            return await send_broken(fault, request, response)
        return send_whole(response)


def announce(emulator: Emulator) -> None:
    """Prints the address: the one line that callers wait for."""
    print(emulator.url, flush=True)  # noqa: T201 - a command's own message


def serve(
    fleet: Fleet,
    host: str = "127.0.0.1",
    port: int = 0,
    ready: Callable[[Emulator], None] = announce,
) -> None:
    """Serves until SIGINT or SIGTERM; `ready` is called as soon as clients may come.

    Raises OSError if the port is taken.
    """
    asyncio.run(_serve(Emulator(fleet, port, host=host), ready))


async def _serve(emulator: Emulator, ready: Callable[[Emulator], None]) -> None:
    ended = asyncio.Event()
    async with emulator:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        ready(emulator)
        await ended.wait()
