"""What the service refuses, as exceptions that know their wire code."""

from __future__ import annotations

from collections.abc import Mapping


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
    """A signature that proves nothing. Each protocol has its own code for the same cause."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message


# cause -> (JSON code, XML code and status, EC2 code and status); JSON answers are always 400.
AUTHENTICATION_CODES: dict[str, tuple[str, tuple[str, int], tuple[str, int]]] = {
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
    """An error of the service proper: the outer code says little, `errorCode` inside says what happened."""

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


_THROTTLES = {
    "sts": ("Throttling", "Rate exceeded", 400),
    "ec2": ("RequestLimitExceeded", "Request limit exceeded.", 503),
    "organizations": ("TooManyRequestsException", "Rate exceeded", 400),
    "account": ("TooManyRequestsException", "Rate exceeded", 429),
}
_DENIALS = {"sts": ("AccessDenied", 403), "ec2": ("UnauthorizedOperation", 403)}


def throttled(service: str) -> ServiceError:
    """How a service says that it is asked too fast."""
    code, message, status = _THROTTLES.get(service, ("ThrottlingException", "Rate exceeded", 400))
    return ServiceError(code, message, status)


def denied(service: str, arn: str, action: str, resource: str, reason: str) -> ServiceError:
    """How a service says that a policy forbids it; `arn` is who asked."""
    code, status = _DENIALS.get(service, ("AccessDeniedException", 400))
    message = f"User: {arn} is not authorized to perform: {action} on resource: {resource} {reason}"
    return ServiceError(code, message.rstrip(), status)


def invalid(problem: str) -> ServiceError:
    """A parameter outside its constraints, in the words of AWS's validators."""
    return ServiceError("ValidationException", f"1 validation error detected: {problem}")
