"""The response that a fault makes of a call."""

from __future__ import annotations

from ..fleets.faults import Fault
from ..protocol.serializer import HttpResponse, serialize
from ..services.request import Request
from . import bodies, errors, records
from .records import Perform


def respond(fault: Fault, request: Request, perform: Perform, request_id: str) -> HttpResponse:
    """The response to a call that a fault has hit; ServiceError as `perform` raises it."""
    if fault.kind in records.KINDS:
        result = records.KINDS[fault.kind](fault, request, perform)
        return serialize(request.service, request.operation, result, request_id)
    if fault.kind in bodies.KINDS:
        response = bodies.KINDS[fault.kind](fault, request, request_id)
    elif fault.kind in errors.KINDS:
        response = errors.respond(fault, request, request_id)
    else:
        # The remaining kinds differ only on the way to the client.
        return serialize(request.service, request.operation, perform(request), request_id)
    if fault.retry_after is not None:
        response.headers["Retry-After"] = fault.retry_after
    return response
