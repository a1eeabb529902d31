"""What the SDK and the service say when a call fails, as failure kinds."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from scanner.aws.connections import TooLongError
from scanner.inventory.records import FailureKind
from scanner.service.errors import CallFailed, GatewayNotApplicable, GatewayVanished

THROTTLES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
DENIALS = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "NotAuthorized",
        "OptInRequired",
        "UnauthorizedOperation",
    }
)
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
CREDENTIALS = EXPIRED | {
    "AuthFailure",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
SERVER_ERRORS = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "ServiceUnavailable",
        "ServiceUnavailableError",
        "ServiceUnavailableException",
        "GatewayInternalError",
    }
)
UNREACHABLE = frozenset({"GatewayNotConnected", "GatewayProxyNetworkConnectionBusy"})
NOT_APPLICABLE = frozenset({"NotSupported", "UnsupportedOperationForGatewayType"})
VANISHED = "GatewayNotFound"
PASSING = frozenset({"RequestTimeout"})
"""Refusals that another try may not meet."""
REFUSALS = frozenset(
    {
        "ActivationKeyExpired",
        "ActivationKeyInvalid",
        "ActivationKeyNotFound",
        "AuthenticationFailure",
        "BandwidthThrottleScheduleNotFound",
        "Blocked",
        "CannotExportSnapshot",
        "ChapCredentialNotFound",
        "DiskAlreadyAllocated",
        "DiskDoesNotExist",
        "DiskSizeGreaterThanVolumeMaxSize",
        "DiskSizeLessThanVolumeSize",
        "DiskSizeNotGigAligned",
        "DuplicateCertificateInfo",
        "DuplicateSchedule",
        "EndpointNotFound",
        "IAMNotSupported",
        "InitiatorInvalid",
        "InitiatorNotFound",
        "InvalidEndpoint",
        "InvalidGateway",
        "InvalidParameters",
        "InvalidSchedule",
        "JoinDomainInProgress",
        "LocalStorageLimitExceeded",
        "LunAlreadyAllocated",
        "LunInvalid",
        "MaximumContentLengthExceeded",
        "MaximumTapeCartridgeCountExceeded",
        "MaximumVolumeCountExceeded",
        "NetworkConfigurationChanged",
        "NoDisksAvailable",
        "NotImplemented",
        "OperationAborted",
        "OutdatedGateway",
        "ParametersNotImplemented",
        "RegionInvalid",
        "SnapshotDeleted",
        "SnapshotIdInvalid",
        "SnapshotInProgress",
        "SnapshotNotFound",
        "SnapshotScheduleNotFound",
        "StagingAreaFull",
        "StorageFailure",
        "TapeCartridgeNotFound",
        "TargetAlreadyExists",
        "TargetInvalid",
        "TargetNotFound",
        "UnauthorizedOperation",
        "VolumeAlreadyExists",
        "VolumeIdInvalid",
        "VolumeInUse",
        "VolumeNotFound",
        "VolumeNotReady",
    }
)
"""The rest of what the service model lists, most of it about calls that a scan never makes. A code that is
in no set counts as one of these."""

NETWORK_REMEDY = "check the network, DNS, proxy and CA settings towards {url}"
CLOCK_REMEDY = "the local clock is too wrong for the service: set it by NTP, then scan again"
REGION_REMEDY = (
    "the credentials are not valid here: the Region may not be enabled for the account; enable it, or list it"
    " under scan.exclude_regions"
)
LONGEST_MESSAGE = 2000
LONGEST_RETRY_AFTER = 300.0
"""Seconds. Whoever asks for more is asked again by then, and will say so."""


def failed(error: BaseException, operation: str) -> CallFailed:
    """`error` of a call of `operation` as a CallFailed with its kind, code and remedy."""
    match error:
        case ClientError():
            return _answered(error.response, operation)
        case ConnectTimeoutError():
            return _broken(FailureKind.TIMEOUT, error, "connecting took too long", connected=False)
        case ReadTimeoutError() | TimeoutError():
            return _broken(FailureKind.TIMEOUT, error, "the answer took too long")
        case SSLError():
            return _broken(FailureKind.NETWORK, error, "no trusted TLS connection", connected=False)
        case EndpointConnectionError() if _broke_later(error.kwargs.get("error")):
            return _broken(FailureKind.NETWORK, error, "the connection broke")
        case EndpointConnectionError() | ProxyConnectionError():
            return _broken(FailureKind.NETWORK, error, "no connection", connected=False)
        case ConnectionClosedError():
            return _broken(FailureKind.NETWORK, error, "the connection broke")
        case ResponseParserError() | ValueError():
            return CallFailed.of(
                FailureKind.INVALID_RESPONSE,
                "the answer is not what the service sends; look for a proxy in between",
                retryable=True,
            )
        case HTTPClientError() if isinstance(error.kwargs.get("error"), TooLongError):
            told = f"{error.kwargs['error']}; look for a proxy in between"
            return CallFailed.of(FailureKind.INVALID_RESPONSE, told)
        case HTTPClientError():
            return _broken(FailureKind.NETWORK, error, "the connection broke")
        case BotoCoreError():
            return CallFailed.of(FailureKind.CREDENTIALS, clean(str(error)), sent=False)
        case _:
            raise error


def _broke_later(cause: object) -> bool:
    # The SDK tells of both as of no connection.
    return isinstance(cause, aiohttp.ClientOSError) and not isinstance(cause, aiohttp.ClientConnectorError)


def _broken(kind: FailureKind, error: BaseException, what: str, *, connected: bool = True) -> CallFailed:
    url = str(getattr(error, "kwargs", {}).get("endpoint_url", "the service")).split("?")[0]
    cause = getattr(error, "kwargs", {}).get("error")
    reason = f" ({type(cause).__name__}: {' '.join(clean(str(cause)).split())})" if cause else ""
    message = f"{what}{reason}; {NETWORK_REMEDY.format(url=url)}"
    return CallFailed.of(kind, message, retryable=True, connected=connected)


def _answered(response: Mapping[str, Any], operation: str) -> CallFailed:
    metadata = response.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode", 0))
    headers = metadata.get("HTTPHeaders", {})
    error = response.get("Error", {})
    outer, message = clean(str(error.get("Code", ""))), clean(str(error.get("Message", "")))
    modeled = response.get("error")
    inner = clean(str(modeled.get("errorCode", ""))).strip() if isinstance(modeled, Mapping) else ""
    code = inner or outer
    request_id = metadata.get("RequestId") or headers.get("x-amzn-requestid")
    facts: dict[str, Any] = {"code": code or None, "request_id": request_id}
    if outer in THROTTLES or status == 429:
        return CallFailed.of(
            FailureKind.THROTTLED,
            message or "throttled",
            retryable=True,
            retry_after=_retry_after(headers),
            **facts,
        )
    if inner:
        failure = _by_inner_code(inner, message, facts)
        return failure.but(retry_after=_retry_after(headers)) if failure.facts.retryable else failure
    if outer in DENIALS:
        remedy = (
            f"{message}; allow the action for the scanning role (`sgw-scanner iam policy` prints the policy)"
        )
        return CallFailed.of(
            FailureKind.ACCESS_DENIED, remedy, by_resource_policy="resource-based policy" in message, **facts
        )
    if outer in CREDENTIALS:
        return CallFailed.of(FailureKind.CREDENTIALS, _credential_message(outer, message), **facts)
    if outer in SERVER_ERRORS or status >= 500:
        return CallFailed.of(
            FailureKind.SERVER_ERROR,
            message or f"HTTP status {status} without a reason",
            retryable=True,
            retry_after=_retry_after(headers),
            **facts,
        )
    if not outer or outer == str(status):
        return CallFailed.of(
            FailureKind.INVALID_RESPONSE,
            f"HTTP status {status} with an answer that is none of the service; look for a proxy in between",
            retryable=True,
            **facts,
        )
    return CallFailed.of(FailureKind.INVALID_REQUEST, message or f"{operation} was refused", **facts)


def _by_inner_code(inner: str, message: str, facts: dict[str, Any]) -> CallFailed:
    if inner in UNREACHABLE:
        remedy = f"{message.rstrip('.')}; start the gateway, or look at its network".removeprefix("; ")
        return CallFailed.of(FailureKind.GATEWAY_UNREACHABLE, remedy, retryable=True, **facts)
    if inner in SERVER_ERRORS:
        return CallFailed.of(FailureKind.SERVER_ERROR, message or inner, retryable=True, **facts)
    if inner == VANISHED:
        return GatewayVanished.of(FailureKind.INVALID_REQUEST, message or inner, **facts)
    if inner in NOT_APPLICABLE:
        return GatewayNotApplicable.of(FailureKind.INVALID_REQUEST, message or inner, **facts)
    return CallFailed.of(FailureKind.INVALID_REQUEST, message or inner, retryable=inner in PASSING, **facts)


def is_clock_error(code: str | None, message: str) -> bool:
    """Whether the service refused the signature because of the time in it."""
    told = ("Signature expired", "Signature not yet current", "is not within")
    return code == "RequestTimeTooSkewed" or any(phrase in message for phrase in told)


def _credential_message(code: str, message: str) -> str:
    if is_clock_error(code, message):
        return f"{message}; {CLOCK_REMEDY}"
    if code in ("UnrecognizedClientException", "InvalidClientTokenId"):
        return f"{message}; {REGION_REMEDY}"
    return message or code


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to leave the service alone: a number, or what is left until a date by its own clock."""
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) else _until(text, headers)
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def _until(text: str, headers: Mapping[str, str]) -> float:
    now = parsedate_to_datetime(headers["date"]) if headers.get("date") else datetime.now(UTC)
    return (parsedate_to_datetime(text) - now).total_seconds()


def clean(message: str) -> str:
    """Other people's text as it is, but for halves of characters, which no file can hold, and for its length.

    What of it a terminal or a page would obey, each output makes harmless in its own way.
    """
    whole = message.encode("utf-8", "backslashreplace").decode()
    return whole if len(whole) <= LONGEST_MESSAGE else whole[: LONGEST_MESSAGE - 1] + "…"
