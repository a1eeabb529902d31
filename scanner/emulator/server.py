"""The endpoint: one port on loopback for every service, Region and account."""

from __future__ import annotations

import asyncio
import signal
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable
from email.utils import formatdate
from fnmatch import fnmatchcase
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from . import organizations, regions, sigv4, storage_gateway, sts, tagging, trouble, web_identity
from .buckets import Limits
from .control import PREFIX, control
from .delivery import deliver, whole
from .door import Door
from .errors import NOT_A_CLIENT, AuthenticationError, ServiceError
from .faults import DELIVERIES, Fault, Faults, gateway_of
from .fleet import Fleet
from .wire import Asked, Reply, failure, refusal, success, understand
from .world import BASE_KEY, BASE_SECRET, Call, World

SERVICES: dict[str, dict[str, Callable[[Call], dict[str, Any]]]] = {
    "storagegateway": storage_gateway.OPERATIONS,
    "sts": {**sts.OPERATIONS, web_identity.OPERATION: web_identity.assume_role_with_web_identity},
    "organizations": organizations.OPERATIONS,
    "account": regions.ACCOUNT_OPERATIONS,
    "ec2": regions.EC2_OPERATIONS,
    "tagging": tagging.OPERATIONS,
}


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
        self.requests: Counter[tuple[str, str, str, str]] = Counter()
        self.log: deque[tuple[str, str, str, str, int]] = deque(maxlen=log_size)
        self.mismatches = 0
        self.world = World(self.fleet, self.now())
        self.faults = Faults(self.fleet.faults)
        self.limits = Limits(self.fleet.throttle, time.monotonic)
        self._host, self._port = host, port
        self._door: Door | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listens; the port is known afterwards, and kept if it is stopped and started again."""
        door = Door(web.Server(self._handle, access_log=None), self._host, self._port)
        try:
            await door.open()
        except OSError:
            await door.close()
            raise
        self._door, self._port = door, door.port

    async def stop(self) -> None:
        """Ends every connection and gives the port away."""
        if self._door is not None:
            door, self._door = self._door, None
            await door.close()

    async def refuse(self, seconds: float | None = None) -> None:
        """Resets every connection and refuses new ones, for so long or until `accept`."""
        if self._door is not None:
            await self._door.shut(seconds)

    async def accept(self) -> None:
        """Lets clients in again after `refuse`."""
        if self._door is not None:
            await self._door.open()

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self._port}"

    def environment(self) -> dict[str, str]:
        """What an AWS client needs in its environment to talk to this fleet and nothing else."""
        enabled = self.fleet.accounts[0].enabled_regions if self.fleet.accounts else ()
        return environment(self.url, "us-east-1" if "us-east-1" in enabled or not enabled else enabled[0])

    def now(self) -> float:
        """The time by the service's clock, in seconds since the epoch."""
        return self.clock() + self.fleet.clock_skew_seconds

    def refresh(self) -> None:
        """Takes in changes made to the fleet since the start."""
        self.world.refresh()

    def count(self, operation: str = "*", account: str = "*", region: str = "*", service: str = "*") -> int:
        """How many calls came, by names or globs."""
        wanted = (service, operation, account, region)
        return sum(
            number
            for names, number in self.requests.items()
            if all(fnmatchcase(name, pattern) for name, pattern in zip(names, wanted, strict=True))
        )

    def stats(self) -> dict[str, Any]:
        """All counts, as JSON has them; `calls` holds one entry for each kind of call, target by target."""
        names = ("service", "operation", "account_id", "region")
        return {
            "total": self.requests.total(),
            "mismatches": self.mismatches,
            "throttled": self.limits.throttled,
            "faults": dict(self.faults.hits),
            "calls": [
                {**dict(zip(names, key, strict=True)), "count": number}
                for key, number in sorted(self.requests.items())
            ],
        }

    def reset(self) -> None:
        """Counts from zero again; rules, buckets and credentials stay as they are."""
        self.requests.clear()
        self.log.clear()
        self.faults.hits.clear()
        self.mismatches = self.limits.throttled = 0

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        if request.path.startswith(PREFIX):
            return whole(control(self, request.method, request.path, body))
        asked = understand(request.method, request.path, request.headers, body)
        reply, fault = self._answer(request, asked, body)
        # A fault may have set it: a clock that is wrong is wrong in the header too.
        reply.headers.setdefault("Date", formatdate(self.now(), usegmt=True))
        if fault is not None and fault.kind == "refuse":
            await self.refuse(fault.seconds)
        if fault is not None and fault.kind in DELIVERIES:
            return await deliver(fault, request, reply)
        return whole(reply)

    def _answer(self, request: web.BaseRequest, asked: Asked, body: bytes) -> tuple[Reply, Fault | None]:
        request_id = str(uuid.uuid4())
        who = ["", ""]
        fault = None
        try:
            call = self._authenticate(request, asked, body, who)
            self.limits.charge(asked.service, asked.operation, *who)
            fault = self.faults.strike(call)
            if fault is not None:
                reply = trouble.answer(fault, call, self._perform, request_id)
            else:
                reply = success(asked.service, asked.operation, self._perform(call), request_id)
        except AuthenticationError as error:
            reply = failure(asked.service, refusal(asked.service, error), request_id)
        except ServiceError as error:
            reply = failure(asked.service, error, request_id)
        self.requests[asked.service, asked.operation, who[0], who[1]] += 1
        if self.log.maxlen:
            self.log.append((asked.service, asked.operation, who[0], who[1], reply.status))
        return reply, fault

    def _authenticate(self, request: web.BaseRequest, asked: Asked, body: bytes, who: list[str]) -> Call:
        now = self.now()
        if web_identity.unsigned(asked):
            bearer = web_identity.call_of(self.world, asked, now)
            who[0] = bearer.account_id
            return bearer
        claim = sigv4.read(request.headers)
        who[1] = claim.region
        try:
            caller = self.world.caller(claim.key_id, claim.token, now)
        except AuthenticationError:
            # A known key with another key's token can only come from mixing the two up.
            known = claim.key_id in self.world.sessions or claim.key_id in self.world.keys
            self.mismatches += known and self._is_foreign(claim.key_id, claim.token)
            raise
        who[0] = caller.account_id
        sigv4.check_time(claim, now, 15 if asked.service == "sts" else 5)
        if claim.region not in self.world.regions:
            raise AuthenticationError("signature", "Credential should be scoped to a valid region. ")
        if claim.service != asked.service and asked.service != "unknown":
            raise AuthenticationError(
                "signature", f"Credential should be scoped to correct service: '{asked.service}'. "
            )
        try:
            sigv4.check_signature(
                claim, caller.secret, request.method, request.raw_path, request.headers, body
            )
        except AuthenticationError:
            self.mismatches += 1
            raise
        if not self.world.is_enabled(asked.service, caller.account_id, claim.region):
            raise AuthenticationError("unknown", NOT_A_CLIENT)
        if asked.params is None:
            raise ServiceError("SerializationException", "The request body is not a JSON object.")
        call = Call(self.world, asked.service, asked.operation, claim.region, caller, asked.params, now)
        arn = gateway_of(call) if asked.service == "storagegateway" else None
        if arn is not None and arn.count(":") >= 5 and arn.split(":")[4] != caller.account_id:
            self.mismatches += 1
        return call

    def _is_foreign(self, key_id: str, token: str | None) -> bool:
        own = (self.world.sessions.get(key_id) or self.world.keys[key_id]).token
        return own != token

    def _perform(self, call: Call) -> dict[str, Any]:
        operation = SERVICES.get(call.service, {}).get(call.operation)
        if operation is None:
            raise ServiceError(
                "InvalidAction" if call.service in ("sts", "ec2") else "UnknownOperationException",
                f"The action {call.operation} is not valid for this web service.",
            )
        return operation(call)


def environment(url: str, region: str) -> dict[str, str]:
    """What leads an AWS client to an emulator, as its base identity, and to nothing else."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": BASE_KEY,
        "AWS_SECRET_ACCESS_KEY": BASE_SECRET,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }


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
