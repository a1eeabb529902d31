"""Ways into an account as the SDK knows them, beside an account whose way is good."""

import hashlib
import json
import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from botocore.credentials import SSOProvider
from botocore.tokens import SSOTokenProvider

from scanner import Inventory, Scanner
from scanner.emulator import Account, Emulator, Fleet, Key, Role
from scanner.inventory.records import Failure, FailureKind, FailureScope, TargetStatus
from tests.emulator.clients import assume, in_thread

from .scans import HUB, PROD, REGION, config, environment, gateway

LAB = "333344445555"
KEY, SECRET = "AKIAPRODPRODPRODPROD", "hush-of-prod"
STATIC = f"aws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"
HEALTHY = "[profile lab]\naws_access_key_id = AKIALABLABLABLABLAB\naws_secret_access_key = hush-of-lab\n"
ROLE = f"arn:aws:iam::{PROD}:role/scan"
PAST, FUTURE = "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
HUSH = "hush"
"""Every secret of these tests holds this word, and nothing else does."""


def fleet() -> Fleet:
    return Fleet(
        [
            Account(HUB, "hub", (REGION,)),
            Account(
                PROD,
                "prod",
                (REGION,),
                [gateway(1)],
                [Role("scan"), Role("guarded", external_id="hush-right-id")],
                [Key(KEY, SECRET)],
            ),
            Account(LAB, "lab", (REGION,), [gateway(2)], keys=[Key("AKIALABLABLABLABLAB", "hush-of-lab")]),
        ]
    )


@dataclass
class Ground:
    """A running emulator, a home folder, and an environment that leads there only."""

    emulator: Emulator
    folder: Path
    patch: pytest.MonkeyPatch

    def write(self, name: str, text: str) -> str:
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return str(place)

    def signed_in(self, name: str, expires: str, **more: str) -> None:
        """What `aws sso login` leaves behind for an SSO session, or for a start URL."""
        token = {"accessToken": "hush-token", "expiresAt": expires, "region": REGION, **more}
        self.write(f"sso/{hashlib.sha1(name.encode()).hexdigest()}.json", json.dumps(token))

    async def issued(self) -> dict[str, str]:
        """Temporary keys of the account."""
        return await in_thread(lambda: assume(self.emulator, ROLE))

    def without_keys(self) -> None:
        """Leaves the base identity to the rest of the SDK's chain."""
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            self.patch.delenv(name)

    async def scan(self, profiles: str = "", *, timeout: str = "20s", **way: str) -> Inventory:
        """One scan of the account by the profile `prod`, or by `way`, and of the healthy one beside it."""
        self.patch.setenv("AWS_CONFIG_FILE", self.write("config", HEALTHY + profiles))
        settings = config(
            {"id": PROD, **(way or {"profile": "prod"})},
            {"id": LAB, "profile": "lab"},
            scan={"call_timeout": timeout},
        )
        async with Scanner(settings) as scanner:
            return await scanner.scan()


@asynccontextmanager
async def ground(folder: Path, patch: pytest.MonkeyPatch) -> AsyncIterator[Ground]:
    for name in list(os.environ):
        if name.startswith("AWS_"):
            patch.delenv(name)
    for provider in (SSOProvider, SSOTokenProvider):
        patch.setattr(provider, "_SSO_TOKEN_CACHE_DIR", str(folder / "sso"))
    async with Emulator(fleet()) as emulator:
        environment(emulator, patch)
        yield Ground(emulator, folder, patch)


def opened(found: Inventory) -> None:
    """Both accounts were scanned completely."""
    assert not found.failures
    assert {target.account_id for target in found.targets} == {PROD, LAB}
    assert [volume.account_id for volume in found.volumes] == [PROD, LAB]


def refused(found: Inventory, cause: str, remedy: str) -> Failure:
    """The account failed once, at its credentials, told why and what to do; the other one was scanned."""
    (failure,) = found.failures
    assert (failure.scope, failure.kind) == (FailureScope.ACCOUNT, FailureKind.CREDENTIALS)
    assert (failure.account_id, failure.operation, failure.attempts) == (PROD, "GetCredentials", 0)
    assert re.search(f"(?s){cause}", failure.message), failure.message
    assert re.search(f"(?s){remedy}", failure.remedy or ""), failure.remedy
    statuses = {target.account_id: target.status for target in found.targets}
    assert statuses == {PROD: TargetStatus.FAILED, LAB: TargetStatus.COMPLETE}
    assert [volume.account_id for volume in found.volumes] == [LAB]
    assert HUSH not in found.model_dump_json()
    return failure


@dataclass
class Loopback:
    """Answers on loopback by path, as agents beside a container or on an instance do."""

    answers: Mapping[str, Any]
    url: str = ""
    tokens: list[str | None] = field(default_factory=list)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.tokens.append(request.headers.get("Authorization"))
        answer = self.answers.get(request.path)
        if isinstance(answer, tuple):
            status, code = answer
            return web.json_response({"message": "go"}, status=status, headers={"x-amzn-ErrorType": code})
        if isinstance(answer, str):
            return web.Response(text=answer)
        return web.json_response(answer, status=404 if answer is None else 200)


@asynccontextmanager
async def loopback(answers: Mapping[str, Any]) -> AsyncIterator[Loopback]:
    server = Loopback(answers)
    runner = web.ServerRunner(web.Server(server), shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()
