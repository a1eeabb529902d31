"""Which function answers which operation of which service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..protocol.errors import unknown_operation, unsupported_parameter
from . import account, ec2, organizations, storage_gateway, sts, tagging, web_identity
from .request import Operation, Request

SERVICES: Mapping[str, Mapping[str, Operation]] = {
    "storagegateway": storage_gateway.OPERATIONS,
    "sts": {**sts.OPERATIONS, **web_identity.OPERATIONS},
    "organizations": organizations.OPERATIONS,
    "account": account.OPERATIONS,
    "ec2": ec2.OPERATIONS,
    "tagging": tagging.OPERATIONS,
}


def perform(request: Request) -> dict[str, Any]:
    """The result of a call; ServiceError for an operation or a parameter that the emulator does not have."""
    operation = SERVICES.get(request.service.name, {}).get(request.operation)
    if operation is None:
        raise unknown_operation(request.service, request.operation)
    for name in request.params:
        # The query protocol flattens lists: Tags.member.1.Key.
        if name.partition(".")[0] not in operation.parameters:
            raise unsupported_parameter(request.service, request.operation, name.partition(".")[0])
    return operation.handler(request)
