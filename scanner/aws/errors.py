"""Why a call failed, as facts: from what the service answered, or from how the connection broke."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
from scanner.iam.remedies import refusal_in
from scanner.inventory.records import FailureKind
from scanner.service.errors import CallFailed, FailureFacts, GatewayNotApplicable, GatewayVanished
from scanner.service.secrets import endpoint_shown, hidden

NETWORK_REMEDY = "check the network, DNS, proxy and CA settings towards {url}"
TLS_REMEDY = f"{NETWORK_REMEDY}; if a proxy inspects TLS, let AWS_CA_BUNDLE name its certificates"
ADDRESS_REMEDY = (
    "look at HTTPS_PROXY, HTTP_PROXY and AWS_ENDPOINT_URL: write http://HOST:PORT;"
    " an endpoint takes no user name"
)
FILES_REMEDY = "raise the limit of open files (ulimit -n), or lower scan.max_concurrency"
CLOCK_REMEDY = "the local clock is too wrong for the service: set it by NTP, then scan again"
REGION_REMEDY = (
    "the credentials are not valid here: the Region may not be enabled for the account; enable it, or list it"
    " under scan.exclude_regions"
)
PROXY_REMEDY = "look for a proxy that answers in the service's place"
LONGEST_MESSAGE = 2000
LONGEST_CODE = 200
LONGEST_RETRY_AFTER = 300.0
"""Seconds. Whoever asks for more is asked again by then, and will say so."""
NO_FILES = (24, 23)
"""EMFILE and ENFILE: this process, or the whole machine, has no file descriptor left."""
BROKEN_ANSWER = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RuntimeError)
"""What reading an answer may raise, in the SDK's parsers as in ours, if it is of another shape than documented."""


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
            return _of_sdk_transport(error)
        case ProxyConnectionError() | ConnectionClosedError() | HTTPClientError():
            return _of_sdk_transport(error)
        case aiohttp.ClientError() | OSError() | TooLongError():
            return broken(error, "the service")
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


def _of_sdk_transport(error: BotoCoreError) -> CallFailed:
    cause = error.kwargs.get("error")
    url = str(error.kwargs.get("endpoint_url", "the service"))
    if isinstance(cause, aiohttp.ClientError | TooLongError | ValueError):
        return broken(cause, url)
    match error:
        case ConnectTimeoutError():
            return _broken(FailureKind.TIMEOUT, "connecting took too long", url, None, connected=False)
        case ReadTimeoutError():
            return _broken(FailureKind.TIMEOUT, "the answer took too long", url, None)
        case SSLError() | EndpointConnectionError() | ProxyConnectionError():
            return _broken(FailureKind.NETWORK, "no connection", url, None, connected=False)
        case _:
            return _broken(FailureKind.NETWORK, "the connection broke", url, None)


def broken(error: Exception, url: str) -> CallFailed:
    """How a connection to `url` failed, or broke before the answer was there."""
    match error:
        case TooLongError():
            return CallFailed.of(FailureKind.INVALID_RESPONSE, clean(str(error)), remedy=PROXY_REMEDY)
        case aiohttp.ClientSSLError():
            return _broken(
                FailureKind.NETWORK,
                "no trusted TLS connection",
                url,
                error,
                connected=False,
                remedy=TLS_REMEDY,
            )
        case aiohttp.ConnectionTimeoutError():
            return _broken(FailureKind.TIMEOUT, "connecting took too long", url, None, connected=False)
        case aiohttp.ClientHttpProxyError():
            told = f"the proxy refused the connection with HTTP status {error.status}"
            return _broken(FailureKind.NETWORK, told, url, None, connected=False)
        case aiohttp.ClientProxyConnectionError():
            return _broken(FailureKind.NETWORK, "no connection to the proxy", url, error, connected=False)
        case aiohttp.ClientConnectorError() if getattr(error.os_error, "errno", None) in NO_FILES:
            told = "no connection: too many open files"
            return CallFailed.of(
                FailureKind.NETWORK, told, remedy=FILES_REMEDY, retryable=True, connected=False, sent=False
            )
        case aiohttp.ClientConnectorError():
            return _broken(FailureKind.NETWORK, "no connection", url, error, connected=False)
        case TimeoutError():
            return _broken(FailureKind.TIMEOUT, "the answer took too long", url, None)
        case ValueError():
            # Of the endpoint, or of a proxy: aiohttp looks at both only now.
            return _broken(
                FailureKind.NETWORK,
                "an address is no URL",
                url,
                error,
                connected=False,
                remedy=ADDRESS_REMEDY,
            )
        case _:
            return _broken(FailureKind.NETWORK, "the connection broke", url, error)


