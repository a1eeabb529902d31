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


async def refusal(emulator: Emulator, service: str, operation: str, name: str) -> str:
    model = SUPPORTED[service]
    if model.protocol in ("query", "ec2"):
        body = urlencode({"Action": operation, "Version": model.version, f"{name}.1": "x"}).encode()
        asked = signed(emulator.url, service=service, target=None, body=body, content_type=FORM)
    else:
        target = f"{model.target_prefix}.{operation}" if model.target_prefix else None
        path = next(iter(model.routes), "/")
        asked = signed(
            emulator.url, service=service, target=target, path=path, body=json.dumps({name: "x"}).encode()
        )
    _, text = await send(*asked)
    return text.decode()


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
async def test_what_an_operation_does_not_honour_it_refuses(
    emulator: Emulator, service: str, operation: str
) -> None:
    known = wire_names(service, operation)
    honoured = SERVICES[service][operation].parameters
    assert honoured <= set(known)
    for name in {*known, "Colour"} - honoured:
        text = await refusal(emulator, service, operation, name)
        if operation != "AssumeRoleWithWebIdentity" or name != "Colour":
            assert f"does not support the parameter {name} of {operation}" in text
    for name in honoured:
        assert "does not support the parameter" not in await refusal(emulator, service, operation, name)
