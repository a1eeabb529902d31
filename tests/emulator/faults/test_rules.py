from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from scanner.emulator import Emulator, Fault, Fleet
from scanner.emulator.faults import KINDS, THROTTLES

from ..clients import assume, client, in_thread


def fleet(*faults: Fault) -> Fleet:
    made = Fleet.generate(1, ["us-east-1"], gateways_per_target=3, types={"CACHED": 1}, volumes_per_gateway=2)
    for gateway in made.accounts[0].gateways:
        for volume in gateway.volumes:
            volume.recovery_point = "2026-11-23T08:00:00.000Z"
    made.faults = list(faults)
    return made


def error_of(api: Any, method: str = "list_gateways", **arguments: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as refused:
        getattr(api, method)(**arguments)
    response: Any = refused.value.response
    return dict(response)


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


async def test_a_host_that_is_down_refuses_connections_until_it_is_up_again() -> None:
    async with Emulator(fleet(Fault("refuse", times=1, seconds=0.3))) as emulator:

        def use() -> list[type[Exception] | int]:
            api, seen = client(emulator, "storagegateway"), list[type[Exception] | int]()
            while not seen or not isinstance(seen[-1], int):
                try:
                    seen.append(len(api.list_gateways()["Gateways"]))
                except (ConnectionClosedError, EndpointConnectionError) as error:
                    seen.append(type(error))
            return seen

        first, *refused, last = await in_thread(use)
    assert (first, set(refused), last) == (ConnectionClosedError, {EndpointConnectionError}, 3)


async def test_an_emulator_can_be_taken_down_and_up_at_the_same_address() -> None:
    async with Emulator(fleet()) as emulator:
        url, api = emulator.url, client(emulator, "storagegateway")
        await in_thread(api.list_gateways)
        for _ in range(2):
            await emulator.refuse()
        with pytest.raises(EndpointConnectionError):
            await in_thread(api.list_gateways)
        for _ in range(2):
            await emulator.accept()
        assert len((await in_thread(api.list_gateways))["Gateways"]) == 3
        assert emulator.url == url
        await emulator.refuse(3600)
    await emulator.refuse()
    await emulator.accept()
    assert emulator.url == url


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset_before_headers", ConnectionClosedError),
        ("reset_within_headers", ConnectionClosedError),
        ("reset_after_headers", (ConnectionClosedError, ResponseStreamingError)),
        ("cut_body", (ConnectionClosedError, ResponseStreamingError)),
        ("hang", ReadTimeoutError),
        ("hang_body", (ReadTimeoutError, ConnectionClosedError)),
    ],
)
async def test_a_connection_breaks_at_each_stage(kind: str, error: type[Exception]) -> None:
    async with Emulator(fleet(Fault(kind, times=1))) as emulator:

        def use() -> None:
            api = client(emulator, "storagegateway", config={"read_timeout": 0.2})
            with pytest.raises(error):
                api.list_gateways()
            assert len(api.list_gateways()["Gateways"]) == 3

        await in_thread(use)


@pytest.mark.parametrize("kind", ["trickle", "slow"])
async def test_a_slow_answer_is_whole_in_the_end(kind: str) -> None:
    async with Emulator(fleet(Fault(kind, seconds=0.05))) as emulator:
        answer = await in_thread(client(emulator, "storagegateway").list_gateways)
    assert len(answer["Gateways"]) == 3


@pytest.mark.parametrize("kind", ["html", "empty", "other_shape"])
async def test_an_answer_with_status_200_may_be_no_answer(kind: str) -> None:
    async with Emulator(fleet(Fault(kind, times=1))) as emulator:

        def use() -> None:
            api = client(emulator, "storagegateway")
            try:
                answer = api.list_gateways()
            except ValueError:
                # Newer SDKs refuse to parse it; older ones take it for an empty answer.
                answer = {}
            assert "Gateways" not in answer
            assert len(api.list_gateways()["Gateways"]) == 3

        await in_thread(use)