def _broken(
    kind: FailureKind,
    what: str,
    url: str,
    cause: Exception | None,
    *,
    connected: bool = True,
    remedy: str = NETWORK_REMEDY,
) -> CallFailed:
    # Texts of connection errors quote addresses, and those of proxies hold passwords.
    reason = f" ({type(cause).__name__}: {' '.join(clean(str(cause)).split())})" if cause else ""
    shown = endpoint_shown(url) if "://" in url else url
    return CallFailed.of(
        kind,
        f"{what}{reason}",
        endpoint=shown,
        remedy=remedy.format(url=shown),
        retryable=True,
        connected=connected,
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
        told = message or f"HTTP status {answer.status} without a reason"
        return CallFailed.of(FailureKind.SERVER_ERROR, told, retryable=True, retry_after=retry_after, **facts)
    if not code or code == str(answer.status):
        told = f"HTTP status {answer.status} with an answer that is none of the service"
        return CallFailed.of(FailureKind.INVALID_RESPONSE, told, remedy=PROXY_REMEDY, retryable=True, **facts)
    return CallFailed.of(FailureKind.INVALID_REQUEST, message or f"{operation} was refused", **facts)


def _by_inner_code(inner: str, message: str, facts: dict[str, Any]) -> CallFailed:
    told = message or inner
    if inner in UNREACHABLE:
        return CallFailed.of(FailureKind.GATEWAY_UNREACHABLE, told, retryable=True, **facts)
    if inner in SERVER_ERRORS:
        return CallFailed.of(FailureKind.SERVER_ERROR, told, retryable=True, **facts)
    if inner == VANISHED:
        return GatewayVanished(FailureFacts(FailureKind.INVALID_REQUEST, told, **facts))
    if inner in NOT_APPLICABLE:
        return GatewayNotApplicable(FailureFacts(FailureKind.INVALID_REQUEST, told, **facts))
    return CallFailed.of(FailureKind.INVALID_REQUEST, told, retryable=inner in PASSING, **facts)


def shown_id(request_id: Any) -> str | None:
    """A request's id as it may be kept; None where it is no text."""
    return clean(request_id)[:LONGEST_CODE] if isinstance(request_id, str) and request_id else None


def is_clock_error(code: str | None, message: str) -> bool:
    """Whether the service refused the signature because of the time in it."""
    told = ("Signature expired", "Signature not yet current", "is not within")
    return code == "RequestTimeTooSkewed" or any(phrase in message for phrase in told)


def _credentials_remedy(code: str, message: str) -> str | None:
    if is_clock_error(code, message):
        return CLOCK_REMEDY
    return REGION_REMEDY if code in UNRECOGNIZED else None


def http_date(text: str | None) -> datetime | None:
    """A date of an HTTP header in UTC; None where it is none. Without a zone it is UTC, as HTTP demands."""
    try:
        moment = parsedate_to_datetime(text or "")
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, TypeError, LookupError):
        return None


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


def clean(message: str) -> str:
    """Other people's text as it is, but for secrets, halves of characters, which no file can hold, and its length.

    What of it a terminal or a page would obey, each output makes harmless in its own way.
    """
    whole = hidden(message[: 8 * LONGEST_MESSAGE].encode("utf-8", "backslashreplace").decode())
    return whole if len(whole) <= LONGEST_MESSAGE else whole[: LONGEST_MESSAGE - 1] + "…"
