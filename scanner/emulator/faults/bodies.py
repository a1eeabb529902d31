"""Faults that answer with a body that is none of the service's."""

from __future__ import annotations

from collections.abc import Callable

from ..fleets.faults import Fault
from ..protocol.errors import ServiceError
from ..protocol.serializer import HttpResponse, serialize_error
from ..services.request import Request

_HTML = b"<html><head><title>Proxy</title></head><body><h1>It works, somehow</h1></body></html>"


def _server_error(fault: Fault, request: Request, request_id: str) -> HttpResponse:
    status = fault.status or 503
    headers = {"x-amzn-RequestId": request_id}
    if fault.body == "html":
        return HttpResponse(status, _HTML, "text/html", headers)
    if fault.body == "empty":
        return HttpResponse(status, b"", headers=headers)
    error = ServiceError(fault.code or "InternalFailure", fault.message or "Try again.", status)
    return serialize_error(request.service, error, request_id)


def _html(fault: Fault, request: Request, request_id: str) -> HttpResponse:
    return HttpResponse(200, _HTML, "text/html", {})


def _empty(fault: Fault, request: Request, request_id: str) -> HttpResponse:
    return HttpResponse(200, b"", headers={"x-amzn-RequestId": request_id})


def _other_shape(fault: Fault, request: Request, request_id: str) -> HttpResponse:
    text = fault.body if fault.body is not None else '{"status": "ok", "items": []}'
    return HttpResponse(200, text.encode(), headers={"x-amzn-RequestId": request_id})


KINDS: dict[str, Callable[[Fault, Request, str], HttpResponse]] = {
    "server_error": _server_error,
    "html": _html,
    "empty": _empty,
    "other_shape": _other_shape,
}