async def test_fields_can_be_changed_and_removed() -> None:
    def double(answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "VolumeRecoveryPointInfos": answer["VolumeRecoveryPointInfos"] * 2}

    infos = "VolumeRecoveryPointInfos"
    rules = [
        Fault("mutate", nth=1, patch={f"{infos}.*.VolumeSizeInBytes": -1, f"{infos}.7.x": 1, "a.b": 1}),
        Fault("mutate", nth=1, remove=[f"{infos}.0", f"{infos}.0.VolumeRecoveryPointTime", "none"]),
        Fault("mutate", nth=1, change=double),
    ]
    for rule in rules:
        rule.operation = "ListVolumeRecoveryPoints"
    served = fleet(*rules)
    arn = served.accounts[0].arn_of(served.accounts[0].gateways[0])
    async with Emulator(served) as emulator:

        def use() -> None:
            api = client(emulator, "storagegateway")
            answers = [api.list_volume_recovery_points(GatewayARN=arn)[infos] for _ in range(4)]
            assert [point["VolumeSizeInBytes"] for point in answers[0]] == [-1, -1]
            assert ["VolumeRecoveryPointTime" in point for point in answers[1]] == [False]
            assert len(answers[2]) == 4
            assert len(answers[3]) == 2

        await in_thread(use)


async def test_records_can_come_twice_or_be_of_others() -> None:
    operation, infos = "ListVolumeRecoveryPoints", "VolumeRecoveryPointInfos"
    rules = (
        Fault("duplicate", operation=operation, nth=1),
        Fault("foreign_account", operation=operation, nth=1),
        Fault("foreign_account", operation=operation, nth=1, other="123456789012"),
        Fault("foreign_region", operation=operation, nth=1),
    )
    served = fleet(*rules)
    arn = served.accounts[0].arn_of(served.accounts[0].gateways[0])
    async with Emulator(served) as emulator:

        def use() -> None:
            api = client(emulator, "storagegateway")
            answers = [api.list_volume_recovery_points(GatewayARN=arn) for _ in range(5)]
            assert {answer["GatewayARN"] for answer in answers} == {arn}
            owners = [
                [tuple(point["VolumeARN"].split(":")[3:5]) for point in answer[infos]] for answer in answers
            ]
            own = served.accounts[0].id
            assert owners == [
                [("us-east-1", own)] * 4,
                [("us-east-1", "999999999999")] * 2,
                [("us-east-1", "123456789012")] * 2,
                [("ap-south-2", own)] * 2,
                [("us-east-1", own)] * 2,
            ]

        await in_thread(use)


async def test_markers_can_repeat_or_never_end() -> None:
    rules = (Fault("repeat_marker", times=3), Fault("endless_markers"))
    async with Emulator(fleet(*rules)) as emulator:

        def use() -> None:
            api = client(emulator, "storagegateway")
            same = [api.list_gateways()["Marker"]]
            same += [api.list_gateways(Marker=same[0])["Marker"] for _ in range(2)]
            assert len(set(same)) == 1
            marker, seen = api.list_gateways()["Marker"], set()
            for _ in range(5):
                seen.add(marker)
                marker = api.list_gateways(Marker=marker)["Marker"]
            assert len(seen) == 5

        await in_thread(use)


async def test_an_empty_page_loses_nothing_for_who_goes_on() -> None:
    async with Emulator(fleet(Fault("empty_page", nth=1), Fault("empty_page", nth=2))) as emulator:

        def use() -> None:
            pages = client(emulator, "storagegateway").get_paginator("list_gateways")
            sizes = [len(page["Gateways"]) for page in pages.paginate(PaginationConfig={"PageSize": 2})]
            assert sizes == [0, 2, 0, 1]

        await in_thread(use)


