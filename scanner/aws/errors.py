"""Why a call failed, as facts of what the service answered or the SDK raised."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
from botocore.exceptions import (
    BaseEndpointResolverError,
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    EndpointProviderError,
    HTTPClientError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from scanner.aws.broken_connections import PROXY_REMEDY, broken, broken_in_sdk
from scanner.aws.clocks import http_date
from scanner.aws.codes import (
    CREDENTIALS,
    DENIALS,
    NOT_APPLICABLE,
    PASSING,
    SERVER_ERRORS,
    THROTTLES,
    UNREACHABLE,
    UNRECOGNIZED,
    VANISHED,
)
from scanner.aws.connections import TooLongError
from scanner.aws.sdk.endpoint_settings import no_client
from scanner.aws.text import LONGEST_CODE, clean, shown_id
from scanner.iam.remedies import refusal_in
from scanner.inventory.records import FailureKind
from scanner.service.errors import CallFailed, FailureFacts, GatewayNotApplicable, GatewayVanished

CLOCK_REMEDY = "the local clock is too wrong for the service: set it by NTP, then scan again"
REGION_REMEDY = (
    "the credentials are not valid here: the Region may not be enabled for the account; enable it, or list it"
    " under scan.exclude_regions"
)
LONGEST_RETRY_AFTER = 300.0
"""Seconds. Whoever asks for more is asked again by then, and will say so."""


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """An answer that refuses: what stands in it, whatever its protocol. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    code: str
    message: str
    inner: str = ""
    request_id: str | None = None


Hide = Callable[[str], str]


def _as_it_is(text: str) -> str:
    return text


def failed(error: BaseException, operation: str, hide: Hide = _as_it_is) -> CallFailed:
    """`error` of a call of `operation` as a CallFailed. One that is a defect is raised as it is.

    `hide` takes the secrets of the call out of the service's words.
    """
    match error:
        case ClientError():
            return refused(of_sdk(error.response), operation, hide)
        case ResponseParserError():
            return unreadable()
        case ConnectTimeoutError() | ReadTimeoutError() | SSLError() | EndpointConnectionError():
            return broken_in_sdk(error)
        case ProxyConnectionError() | ConnectionClosedError() | HTTPClientError():
            return broken_in_sdk(error)
        case aiohttp.ClientError() | OSError() | TooLongError():
            return broken(error, "the service")
        case BaseEndpointResolverError() | EndpointProviderError():
            return no_client(error)
        case BotoCoreError():
            return CallFailed.of(FailureKind.CREDENTIALS, clean(str(error)), sent=False)
        case _:
            raise error


def unreadable(request_id: str | None = None) -> CallFailed:
    """The failure of a call whose answer cannot be read."""
    return CallFailed.of(
        FailureKind.INVALID_RESPONSE,
        "the answer is not what the service sends",
        remedy=PROXY_REMEDY,
        request_id=request_id,
        retryable=True,
    )


def of_sdk(response: Mapping[str, Any]) -> ErrorAnswer:
    """What the SDK's parser made of an error. Any part of it may be of another type than documented."""
    metadata = _mapping(response.get("ResponseMetadata"))
    headers = _mapping(metadata.get("HTTPHeaders"))
    error = _mapping(response.get("Error"))
    status = metadata.get("HTTPStatusCode", 0)
    return ErrorAnswer(
        status if isinstance(status, int) else 0,
        headers,
        _text(error.get("Code")),
        _text(error.get("Message")),
        _text(_mapping(response.get("error")).get("errorCode")),
        _text(metadata.get("RequestId")) or headers.get("x-amzn-requestid"),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def refused(answer: ErrorAnswer, operation: str, hide: Hide = _as_it_is) -> CallFailed:
    """The failure that an answer tells: its own error code decides, then the code outside, then the status."""
    code, inner = clean(answer.code)[:LONGEST_CODE], clean(answer.inner).strip()[:LONGEST_CODE]
    # Before the message is cut: half a token would not be found in it any more.
    message = clean(hide(answer.message))
    facts: dict[str, Any] = {"code": inner or code or None, "request_id": shown_id(answer.request_id)}
    retry_after = _retry_after(answer.headers)
    if code in THROTTLES or answer.status == 429:
        return CallFailed.of(
            FailureKind.THROTTLED, message or "throttled", retryable=True, retry_after=retry_after, **facts
        )
    if inner:
        failure = _by_inner_code(inner, message, facts)
        return failure.but(retry_after=retry_after) if failure.facts.retryable else failure
    if code in DENIALS:
        return CallFailed.of(
            FailureKind.ACCESS_DENIED,
            message or code,
            refused=refusal_in(message),
            by_resource_policy="resource-based policy" in message,
            **facts,
        )
    if code in CREDENTIALS:
        return CallFailed.of(
            FailureKind.CREDENTIALS,
            message or code,
            remedy=_credentials_remedy(code, message),
            unrecognized=code in UNRECOGNIZED,
            **facts,
        )
    if code in SERVER_ERRORS or answer.status >= 500:
        message = message or f"HTTP status {answer.status} without a reason"
        return CallFailed.of(
            FailureKind.SERVER_ERROR, message, retryable=True, retry_after=retry_after, **facts
        )
    if not code or code == str(answer.status):
        message = f"HTTP status {answer.status} with an answer that is none of the service"
        return CallFailed.of(
            FailureKind.INVALID_RESPONSE, message, remedy=PROXY_REMEDY, retryable=True, **facts
        )
    return CallFailed.of(FailureKind.INVALID_REQUEST, message or f"{operation} was refused", **facts)


def _by_inner_code(inner: str, message: str, facts: dict[str, Any]) -> CallFailed:
    message = message or inner
    if inner in UNREACHABLE:
        return CallFailed.of(FailureKind.GATEWAY_UNREACHABLE, message, retryable=True, **facts)
    if inner in SERVER_ERRORS:
        return CallFailed.of(FailureKind.SERVER_ERROR, message, retryable=True, **facts)
    if inner == VANISHED:
        return GatewayVanished(FailureFacts(FailureKind.INVALID_REQUEST, message, **facts))
    if inner in NOT_APPLICABLE:
        return GatewayNotApplicable(FailureFacts(FailureKind.INVALID_REQUEST, message, **facts))
    return CallFailed.of(FailureKind.INVALID_REQUEST, message, retryable=inner in PASSING, **facts)


def is_clock_error(code: str | None, message: str) -> bool:
    """Whether the service refused the signature because of the time in it."""
    phrases = ("Signature expired", "Signature not yet current", "is not within")
    return code == "RequestTimeTooSkewed" or any(phrase in message for phrase in phrases)


def _credentials_remedy(code: str, message: str) -> str | None:
    if is_clock_error(code, message):
        return CLOCK_REMEDY
    return REGION_REMEDY if code in UNRECOGNIZED else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to leave the service alone: a number, or what is left until a date by its own clock."""
    text = _text(headers.get("retry-after")).strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text, re.ASCII):
        return min(float(text), LONGEST_RETRY_AFTER)
    until = http_date(text)
    if until is None:
        return None
    now = http_date(_text(headers.get("date"))) or datetime.now(UTC)
    return min(max((until - now).total_seconds(), 0.0), LONGEST_RETRY_AFTER)
