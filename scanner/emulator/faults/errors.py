"""Faults that answer with an error, in the protocol of the service that was called."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate

from ..fleets.faults import THROTTLES, Fault
from ..protocol.errors import (
    EXPIRED,
    NOT_A_CLIENT,
    AuthenticationError,
    GatewayError,
    ServiceError,
    denied,
    throttled,
    unauthenticated,
)
from ..protocol.serializer import HttpResponse, serialize_error
from ..services.request import Request


def respond(fault: Fault, request: Request, request_id: str) -> HttpResponse:
    """The error that a fault of one of these kinds answers with."""
    error = KINDS[fault.kind](fault, request)
    if isinstance(error, AuthenticationError):
        error = unauthenticated(request.service, error)
    response = serialize_error(request.service, error, request_id)
    if fault.kind == "wrong_clock":
        response.headers["Date"] = formatdate(request.now + fault.seconds, usegmt=True)
    return response


def _override(fault: Fault, error: ServiceError) -> ServiceError:
    """The error with the code, message and status that the rule gives."""
    return ServiceError(
        fault.code or error.code,
        fault.message or error.message,
        fault.status or error.status,
        inner=fault.inner or error.inner,
    )


def _throttle(fault: Fault, request: Request) -> ServiceError:
    own = throttled(request.service)
    return _override(fault, ServiceError(own.code, own.message, THROTTLES.get(fault.code or "", own.status)))


def _error(fault: Fault, request: Request) -> ServiceError:
    return _override(fault, ServiceError("InternalFailure", "Something went wrong."))


def _inner(fault: Fault, request: Request) -> ServiceError:
    return _override(fault, GatewayError(fault.inner or "InternalError"))


def _vanished(fault: Fault, request: Request) -> ServiceError:
    return _override(fault, GatewayError("GatewayNotFound"))


IAM_NAMES = {"tagging": "tag"}
"""Services whose actions have another prefix in IAM."""


def _access_denied(fault: Fault, request: Request) -> ServiceError:
    service = request.service.name
    action = f"{IAM_NAMES.get(service, service)}:{request.operation}"
    reason = f"because no identity-based policy allows the {action} action"
    return _override(fault, denied(request.principal.arn, action, "*", reason))


def _expired_token(fault: Fault, request: Request) -> AuthenticationError:
    # The session is really over: a second call with the same token fails as well.
    if request.principal.expires_at is not None:
        request.principal.expires_at = request.now
    return AuthenticationError("expired", EXPIRED)


def _not_enabled(fault: Fault, request: Request) -> AuthenticationError:
    return AuthenticationError("unknown", NOT_A_CLIENT)


def _wrong_clock(fault: Fault, request: Request) -> AuthenticationError:
    def stamp(seconds: float) -> str:
        return f"{datetime.fromtimestamp(request.now + seconds, UTC):%Y%m%dT%H%M%SZ}"

    here = fault.seconds
    return AuthenticationError(
        "signature",
        f"Signature expired: {stamp(0)} is now earlier than {stamp(here - 300)} ({stamp(here)} - 5 min.)",
    )


KINDS: dict[str, Callable[[Fault, Request], ServiceError | AuthenticationError]] = {
    "throttle": _throttle,
    "error": _error,
    "inner": _inner,
    "vanished": _vanished,
    "access_denied": _access_denied,
    "expired_token": _expired_token,
    "not_enabled": _not_enabled,
    "wrong_clock": _wrong_clock,
}
