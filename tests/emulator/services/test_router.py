"""A parameter is honoured or refused: none is ignored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import botocore.session
import pytest

from scanner.emulator import Account, Emulator, Fleet, background
from scanner.emulator.protocol.service_models import SUPPORTED
from scanner.emulator.services.router import SERVICES

from ..wire import FORM, send, signed

SESSION: Any = botocore.session.get_session()
SDK_NAMES = {"tagging": "resourcegroupstaggingapi"}
OPERATIONS = [(service, operation) for service in SERVICES for operation in SERVICES[service]]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with background(Fleet([Account("111111111111")])) as running:
        yield running


def wire_names(service: str, operation: str) -> list[str]:
    """The parameters of an operation in the SDK's model, by the names that they have on the wire."""
    model = SESSION.get_service_model(SDK_NAMES.get(service, service)).operation_model(operation)
    if model.input_shape is None:
        return []
    members = model.input_shape.members.items()
    if service != "ec2":
        return [name for name, _ in members]
    return [
        shape.serialization.get("queryName")
        or (shape.serialization.get("name", name)[:1].upper() + shape.serialization.get("name", name)[1:])
        for name, shape in members
    ]


async def call(emulator: Emulator, service: str, operation: str, params: dict[str, Any]) -> tuple[int, str]:
    """Status and text of the answer to a signed call in the service's own protocol."""
    model = SUPPORTED[service]
    if model.protocol in ("query", "ec2"):
        given = {name: str(value).encode("utf-8", "replace") for name, value in params.items()}
        body = urlencode({"Action": operation, "Version": model.version, **given}).encode()
        asked = signed(emulator.url, service=service, target=None, body=body, content_type=FORM)
    else:
        target = f"{model.target_prefix}.{operation}" if model.target_prefix else None
        path, body = next(iter(model.routes), "/"), json.dumps(params).encode()
        asked = signed(emulator.url, service=service, target=target, path=path, body=body)
    status, text = await send(*asked)
    return status, text.decode()


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
async def test_what_an_operation_does_not_honour_it_refuses(
    emulator: Emulator, service: str, operation: str
) -> None:
    known = wire_names(service, operation)
    honoured = SERVICES[service][operation].parameters
    assert honoured <= set(known)
    for name in {*known, "Colour"}:
        # A list of the query protocol comes flattened, a number to each member.
        sent = f"{name}.1" if SUPPORTED[service].protocol in ("query", "ec2") else name
        _, text = await call(emulator, service, operation, {sent: "x"})
        refused = f"does not support the parameter {name} of {operation}" in text
        assert refused == (name not in honoured), (name, text)


ARN = "arn:aws:storagegateway:us-east-1:111111111111:gateway/sgw-12A3456B"
SCALARS: list[Any] = [None, True, 7, -1, 1.5, 10**30, "", "x", "x" * 60, "\ud800", f"{ARN}:x"]
ODD = [*SCALARS, f"{ARN}/volume/vol-1122AABB", [], [7], ["x"], [[]], [ARN, 7], {}, {"x": []}]


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
async def test_an_odd_parameter_is_an_error_of_the_service_and_no_crash(
    emulator: Emulator, service: str, operation: str
) -> None:
    honoured = SERVICES[service][operation].parameters
    others = {"GatewayARN": ARN} if "GatewayARN" in honoured else {}
    for name in honoured:
        for value in ODD:
            status, text = await call(emulator, service, operation, {**others, name: value})
            assert status < 500, (name, value, text)
