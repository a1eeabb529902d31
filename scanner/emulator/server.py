"""The endpoint: one port on loopback for every service, Region and account."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable
from email.utils import formatdate
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from . import organizations, regions, sigv4, storage_gateway, sts, tagging, trouble
from .buckets import Limits
from .delivery import deliver, whole
from .errors import NOT_A_CLIENT, AuthenticationError, ServiceError
from .faults import DELIVERIES, Fault, Faults
from .fleet import Fleet
from .wire import Asked, Reply, failure, refusal, success, understand
from .world import BASE_KEY, BASE_SECRET, Call, World

SERVICES: dict[str, dict[str, Callable[[Call], dict[str, Any]]]] = {
    "storagegateway": storage_gateway.OPERATIONS,
    "sts": sts.OPERATIONS,
    "organizations": organizations.OPERATIONS,
    "account": regions.ACCOUNT_OPERATIONS,
    "ec2": regions.EC2_OPERATIONS,
    "tagging": tagging.OPERATIONS,
}


class Emulator:
    """Serves a fleet to any AWS client: `async with Emulator(fleet) as emulator: ... emulator.url`.

    `requests` counts calls by (service, operation, account, region), refused and throttled ones too;
    `mismatches` counts those whose credentials were mixed up: a wrong signature, a token of another key,
    an ARN of another account. `clock` gives seconds since the epoch.
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
        self.world = World(self.fleet, clock())
        self.faults = Faults(self.fleet.faults)
        self.limits = Limits(self.fleet.throttle, time.monotonic)
        self._host, self._port = host, port
        self._runner: web.ServerRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listens; the port is known afterwards."""
        server = web.Server(self._handle, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port, backlog=1024)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self._port}"

    def environment(self) -> dict[str, str]:
        """What an AWS client needs in its environment to talk to this fleet and nothing else."""
        enabled = self.fleet.accounts[0].enabled_regions if self.fleet.accounts else ()
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": BASE_KEY,
            "AWS_SECRET_ACCESS_KEY": BASE_SECRET,
            "AWS_DEFAULT_REGION": "us-east-1" if "us-east-1" in enabled or not enabled else enabled[0],
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    def refresh(self) -> None:
        """Takes in changes made to the fleet since the start."""
        self.world.refresh()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        asked = understand(request.method, request.path, request.headers, body)
        reply, fault = self._answer(request, asked, body)
        # A fault may have set it: a clock that is wrong is wrong in the header too.
        reply.headers.setdefault("Date", formatdate(self.clock(), usegmt=True))
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
        claim = sigv4.read(request.headers)
        who[1] = claim.region
        now = self.clock()
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
        arn = call.params.get("GatewayARN")
        if isinstance(arn, str) and arn.count(":") >= 5 and arn.split(":")[4] != caller.account_id:
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


def serve(fleet: Fleet, host: str = "127.0.0.1", port: int = 0) -> None:
    """Serves until interrupted; prints one line with the address as soon as clients may come."""
    asyncio.run(_serve(fleet, host, port))


async def _serve(fleet: Fleet, host: str, port: int) -> None:
    async with Emulator(fleet, port, host=host) as emulator:
        print(emulator.url, flush=True)  # noqa: T201 - the one line that callers wait for
        await asyncio.Event().wait()
