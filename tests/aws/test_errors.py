"""What the service and the SDK say when a call fails, and which kind of failure it is."""

from types import SimpleNamespace
from typing import Any

import aiohttp
import botocore.session
import pytest
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
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError
from hypothesis import given
from hypothesis import strategies as st

from scanner.aws import codes, errors
from scanner.aws.connections import TooLongError
from scanner.aws.errors import failed
from scanner.aws.text import LONGEST_MESSAGE, clean
from scanner.emulator.faults import THROTTLES
from scanner.inventory.records import FailureKind
from scanner.service.errors import CallFailed, GatewayNotApplicable, GatewayVanished

SETS = (
    codes.SERVER_ERRORS,
    codes.UNREACHABLE,
    codes.NOT_APPLICABLE,
    frozenset({codes.VANISHED}),
    codes.PASSING,
    codes.REFUSALS,
)


def model_codes() -> list[str]:
    model = botocore.session.get_session().get_service_model("storagegateway")
    shape: Any = model.shape_for("ErrorCode")
    return sorted(code.strip() for code in shape.enum)


def refused(
    code: str, *, inner: str | None = None, status: int = 400, message: str = "Why.", **headers: str
) -> CallFailed:
    response: dict[str, Any] = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "r-1", "HTTPHeaders": headers},
    }
    if inner is not None:
        response["error"] = {"errorCode": inner}
    return failed(ClientError(response, "ListGateways"), "ListGateways")  # type: ignore[arg-type]


@pytest.mark.parametrize("code", model_codes())
def test_every_code_of_the_service_model_is_placed_on_purpose(code: str) -> None:
    assert sum(code in each for each in SETS) == 1


@pytest.mark.parametrize(
    ("inner", "kind", "retried", "type_"),
    [
        ("GatewayNotConnected", FailureKind.GATEWAY_UNREACHABLE, True, CallFailed),
        ("GatewayProxyNetworkConnectionBusy", FailureKind.GATEWAY_UNREACHABLE, True, CallFailed),
        ("InternalError", FailureKind.SERVER_ERROR, True, CallFailed),
        ("ServiceUnavailable", FailureKind.SERVER_ERROR, True, CallFailed),
        ("GatewayInternalError", FailureKind.SERVER_ERROR, True, CallFailed),
        ("GatewayNotFound", FailureKind.INVALID_REQUEST, False, GatewayVanished),
        ("NotSupported", FailureKind.INVALID_REQUEST, False, GatewayNotApplicable),
        ("UnsupportedOperationForGatewayType", FailureKind.INVALID_REQUEST, False, GatewayNotApplicable),
        ("RequestTimeout", FailureKind.INVALID_REQUEST, True, CallFailed),
        ("LunAlreadyAllocated ", FailureKind.INVALID_REQUEST, False, CallFailed),
        ("InvalidParameters", FailureKind.INVALID_REQUEST, False, CallFailed),
        ("OfNextYear", FailureKind.INVALID_REQUEST, False, CallFailed),
    ],
)
@pytest.mark.parametrize("outer", ["InvalidGatewayRequestException", "InternalServerError"])
@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("message", ["Why.", ""])
def test_the_inner_code_decides_whatever_stands_outside(
    outer: str, status: int, inner: str, kind: FailureKind, retried: bool, type_: type, message: str
) -> None:
    failure = refused(outer, inner=inner, status=status, message=message)
    assert (failure.facts.kind, failure.facts.retryable, type(failure)) == (kind, retried, type_)
    assert (failure.facts.code, failure.facts.request_id) == (inner.strip(), "r-1")
    assert failure.facts.message


@pytest.mark.parametrize("code", sorted(codes.THROTTLES | set(THROTTLES)))
def test_throttling_is_known_under_each_of_its_names(code: str) -> None:
    assert refused(code).facts.kind is FailureKind.THROTTLED
    assert refused(code, message="").facts.message


def test_status_429_is_throttling_without_a_name() -> None:
    assert refused("", status=429).facts.kind is FailureKind.THROTTLED


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("0", 0.0), ("99999", 300.0), ("soon", None), ("-1", None), ("٣", None), ("", None)],
)
@pytest.mark.parametrize(("code", "status"), [("ThrottlingException", 400), ("ServiceUnavailable", 503)])
def test_retry_after_is_read_in_seconds_and_bounded(
    text: str, seconds: float | None, code: str, status: int
) -> None:
    assert refused(code, status=status, **{"retry-after": text}).facts.retry_after == seconds


@pytest.mark.parametrize("code", sorted(codes.DENIALS))
def test_a_denial_is_told_in_the_services_words_and_not_tried_again(code: str) -> None:
    failure = refused(code)
    assert (failure.facts.kind, failure.facts.retryable, failure.facts.by_resource_policy) == (
        FailureKind.ACCESS_DENIED,
        False,
        False,
    )
    assert (failure.facts.message, failure.facts.remedy) == ("Why.", None), "what to allow, one place says"


