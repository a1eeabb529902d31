"""How each kind of fault answers: errors under every name, pages that lie, bodies that are no answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

from .errors import EXPIRED, NOT_A_CLIENT, AuthenticationError, GatewayError, ServiceError, denied, throttled
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
        return _with_retry_after(fault, _RAW[fault.kind](fault, call, request_id))
    if fault.kind in _ERRORS:
        error = _ERRORS[fault.kind](fault, call)
        if isinstance(error, AuthenticationError):
            error = refusal(call.service, error)
        reply = _with_retry_after(fault, failure(call.service, error, request_id))
        if fault.kind == "wrong_clock":
            reply.headers["Date"] = formatdate(call.now + fault.seconds, usegmt=True)
        return reply
    if fault.kind in _RESULTS:
        result = _RESULTS[fault.kind](fault, call, perform)
        return success(call.service, call.operation, result, request_id)
    return success(call.service, call.operation, perform(call), request_id)


def _with_retry_after(fault: Fault, reply: Reply) -> Reply:
    if fault.retry_after is not None:
        reply.headers["Retry-After"] = fault.retry_after
    return reply


def _named(fault: Fault, error: ServiceError) -> ServiceError:
    """The error with what the rule says about it instead of its own words."""
    return ServiceError(
        fault.code or error.code,
        fault.message or error.message,
        fault.status or error.status,
        inner=fault.inner or error.inner,
    )


def _throttle(fault: Fault, call: Call) -> ServiceError:
    own = throttled(call.service)
    return _named(fault, ServiceError(own.code, own.message, THROTTLES.get(fault.code or "", own.status)))


def _error(fault: Fault, call: Call) -> ServiceError:
    return _named(fault, ServiceError("InternalFailure", "Something went wrong."))


def _inner(fault: Fault, call: Call) -> ServiceError:
    return _named(fault, GatewayError(fault.inner or "InternalError"))


def _vanished(fault: Fault, call: Call) -> ServiceError:
    return _named(fault, GatewayError("GatewayNotFound"))


def _access_denied(fault: Fault, call: Call) -> ServiceError:
    action = f"{call.service}:{call.operation}"
    reason = f"because no identity-based policy allows the {action} action"
    return _named(fault, denied(call.service, call.caller.arn, action, "*", reason))


def _expired_token(fault: Fault, call: Call) -> AuthenticationError:
    # The session is really over: who asks again with the same token learns nothing else.
    if call.caller.expires_at is not None:
        call.caller.expires_at = call.now
    return AuthenticationError("expired", EXPIRED)


def _not_enabled(fault: Fault, call: Call) -> AuthenticationError:
    return AuthenticationError("unknown", NOT_A_CLIENT)


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
    "not_enabled": _not_enabled,
    "wrong_clock": _wrong_clock,
}


def _server_error(fault: Fault, call: Call, request_id: str) -> Reply:
    status = fault.status or 503
    headers = {"x-amzn-RequestId": request_id}
    if fault.body == "html":
        return Reply(status, _HTML, "text/html", headers)
    if fault.body == "empty":
        return Reply(status, b"", headers=headers)
    error = ServiceError(fault.code or "InternalFailure", fault.message or "Try again.", status)
    return failure(call.service, error, request_id)


def _html(fault: Fault, call: Call, request_id: str) -> Reply:
    return Reply(200, _HTML, "text/html", {})


def _empty(fault: Fault, call: Call, request_id: str) -> Reply:
    return Reply(200, b"", headers={"x-amzn-RequestId": request_id})


def _other_shape(fault: Fault, call: Call, request_id: str) -> Reply:
    text = fault.body if fault.body is not None else '{"status": "ok", "items": []}'
    return Reply(200, text.encode(), headers={"x-amzn-RequestId": request_id})


_RAW: dict[str, Callable[[Fault, Call, str], Reply]] = {
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
    result = _records(perform(call), lambda _: [])
    # The marker leads to where this page would have begun: nothing is lost for a client that goes on.
    position = call.world.unseal(marker, call.bound) if marker else None
    return {**result, name: call.world.seal(position or "", call.bound)}


def _records(result: Mapping[str, Any], change: Callable[[list[Any]], Any]) -> dict[str, Any]:
    """The result with every list of records changed."""
    return {key: change(value) if isinstance(value, list) else value for key, value in result.items()}


def _duplicate(fault: Fault, call: Call, perform: Perform) -> dict[str, Any]:
    return _records(perform(call), lambda records: records + records)


def _foreign_account(fault: Fault, call: Call, perform: Perform) -> dict[str, Any]:
    own, other = f":{call.account_id}:", f":{fault.other or '999999999999'}:"
    return _records(perform(call), lambda records: json.loads(json.dumps(records).replace(own, other)))


def _foreign_region(fault: Fault, call: Call, perform: Perform) -> dict[str, Any]:
    own, other = f":{call.region}:", f":{fault.other or 'ap-south-2'}:"
    return _records(perform(call), lambda records: json.loads(json.dumps(records).replace(own, other)))


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
    "duplicate": _duplicate,
    "foreign_account": _foreign_account,
    "foreign_region": _foreign_region,
}
