from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from scanner.emulator import Emulator, Fault
from scanner.emulator.faults import THROTTLES

from ..clients import assume, client, in_thread
from .fleets import error_of, fleet


@pytest.mark.parametrize(("code", "status"), THROTTLES.items())
async def test_a_throttle_comes_under_each_of_its_names(code: str, status: int) -> None:
    async with Emulator(fleet(Fault("throttle", code=code, retry_after="7"))) as emulator:
        response = await in_thread(lambda: error_of(client(emulator, "storagegateway")))
    assert response["Error"]["Code"] == code
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "7"


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        (Fault("error", code="Odd", status=418), "Odd", 418),
        (Fault("inner", inner="GatewayNotConnected"), "InvalidGatewayRequestException", 400),
        (Fault("inner", inner="InternalError", status=500), "InternalServerError", 500),
        (Fault("inner", inner="InternalError"), "InternalServerError", 400),
        (Fault("vanished"), "InvalidGatewayRequestException", 400),
        (Fault("access_denied"), "AccessDeniedException", 400),
        (Fault("expired_token"), "ExpiredTokenException", 400),
        (Fault("wrong_clock", seconds=3600), "InvalidSignatureException", 400),
        (Fault("server_error", status=503), "InternalFailure", 503),
        (Fault("server_error", status=502, body="html", retry_after="1"), "502", 502),
        (Fault("server_error", status=504, body="empty"), "504", 504),
        (Fault("not_enabled"), "UnrecognizedClientException", 400),
    ],
)
async def test_an_error_has_its_code_and_status(fault: Fault, code: str, status: int) -> None:
    async with Emulator(fleet(fault)) as emulator:
        response = await in_thread(lambda: error_of(client(emulator, "storagegateway")))
    assert response["Error"]["Code"] == code
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    if fault.inner:
        assert response["error"]["errorCode"] == fault.inner


@pytest.mark.parametrize(
    ("kind", "service", "method", "code", "status"),
    [
        ("throttle", "sts", "get_caller_identity", "Throttling", 400),
        ("throttle", "ec2", "describe_regions", "RequestLimitExceeded", 503),
        ("throttle", "account", "list_regions", "TooManyRequestsException", 429),
        ("throttle", "organizations", "list_roots", "TooManyRequestsException", 400),
        ("access_denied", "sts", "get_caller_identity", "AccessDenied", 403),
        ("access_denied", "ec2", "describe_regions", "UnauthorizedOperation", 403),
        ("access_denied", "account", "list_regions", "AccessDeniedException", 403),
        ("expired_token", "sts", "get_caller_identity", "ExpiredToken", 403),
        ("server_error", "sts", "get_caller_identity", "InternalFailure", 503),
        ("server_error", "ec2", "describe_regions", "InternalFailure", 503),
    ],
)
async def test_a_fault_speaks_as_the_service_does_that_it_strikes(
    kind: str, service: str, method: str, code: str, status: int
) -> None:
    async with Emulator(fleet(Fault(kind, service=service))) as emulator:
        response = await in_thread(lambda: error_of(client(emulator, service), method))
    assert response["Error"]["Code"] == code
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status


async def test_a_token_that_expired_stays_expired_and_the_next_one_is_good() -> None:
    served = fleet(Fault("expired_token", times=1))
    served.accounts[0].roles[0].trust = ("*",)
    role = served.accounts[0].role_arn(served.accounts[0].roles[0])
    async with Emulator(served) as emulator:

        def use() -> None:
            old = client(emulator, "storagegateway", **assume(emulator, role))
            for _ in range(2):
                assert error_of(old)["Error"]["Code"] == "ExpiredTokenException"
            new = client(emulator, "storagegateway", **assume(emulator, role))
            assert len(new.list_gateways()["Gateways"]) == 3

        await in_thread(use)


@pytest.mark.parametrize("kind", ["throttle", "error", "inner", "server_error"])
async def test_any_refusal_may_say_when_to_come_again(kind: str) -> None:
    async with Emulator(fleet(Fault(kind, retry_after="3"))) as emulator:
        response = await in_thread(lambda: error_of(client(emulator, "storagegateway")))
    assert response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "3"


def test_no_name_of_a_throttle_is_missing() -> None:
    from botocore.retries.standard import ThrottledRetryableChecker

    known: Any = ThrottledRetryableChecker
    assert set(known._THROTTLED_ERROR_CODES) == set(THROTTLES)


async def test_a_wrong_clock_shows_in_the_message_and_in_the_date() -> None:
    async with Emulator(fleet(Fault("wrong_clock", seconds=3600))) as emulator:
        response = await in_thread(lambda: error_of(client(emulator, "storagegateway")))
    assert "is now earlier than" in response["Error"]["Message"]
    date = parsedate_to_datetime(response["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert 3500 < date.timestamp() - time.time() < 3700


async def test_a_service_whose_clock_is_wrong_goes_by_it_in_everything() -> None:
    served = fleet()
    served.clock_skew_seconds = 3600
    async with Emulator(served) as emulator:
        response = await in_thread(lambda: error_of(client(emulator, "storagegateway")))
    assert response["Error"]["Code"] == "InvalidSignatureException"
    date = parsedate_to_datetime(response["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert 3500 < date.timestamp() - time.time() < 3700
    # A client that goes by that date is let in: here the clock that it is compared with goes an hour late.
    async with Emulator(served, clock=lambda: time.time() - 3600) as emulator:
        assert len((await in_thread(client(emulator, "storagegateway").list_gateways))["Gateways"]) == 3


async def test_a_denial_names_the_action_as_iam_does() -> None:
    """Whoever reads it adds that action to a policy."""
    async with Emulator(fleet(Fault("access_denied", service="tagging"))) as emulator:
        response = await in_thread(
            lambda: error_of(client(emulator, "resourcegroupstaggingapi"), "get_resources")
        )
    assert "to perform: tag:GetResources on" in response["Error"]["Message"]