def test_a_denial_by_a_gateways_own_policy_is_told_apart() -> None:
    message = "User: u is not authorized because no resource-based policy allows it"
    assert refused("AccessDeniedException", message=message).facts.by_resource_policy


@pytest.mark.parametrize("code", sorted(codes.CREDENTIALS))
def test_credentials_that_are_not_taken_are_told_as_such(code: str) -> None:
    assert refused(code, message="").facts.kind is FailureKind.CREDENTIALS
    assert refused(code, message="").facts.message == code


@pytest.mark.parametrize("code", ["InvalidSignatureException", "SignatureDoesNotMatch"])
@pytest.mark.parametrize("message", ["Signature expired: 1 < 2", "Signature not yet current: 2 > 1"])
def test_a_wrong_clock_comes_with_the_remedy(code: str, message: str) -> None:
    assert refused(code, message=message).facts.remedy == errors.CLOCK_REMEDY
    assert refused(code, message="does not match").facts.remedy is None


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("InternalFailure", 500, FailureKind.SERVER_ERROR),
        ("Unheard", 502, FailureKind.SERVER_ERROR),
        ("", 500, FailureKind.SERVER_ERROR),
        ("404", 404, FailureKind.INVALID_RESPONSE),
        ("", 400, FailureKind.INVALID_RESPONSE),
        ("ValidationException", 400, FailureKind.INVALID_REQUEST),
    ],
)
@pytest.mark.parametrize("message", ["Why.", ""])
def test_what_has_no_inner_code_goes_by_name_then_status(
    code: str, status: int, kind: FailureKind, message: str
) -> None:
    failure = refused(code, status=status, message=message)
    assert failure.facts.kind is kind
    assert failure.facts.code == (code or None)
    assert failure.facts.message


URL = "https://storagegateway.us-east-1.amazonaws.com/?secret=1"