@pytest.mark.parametrize(
    ("service", "method", "key", "arguments"),
    [
        ("organizations", "list_accounts_for_parent", "Accounts", {"ParentId": "r-ab12"}),
        ("account", "list_regions", "Regions", {}),
        ("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", {}),
    ],
)
async def test_an_empty_page_of_any_service_leads_on_to_what_it_left_out(
    service: str, method: str, key: str, arguments: dict[str, str]
) -> None:
    name = "tagging" if service.startswith("resource") else service
    served = fleet(Fault("empty_page", service=name, nth=1))
    served.accounts[0].gateways[0].tags = {"tier": "1"}
    async with Emulator(served) as emulator:

        def use() -> None:
            pages = client(emulator, service).get_paginator(method).paginate(**arguments)
            first, *rest = [page[key] for page in pages]
            assert first == []
            assert rest[0]

        await in_thread(use)


async def test_a_rule_hits_only_the_calls_that_it_names() -> None:
    served = fleet()
    first, second = (served.accounts[0].arn_of(gateway) for gateway in served.accounts[0].gateways[:2])
    rules = [
        Fault("vanished", gateway=first.rpartition("/")[2], times=1),
        Fault("vanished", account="9*"),
        Fault("vanished", region="eu-*"),
        Fault("throttle", operation="ListVol*", from_nth=3, times=1, each=True),
    ]
    async with Emulator(served) as emulator:
        for rule in rules:
            emulator.faults.add(rule)

        def use() -> None:
            api = client(emulator, "storagegateway")
            api.list_gateways()
            assert error_of(api, "list_volume_recovery_points", GatewayARN=first)["error"]["errorCode"]
            for arn in (first, second):
                hits = 0
                for _ in range(5):
                    try:
                        api.list_volume_recovery_points(GatewayARN=arn)
                    except ClientError:
                        hits += 1
                assert hits == 1
            emulator.faults.clear()
            api.list_volume_recovery_points(GatewayARN=first)

        await in_thread(use)
        assert emulator.faults.hits == {"vanished": 1, "throttle": 2}


async def test_the_same_seed_hits_the_same_calls() -> None:
    def struck(emulator: Emulator) -> list[bool]:
        api = client(emulator, "storagegateway")
        found = []
        for _ in range(20):
            try:
                api.list_gateways()
                found.append(False)
            except ClientError:
                found.append(True)
        return found

    runs = []
    for seed in (1, 1, 2):
        async with Emulator(fleet(Fault("throttle", probability=0.5, seed=seed))) as emulator:
            runs.append(await in_thread(lambda emulator=emulator: struck(emulator)))  # type: ignore[misc]
    assert runs[0] == runs[1] != runs[2]
    assert 0 < sum(runs[0]) < 20


async def test_the_same_seed_hits_the_same_gateways_in_whatever_order_they_are_asked() -> None:
    served = Fleet.generate(1, ["us-east-1"], gateways_per_target=16, types={"CACHED": 1})
    served.faults = [Fault("throttle", operation="ListVolume*", probability=0.5, seed=4)]
    arns = [served.accounts[0].arn_of(gateway) for gateway in served.accounts[0].gateways]

    def struck(emulator: Emulator, order: list[str]) -> set[str]:
        api, found = client(emulator, "storagegateway"), set()
        for arn in order:
            try:
                api.list_volume_recovery_points(GatewayARN=arn)
            except ClientError:
                found.add(arn)
        return found

    hits = []
    for order in (arns, arns[::-1]):
        async with Emulator(served) as emulator:
            hits.append(await in_thread(lambda emulator=emulator, order=order: struck(emulator, order)))  # type: ignore[misc]
    assert hits[0] == hits[1]
    assert 0 < len(hits[0]) < 16


async def test_stopping_does_not_wait_for_answers_that_hang() -> None:
    emulator = Emulator(fleet(Fault("hang")))
    await emulator.start()

    def use() -> None:
        api = client(emulator, "storagegateway", config={"read_timeout": 0.05})
        with pytest.raises(ReadTimeoutError):
            api.list_gateways()

    await in_thread(use)
    began = time.monotonic()
    await emulator.stop()
    assert time.monotonic() - began < 2


def test_an_unknown_kind_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match="there are throttle, error"):
        Fault("earthquake")
    assert len(set(KINDS)) == len(KINDS)
