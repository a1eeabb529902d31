"""Whatever an answer holds, it is an answer or a failure of its call; never a defect, and never the end of a scan."""

import json
import random
from typing import Any

import pytest
from aiohttp import web

from scanner import Scanner
from scanner.emulator import Emulator
from scanner.inventory.records import FailureKind

from .scans import account, config, environment, fleet, gateway

ODD: list[Any] = [
    None, True, -1, 0, 1e308, float("nan"), float("inf"), 2**63, 10**400, "", "\ud800", "text", [], [None], {},
    {"a": {}},
    "2026-11-24T07:00:00", "0001-01-01T00:00:00+14:00", "arn:aws:storagegateway:us-east-1:222233334444:gateway/sgw-1",
]  # fmt: skip
KEYS = [
    "Gateways", "Marker", "GatewayARN", "GatewayName", "GatewayType", "VolumeRecoveryPointInfos", "VolumeARN",
    "VolumeSizeInBytes", "VolumeRecoveryPointTime", "__type", "message", "error", "errorCode", "errorDetails",
    "VolumeInfos", "CachediSCSIVolumes", "CreatedDate", "Tags", "Key", "Value", "ResourceTagMappingList",
]  # fmt: skip
HEADERS = {
    "Date": [
        "Wed, 26 Nov 2026 07:28:00",
        "Mon, 01 Jan 0001 00:00:00 +1400",
        "soon",
        "Thu, 26 Nov 2026 06:00:00 -0000",
    ],
    "Retry-After": ["1e0", "-1", "Wed, 26 Nov 2025 07:28:00", "Mon, 01 Jan 0001 00:00:00 +1400"],
    "x-amzn-RequestId": ["\u00ff\u00fe", "r" * 5000],
    "x-amzn-ErrorType": ["Odd#Odd:Odd", ""],
}
XML = [
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><Expiration>{}</Expiration></Credentials></AssumeRoleResult>"
    "</AssumeRoleResponse>",
    "<ErrorResponse><Error>{}</Error></ErrorResponse>",
    "<ErrorResponse><Error><Code>{}</Code></Error><ResponseMetadata>x</ResponseMetadata></ErrorResponse>",
    "<html><Code>{}</Code></html>",
]


def value(dice: random.Random, depth: int = 0) -> Any:
    if depth > 3 or dice.random() < 0.4:
        return dice.choice(ODD)
    if dice.random() < 0.3:
        return [value(dice, depth + 1) for _ in range(dice.randrange(3))]
    return {dice.choice(KEYS): value(dice, depth + 1) for _ in range(dice.randrange(5))}


def body(dice: random.Random, xml: bool) -> bytes:
    if dice.random() < 0.1:
        return dice.choice([b"", b"\xff\xfe", b"[" * 20_000, b"{}", b"null", b"<html>"])
    if xml:
        filling = dice.choice(["1e400", "soon", "<a>" * 3000 + "</a>" * 3000, "x", "<Code>x</Code>", "&"])
        return dice.choice(XML).format(filling).encode()
    return json.dumps(value(dice)).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("service", ["STORAGE_GATEWAY", "STS", "ACCOUNT", "RESOURCE_GROUPS_TAGGING_API"])
async def test_no_answer_ends_a_scan(service: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(f"{service} {seed}")
    asked = 0

    async def answer(request: web.BaseRequest) -> web.Response:
        nonlocal asked
        asked += 1
        # Now and then what is asked for, or nothing further would ever be asked.
        if service == "STORAGE_GATEWAY" and "ListGateways" in request.headers.get("X-Amz-Target", ""):
            arn = "arn:aws:storagegateway:us-east-1:222233334444:gateway/sgw-{:08X}"
            entries = [{"GatewayARN": arn.format(number), "GatewayType": "CACHED"} for number in range(40)]
            return web.json_response({"Gateways": [*entries, value(dice)]})
        headers = {name: dice.choice(choices) for name, choices in HEADERS.items() if dice.random() < 0.4}
        status = dice.choice([200, 200, 200, 400, 403, 500, 503])
        return web.Response(status=status, body=body(dice, service == "STS"), headers=headers)

    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with Emulator(fleet(gateway(1), gateway(2))) as emulator:
            environment(emulator, monkeypatch)
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", f"http://127.0.0.1:{runner.addresses[0][1]}")
            details = ["gateway", "volumes", "tags"]
            settings = config(
                account(regions="enabled"),
                scan={"details": details, "deadline": "20s"},
                retry={"max_attempts": 1},
            )
            async with Scanner(settings) as scanner:
                found = await scanner.scan()
    finally:
        await runner.cleanup()
    assert asked
    assert found.model_dump_json().encode()
    assert all(failure.kind in FailureKind for failure in found.failures)