@pytest.mark.parametrize(
    ("error", "kind", "connected", "sent"),
    [
        (ConnectTimeoutError(endpoint_url=URL), FailureKind.TIMEOUT, False, True),
        (ReadTimeoutError(endpoint_url=URL), FailureKind.TIMEOUT, True, True),
        (TimeoutError(), FailureKind.TIMEOUT, True, True),
        (SSLError(endpoint_url=URL, error=OSError("e")), FailureKind.NETWORK, False, True),
        (EndpointConnectionError(endpoint_url=URL, error="e"), FailureKind.NETWORK, False, True),
        (ProxyConnectionError(proxy_url=URL, error="e"), FailureKind.NETWORK, False, True),
        (ConnectionClosedError(endpoint_url=URL), FailureKind.NETWORK, True, True),
        (HTTPClientError(error=OSError("it\nbroke")), FailureKind.NETWORK, True, True),
        (ResponseParserError("<html>"), FailureKind.INVALID_RESPONSE, True, True),
        (TokenRetrievalError(provider="sso", error_msg="gone"), FailureKind.CREDENTIALS, True, False),
        (BotoCoreError(), FailureKind.CREDENTIALS, True, False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_the_sdk_raises_has_a_kind(
    error: Exception, kind: FailureKind, connected: bool, sent: bool
) -> None:
    failure = failed(error, "ListGateways")
    assert (failure.facts.kind, failure.facts.connected, failure.facts.sent) == (kind, connected, sent)
    assert failure.facts.message.isprintable()
    assert "secret" not in failure.facts.message
    assert failure.facts.retryable == sent


PLACE: Any = SimpleNamespace(host="here", port=443, ssl=True)


@pytest.mark.parametrize(
    ("cause", "connected"),
    [
        (aiohttp.ClientConnectorError(PLACE, OSError(111, "refused")), False),
        (aiohttp.ClientOSError(104, "Connection reset by peer"), True),
    ],
)
def test_a_connection_that_broke_later_was_one(cause: Exception, connected: bool) -> None:
    """And so says nothing against its endpoint."""
    assert failed(EndpointConnectionError(endpoint_url="x", error=cause), "X").facts.connected is connected


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("7", 7),
        ("2.5", 2.5),
        ("Tue, 24 Nov 2026 07:00:40 GMT", 40),
        ("Tue, 24 Nov 2026 06:00:00 GMT", 0),
        ("86400", 300),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("inner", ["", "GatewayProxyNetworkConnectionBusy", "ServiceUnavailable"])
def test_whoever_asks_to_be_left_alone_is_heeded(told: str, seconds: float | None, inner: str) -> None:
    """By a number or a date, beside a code of the service's own or without; for five minutes at most."""
    headers = {"retry-after": told, "date": "Tue, 24 Nov 2026 07:00:00 GMT"}
    response: Any = {
        "Error": {"Code": "InternalServerError", "Message": ""},
        "error": {"errorCode": inner},
        "ResponseMetadata": {"HTTPStatusCode": 500, "HTTPHeaders": headers},
    }
    assert failed(ClientError(response, "X"), "X").facts.retry_after == seconds


def test_an_answer_without_end_is_none_of_the_service() -> None:
    failure = failed(HTTPClientError(error=TooLongError("the answer is longer than 32 MiB")), "X")
    assert (failure.facts.kind, failure.facts.retryable) == (FailureKind.INVALID_RESPONSE, False)


def test_a_request_is_known_by_the_header_that_the_sdk_passes_over() -> None:
    headers = {"x-amzn-requestid": "request-7"}
    response: Any = {"Error": {}, "ResponseMetadata": {"HTTPStatusCode": 503, "HTTPHeaders": headers}}
    assert failed(ClientError(response, "X"), "X").facts.request_id == "request-7"


def test_a_defect_of_our_own_is_raised_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        failed(ZeroDivisionError(), "ListGateways")


@given(st.text(st.characters(), max_size=50))
def test_other_peoples_text_stays_as_it_is_and_can_always_be_written(text: str) -> None:
    """Half a character, which JSON can carry and no file can, becomes its escape; so does nothing else."""
    kept = clean(text)
    assert kept.encode().decode() == kept
    assert kept == text or any("\ud800" <= char <= "\udfff" for char in text)


def test_words_stay_as_they_are_but_for_halves_of_characters_and_their_length() -> None:
    assert clean(" Größe:\n\x1b[31m 5\t KiB ") == " Größe:\n\x1b[31m 5\t KiB "
    assert clean("Y\ud800") == "Y\\ud800"
    assert clean("x" * (LONGEST_MESSAGE + 1)) == "x" * (LONGEST_MESSAGE - 1) + "…"


@pytest.mark.parametrize("place", ["__type", "errorCode"])
def test_a_code_that_no_file_can_hold_is_told_by_its_escape(place: str) -> None:
    """One answer must not keep all others from being written."""
    body: dict[str, Any] = {"__type": "InvalidGatewayRequestException", "error": {"errorCode": "Odd"}}
    modeled = {"errorCode": "Y\ud800"} if place == "errorCode" else {}
    code = "Y\ud800" if place == "__type" else body["__type"]
    response: Any = {"Error": {"Code": code, "Message": ""}, "error": modeled, "ResponseMetadata": {}}
    failure = failed(ClientError(response, "ListGateways"), "ListGateways")
    assert failure.facts.code == "Y\\ud800"


@pytest.mark.parametrize(
    ("message", "principal", "action", "resource"),
    [
        (
            "User: arn:aws:sts::1:assumed-role/x/y is not authorized to perform: storagegateway:ListGateways"
            " on resource: * because no identity-based policy allows it",
            "arn:aws:sts::1:assumed-role/x/y",
            "storagegateway:ListGateways",
            "*",
        ),
        (
            "User: arn:aws:iam::1:user/u is not authorized to perform: sts:AssumeRole",
            "arn:aws:iam::1:user/u",
            "sts:AssumeRole",
            None,
        ),
    ],
)
def test_who_was_refused_what_is_read_from_the_services_own_sentence(
    message: str, principal: str, action: str, resource: str | None
) -> None:
    found = refused("AccessDeniedException", message=message).facts.refused
    assert found
    assert (found.principal, found.action, found.resource) == (principal, action, resource)


def test_a_sentence_that_says_something_else_names_nobody() -> None:
    assert refused("AccessDeniedException", message="no").facts.refused is None


ODD_DATES = [
    "Wed, 26 Nov 2026 07:28:00",
    "Wed, 26 Nov 2026 07:28:00 -0000",
    "Mon, 01 Jan 0001 00:00:00 +1400",
    "soon",
]


@pytest.mark.parametrize("date", ODD_DATES)
@pytest.mark.parametrize("retry_after", ODD_DATES)
def test_a_date_of_any_form_breaks_nothing(date: str, retry_after: str) -> None:
    headers: Any = {"retry-after": retry_after, "date": date}
    seconds = refused("ThrottlingException", **headers).facts.retry_after
    assert seconds is None or 0 <= seconds <= 300


@pytest.mark.parametrize("odd", [None, 5, "text", ["list"], {"a": {}}, True])
@pytest.mark.parametrize("place", ["Error", "error", "ResponseMetadata"])
def test_an_error_of_any_shape_is_a_failure_and_no_defect(place: str, odd: Any) -> None:
    response: Any = {
        "Error": {"Code": "InvalidGatewayRequestException", "Message": "no"},
        "error": {"errorCode": "GatewayNotConnected"},
        "ResponseMetadata": {"HTTPStatusCode": 400, "HTTPHeaders": {}},
        place: odd,
    }
    assert errors.refused(errors.of_sdk(response), "X").facts.kind in FailureKind
