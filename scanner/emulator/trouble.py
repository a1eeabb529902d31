"""How each kind of fault answers: errors under every name, pages that lie, bodies that are no answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

from .errors import AuthenticationError, GatewayError, ServiceError
from .faults import THROTTLES, Fault
from .wire import Reply, failure, refusal, success
from .world import Call

_HTML = b"<html><head><title>Proxy</title></head><body><h1>It works, somehow</h1></body></html>"
_MARKERS = {
    "storagegateway": "Marker",
    "organizations": "NextToken",
    "account": "NextToken",
    "tagging": "PaginationToken",
}
Perform = Callable[[Call], Mapping[str, Any]]


def answer(fault: Fault, call: Call, perform: Perform, request_id: str) -> Reply:
    """The answer that the fault makes of a call."""
    if fault.kind in _RAW:
        return _RAW[fault.kind](fault, request_id)
    if fault.kind in _ERRORS:
        error = _ERRORS[fault.kind](fault, call)
        if isinstance(error, AuthenticationError):
            reply = failure(call.service, refusal(call.service, error), request_id)
        else:
            reply = failure(call.service, error, request_id)
        if fault.kind == "wrong_clock":
            reply.headers["Date"] = formatdate(call.now + fault.seconds, usegmt=True)
        return reply
    if fault.kind in _RESULTS:
        result = _RESULTS[fault.kind](fault, call, perform)
        return success(call.service, call.operation, result, request_id)
    return success(call.service, call.operation, perform(call), request_id)


def _throttle(fault: Fault, call: Call) -> ServiceError:
    code = fault.code or "ThrottlingException"
    status = fault.status or THROTTLES.get(code, 400)
    headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
    return ServiceError(code, fault.message or "Rate exceeded", status, headers=headers)


def _error(fault: Fault, call: Call) -> ServiceError:
    code = fault.code or "InternalFailure"
    return ServiceError(
        code, fault.message or "Something went wrong.", fault.status or 400, inner=fault.inner
    )


def _inner(fault: Fault, call: Call) -> ServiceError:
    return GatewayError(fault.inner or "InternalError", fault.message, fault.status or 400)


def _vanished(fault: Fault, call: Call) -> ServiceError:
    return GatewayError("GatewayNotFound", fault.message, fault.status or 400)


def _access_denied(fault: Fault, call: Call) -> ServiceError:
    action = f"{call.service}:{call.operation}"
    message = (
        f"User: {call.caller.arn} is not authorized to perform: {action} on resource: * "
        f"because no identity-based policy allows the {action} action"
    )
    return ServiceError(fault.code or "AccessDeniedException", fault.message or message, fault.status or 400)


def _expired_token(fault: Fault, call: Call) -> AuthenticationError:
    return AuthenticationError("expired", "The security token included in the request is expired")


def _wrong_clock(fault: Fault, call: Call) -> AuthenticationError:
    def stamp(seconds: float) -> str:
        return f"{datetime.fromtimestamp(call.now + seconds, UTC):%Y%m%dT%H%M%SZ}"

    here = fault.seconds
    return AuthenticationError(
        "signature",
        f"Signature expired: {stamp(0)} is now earlier than {stamp(here - 300)} ({stamp(here)} - 5 min.)",
    )


_ERRORS: dict[str, Callable[[Fault, Call], ServiceError | AuthenticationError]] = {
    "throttle": _throttle,
    "error": _error,
    "inner": _inner,
    "vanished": _vanished,
    "access_denied": _access_denied,
    "expired_token": _expired_token,
    "wrong_clock": _wrong_clock,
}


def _server_error(fault: Fault, request_id: str) -> Reply:
    status = fault.status or 503
    headers = {"x-amzn-RequestId": request_id}
    if fault.retry_after is not None:
        headers["Retry-After"] = fault.retry_after
    if fault.body == "html":
        return Reply(status, _HTML, "text/html", headers)
    if fault.body == "empty":
        return Reply(status, b"", headers=headers)
    content = {"__type": fault.code or "InternalFailure", "message": fault.message or "Try again."}
    return Reply(status, json.dumps(content).encode(), headers=headers)


def _html(fault: Fault, request_id: str) -> Reply:
    return Reply(200, _HTML, "text/html", {})


def _empty(fault: Fault, request_id: str) -> Reply:
    return Reply(200, b"", headers={"x-amzn-RequestId": request_id})


def _other_shape(fault: Fault, request_id: str) -> Reply:
    text = fault.body if fault.body is not None else '{"status": "ok", "items": []}'
    return Reply(200, text.encode(), headers={"x-amzn-RequestId": request_id})


_RAW: dict[str, Callable[[Fault, str], Reply]] = {
    "server_error": _server_error,
    "html": _html,
    "empty": _empty,
    "other_shape": _other_shape,
}


def _own_marker(call: Call) -> tuple[str, str | None]:
    name = _MARKERS.get(call.service, "NextToken")
    return name, call.params.get(name)


def _first_page(call: Call, perform: Perform, name: str) -> dict[str, Any]:
    call.params = {key: value for key, value in call.params.items() if key != name}
    return dict(perform(call))


def _repeat_marker(fault: Fault, call: Call, perform: Perform) -> dict[str, Any]:
    name, _ = _own_marker(call)
    return {**_first_page(call, perform, name), name: "the-same-marker-again"}


def _endless_markers(fault: Fault, call: Call, perform: Perform) -> dict[str, Any]:
    name, marker = _own_marker(call)
    number = int(marker.rpartition("-")[2]) + 1 if marker and marker.startswith("endless-") else 1
    return {**_first_page(call, perform, name), name: f"endless-{number}"}


def _empty_page(fault: Fault, call: Call, perform: Perform) -> dict[str, Any]:
    name, marker = _own_marker(call)
    result = {key: [] if isinstance(value, list) else value for key, value in perform(call).items()}
    # The marker leads to where this page would have begun: nothing is lost for a client that goes on.
    binding = call.binding(_extra(call))
    position = call.world.unseal(marker, binding) if marker else None
    return {**result, name: call.world.seal(position or "", binding)}


def _extra(call: Call) -> str:
    return str(call.params.get("GatewayARN") or call.params.get("ResourceARN") or "")


def _mutate(fault: Fault, call: Call, perform: Perform) -> Any:
    result = json.loads(json.dumps(perform(call)))
    for path in fault.remove:
        _walk(result, path.split("."), None, remove=True)
    for path, value in fault.patch.items():
        _walk(result, path.split("."), value)
    return result if fault.change is None else fault.change(result)


def _walk(node: Any, path: list[str], value: Any, *, remove: bool = False) -> None:
    """Sets or removes what a path names; `*` is every element, a number one of them."""
    step, rest = path[0], path[1:]
    if isinstance(node, list):
        keys: list[Any] = list(range(len(node))) if step == "*" else [int(step)]
        keys = [key for key in keys if key < len(node)]
    elif isinstance(node, dict):
        keys = list(node) if step == "*" else [step]
    else:
        return
    for key in reversed(keys):
        if rest:
            if isinstance(node, list) or key in node:
                _walk(node[key], rest, value, remove=remove)
        elif not remove:
            node[key] = value
        elif isinstance(node, list) or key in node:
            del node[key]


_RESULTS: dict[str, Callable[[Fault, Call, Perform], Any]] = {
    "repeat_marker": _repeat_marker,
    "endless_markers": _endless_markers,
    "empty_page": _empty_page,
    "mutate": _mutate,
}
