"""Errors of services, as exceptions that know their code and HTTP status."""

from __future__ import annotations

from collections.abc import Mapping

from .service_models import SUPPORTED, ServiceModel


class ServiceError(Exception):
    """An answer other than success: code, HTTP status, message and, for Storage Gateway, the inner error."""

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 400,
        *,
        inner: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.inner = inner
        self.headers = dict(headers or {})


class AuthenticationError(Exception):
    """A request whose caller is not known. Each protocol has its own code for the same cause."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message


# By cause: the code in JSON, code and status in XML, code and status of EC2.
_AUTHENTICATION_CODES: dict[str, tuple[str, tuple[str, int], tuple[str, int]]] = {
    "missing": (
        "MissingAuthenticationTokenException",
        ("MissingAuthenticationToken", 403),
        ("AuthFailure", 401),
    ),
    "incomplete": ("IncompleteSignatureException", ("IncompleteSignature", 400), ("AuthFailure", 401)),
    "signature": ("InvalidSignatureException", ("SignatureDoesNotMatch", 403), ("AuthFailure", 401)),
    "unknown": ("UnrecognizedClientException", ("InvalidClientTokenId", 403), ("AuthFailure", 401)),
    "expired": ("ExpiredTokenException", ("ExpiredToken", 403), ("RequestExpired", 400)),
}

NOT_A_CLIENT = "The security token included in the request is invalid."
EXPIRED = "The security token included in the request is expired"


class GatewayError(ServiceError):
    """An error of Storage Gateway: the outer code says little, `errorCode` inside says what happened."""

    DETAILS = {  # noqa: RUF012 - read only
        "GatewayNotConnected": "The specified gateway is not connected.",
        "GatewayNotFound": "The specified gateway was not found.",
        "GatewayProxyNetworkConnectionBusy": "The specified gateway proxy network connection is busy.",
        "InternalError": "An internal server error has occurred during the request.",
        "InvalidParameters": "One or more request parameters are invalid.",
        "NotSupported": "The attempted operation is not supported.",
        "ServiceUnavailable": "The service is unavailable, try again.",
        "UnsupportedOperationForGatewayType": "The operation is not supported for this type of gateway.",
        "VolumeNotFound": "The specified volume was not found.",
    }

    def __init__(self, inner: str, message: str | None = None, status: int = 400) -> None:
        server = inner in ("InternalError", "ServiceUnavailable")
        super().__init__(
            "InternalServerError" if server else "InvalidGatewayRequestException",
            message or self.DETAILS.get(inner, f"The request failed: {inner}."),
            status,
            inner=inner,
        )


def throttled(service: ServiceModel) -> ServiceError:
    """How a service says that it is called too fast."""
    refusal = service.throttled
    return ServiceError(refusal.code, refusal.message, refusal.status)


def denied(principal_arn: str, action: str, resource: str, reason: str) -> ServiceError:
    """How the service of an action says that a policy forbids it."""
    model = SUPPORTED.get(action.partition(":")[0])
    code, status = (model.denied.code, model.denied.status) if model else ("AccessDeniedException", 400)
    message = f"User: {principal_arn} is not authorized to perform: {action} on resource: {resource} {reason}"
    return ServiceError(code, message.rstrip(), status)


def invalid(problem: str, code: str = "ValidationException") -> ServiceError:
    """A parameter outside its constraints, in the words of AWS's validators."""
    return ServiceError(code, f"1 validation error detected: {problem}")


def unauthenticated(service: ServiceModel, error: AuthenticationError) -> ServiceError:
    """The error that a service's protocol has for a caller that is not known."""
    json_code, query, ec2 = _AUTHENTICATION_CODES[error.cause]
    if service.protocol in ("json", "rest-json"):
        return ServiceError(json_code, error.message, 400 if service.protocol == "json" else 403)
    code, status = ec2 if service.protocol == "ec2" else query
    return ServiceError(code, error.message, status)


def unknown_operation(service: ServiceModel, operation: str) -> ServiceError:
    """How a service says that it has no such operation."""
    refusal = service.unknown_operation
    missing = "" if service.supported else f"; the emulator has no service {service.name}"
    message = f"The action {operation} is not valid for this web service{missing}."
    return ServiceError(refusal.code, message, refusal.status)


def unsupported_parameter(service: ServiceModel, operation: str, name: str) -> ServiceError:
    """Refuses a parameter that would otherwise be ignored."""
    refusal = service.unsupported_parameter
    message = f"The emulator does not support the parameter {name} of {operation}: leave it out."
    return ServiceError(refusal.code, message, refusal.status)
