from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scanner.emulator import Account, DetachedVolume, Emulator, Fleet, Gateway, Role, Volume

from ..clients import assume, client, in_thread

HUB, PROD = "111111111111", "222222222222"
MOMENT = datetime(2026, 11, 23, 8, 0, 0, 627_000, tzinfo=UTC)


def fleet() -> Fleet:
    cached = Gateway(
        "sgw-00000001",
        "us-east-1",
        volumes=[
            Volume("vol-00000001", recovery_point=MOMENT),
            Volume("vol-00000002", recovery_point=timedelta(hours=3), usage_bytes=None),
            Volume("vol-00000003", recovery_point="garbage"),
            Volume("vol-00000004"),
        ],
    )
    others = [
        Gateway("sgw-00000002", "us-east-1", type="STORED", volumes=[Volume("vol-00000005")]),
        Gateway("sgw-00000003", "us-east-1", error="GatewayNotConnected"),
        Gateway("sgw-00000004", "eu-west-1"),
        Gateway("sgw-00000005", "us-east-1", host_environment="EC2", tags={"a": "1", "b": "2", "c": "3"}),
    ]
    return Fleet([Account(HUB, gateways=[cached, *others]), Account(PROD, roles=[Role("reader")])])


def gateway(number: int, region: str = "us-east-1", account: str = HUB) -> str:
    return f"arn:aws:storagegateway:{region}:{account}:gateway/sgw-0000000{number}"


def volume(number: int, owner: int = 1) -> str:
    return f"{gateway(owner)}/volume/vol-0000000{number}"


async def test_recovery_points_are_those_of_the_fleet_and_one_for_each_volume() -> None:
    started = datetime.now(UTC).timestamp()
    async with Emulator(fleet(), clock=lambda: started) as emulator:
        api = client(emulator, "storagegateway")
        answer = await in_thread(lambda: api.list_volume_recovery_points(GatewayARN=gateway(1)))
    points = answer["VolumeRecoveryPointInfos"]
    assert [point["VolumeARN"] for point in points] == [volume(1), volume(2), volume(3)]
    assert points[0]["VolumeRecoveryPointTime"] == "2026-11-23T08:00:00.627Z"
    relative = datetime.fromisoformat(points[1]["VolumeRecoveryPointTime"])
    assert started - relative.timestamp() == pytest.approx(3 * 3600, abs=0.01)
    assert points[2]["VolumeRecoveryPointTime"] == "garbage"
    assert ["VolumeUsageInBytes" in point for point in points] == [True, False, True]


async def test_volumes_without_a_recovery_point_are_listed_as_volumes() -> None:
    async with Emulator(fleet()) as emulator:

        def use() -> None:
            api = client(emulator, "storagegateway")
            pages = api.get_paginator("list_volumes").paginate(PaginationConfig={"PageSize": 2})
            arns = [info["VolumeARN"] for page in pages for info in page["VolumeInfos"]]
            assert arns == [*(volume(number) for number in range(1, 5)), volume(5, 2)]
            own = api.list_volumes(GatewayARN=gateway(1))["VolumeInfos"]
            assert [info["VolumeType"] for info in own] == ["CACHED"] * 4
            described = api.describe_cached_iscsi_volumes(VolumeARNs=[volume(4), volume(1)])
            assert [each["VolumeId"] for each in described["CachediSCSIVolumes"]] == [
                "vol-00000004",
                "vol-00000001",
            ]

        await in_thread(use)


async def test_a_page_holds_what_was_asked_for_in_the_order_of_the_arns() -> None:
    async with Emulator(fleet()) as emulator:

        def use() -> None:
            api = client(emulator, "storagegateway")
            first = api.list_gateways(Limit=3)
            second = api.list_gateways(Limit=3, Marker=first["Marker"])
            ids = [each["GatewayId"] for page in (first, second) for each in page["Gateways"]]
            assert ids == ["sgw-00000001", "sgw-00000002", "sgw-00000003", "sgw-00000005"]
            assert "Marker" not in second
            assert second["Gateways"][-1]["Ec2InstanceRegion"] == "us-east-1"
            tags = api.get_paginator("list_tags_for_resource").paginate(
                ResourceARN=gateway(5), PaginationConfig={"PageSize": 2}
            )
            assert [len(page["Tags"]) for page in tags] == [2, 1]

        await in_thread(use)


FOUND = "InvalidGatewayRequestException"


@pytest.mark.parametrize(
    ("method", "arguments", "code", "inner"),
    [
        (
            "list_volume_recovery_points",
            {"GatewayARN": gateway(2)},
            FOUND,
            "UnsupportedOperationForGatewayType",
        ),
        ("list_volume_recovery_points", {"GatewayARN": gateway(3)}, FOUND, "GatewayNotConnected"),
        ("list_volume_recovery_points", {"GatewayARN": gateway(9)}, FOUND, "GatewayNotFound"),
        ("list_volume_recovery_points", {"GatewayARN": "x" * 50}, FOUND, "InvalidParameters"),
        ("list_volume_recovery_points", {"GatewayARN": gateway(4, "eu-west-1")}, FOUND, "InvalidParameters"),
        (
            "list_volume_recovery_points",
            {"GatewayARN": gateway(1, account=PROD)},
            "AccessDeniedException",
            None,
        ),
        ("list_volume_recovery_points", {"GatewayARN": "x"}, "ValidationException", None),
        ("list_volume_recovery_points", {}, "ValidationException", None),
        ("list_gateways", {"Limit": 0}, "ValidationException", None),
        ("list_gateways", {"Limit": 101}, "ValidationException", None),
        ("list_gateways", {"Limit": "x"}, "ValidationException", None),
        ("list_gateways", {"Marker": ""}, "ValidationException", None),
        ("list_gateways", {"Marker": 7}, "ValidationException", None),
        ("list_gateways", {"Marker": "x" * 2001}, "ValidationException", None),
        ("list_volumes", {"GatewayARN": "x" * 50}, FOUND, "InvalidParameters"),
        ("list_volumes", {"GatewayARN": gateway(9)}, FOUND, "GatewayNotFound"),
        ("describe_gateway_information", {"GatewayARN": gateway(3)}, FOUND, "GatewayNotConnected"),
        (
            "describe_cached_iscsi_volumes",
            {"VolumeARNs": [volume(1), volume(5, 2)]},
            FOUND,
            "InvalidParameters",
        ),
        ("describe_cached_iscsi_volumes", {"VolumeARNs": []}, FOUND, "InvalidParameters"),
        ("describe_cached_iscsi_volumes", {"VolumeARNs": ["x" * 50]}, FOUND, "InvalidParameters"),
        ("describe_cached_iscsi_volumes", {"VolumeARNs": [volume(9)]}, FOUND, "VolumeNotFound"),
        ("describe_cached_iscsi_volumes", {"VolumeARNs": [volume(9, 9)]}, FOUND, "GatewayNotFound"),
        ("describe_cached_iscsi_volumes", {"VolumeARNs": [volume(9, 3)]}, FOUND, "GatewayNotConnected"),
        (
            "describe_cached_iscsi_volumes",
            {"VolumeARNs": [volume(5, 2)]},
            FOUND,
            "UnsupportedOperationForGatewayType",
        ),
        ("describe_cached_iscsi_volumes", {}, "ValidationException", None),
        ("list_tags_for_resource", {"ResourceARN": "x" * 50}, FOUND, "InvalidParameters"),
        ("list_tags_for_resource", {"ResourceARN": gateway(9)}, FOUND, "GatewayNotFound"),
        ("list_tags_for_resource", {"ResourceARN": volume(9)}, FOUND, "VolumeNotFound"),
    ],
)
async def test_a_wrong_question_gets_the_error_that_aws_gives(
    method: str, arguments: dict[str, Any], code: str, inner: str | None
) -> None:
    async with Emulator(fleet()) as emulator:

        def use() -> dict[str, Any]:
            api = client(emulator, "storagegateway", config={"parameter_validation": False})
            with pytest.raises(ClientError) as refused:
                getattr(api, method)(**arguments)
            return dict(refused.value.response)

        response = await in_thread(use)
    assert response["Error"]["Code"] == code
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response.get("error", {}).get("errorCode") == inner


async def test_asking_for_another_account_is_counted_as_a_mismatch() -> None:
    async with Emulator(fleet()) as emulator:

        def use() -> None:
            keys = assume(emulator, f"arn:aws:iam::{PROD}:role/reader")
            with pytest.raises(ClientError, match="AccessDenied"):
                client(emulator, "storagegateway", **keys).list_volume_recovery_points(GatewayARN=gateway(1))

        await in_thread(use)
        assert emulator.mismatches == 1
        assert emulator.requests["storagegateway", "ListVolumeRecoveryPoints", PROD, "us-east-1"] == 1


async def test_a_fleet_may_change_while_it_is_served() -> None:
    served = fleet()
    async with Emulator(served, log_size=2) as emulator:

        def use() -> None:
            api = client(emulator, "storagegateway", "eu-west-1")
            assert len(api.list_gateways()["Gateways"]) == 1
            served.accounts[0].gateways.append(Gateway("sgw-00000006", "eu-west-1"))
            emulator.refresh()
            assert len(api.list_gateways()["Gateways"]) == 2

        await in_thread(use)
        assert list(emulator.log) == [("storagegateway", "ListGateways", HUB, "eu-west-1", 200)] * 2


LOST = "arn:aws:storagegateway:us-east-1:111111111111:gateway/sgw-0000000F/volume"
DETACHED = [
    DetachedVolume("vol-0000000A", region="us-east-1", gateway="sgw-0000000F", tags={"tier": "1"}),
    DetachedVolume("vol-0000000B", region="us-east-1", gateway="sgw-0000000F", type="STORED"),
    DetachedVolume("vol-0000000C", region="us-east-1", gateway="sgw-00000001", recovery_point=MOMENT),
    DetachedVolume("vol-0000000D", region="eu-west-1"),
]


def with_detached() -> Fleet:
    served = fleet()
    served.accounts[0].detached_volumes = list(DETACHED)
    return served


async def test_without_a_gateway_all_volumes_of_the_account_in_the_region_are_listed() -> None:
    async with Emulator(with_detached()) as emulator:

        def use() -> None:
            api = client(emulator, "storagegateway")
            listed = api.list_volumes()["VolumeInfos"]
            assert [info["VolumeId"][-1] for info in listed] == [*"1234", "C", "5", *"AB"]
            assert [info["VolumeType"] for info in listed if "GatewayARN" not in info] == [
                "CACHED",
                "CACHED",
                "STORED",
            ]
            stored = next(info for info in listed if info["VolumeId"] == "vol-00000005")
            assert (stored["VolumeType"], stored["GatewayARN"]) == ("STORED", gateway(2))
            elsewhere = client(emulator, "storagegateway", "eu-west-1").list_volumes()["VolumeInfos"]
            assert [info["VolumeId"] for info in elsewhere] == ["vol-0000000D"]
            keys = assume(emulator, f"arn:aws:iam::{PROD}:role/reader")
            assert client(emulator, "storagegateway", **keys).list_volumes()["VolumeInfos"] == []

        await in_thread(use)


async def test_a_detached_volume_names_no_gateway_and_is_of_none() -> None:
    async with Emulator(with_detached()) as emulator:

        def use() -> None:
            api = client(emulator, "storagegateway")
            lost = next(
                info for info in api.list_volumes()["VolumeInfos"] if info["VolumeId"] == "vol-0000000A"
            )
            assert lost == {
                "VolumeARN": f"{LOST}/vol-0000000A",
                "VolumeId": "vol-0000000A",
                "VolumeType": "CACHED",
                "VolumeSizeInBytes": 100 * 1024**3,
                "VolumeAttachmentStatus": "DETACHED",
            }
            # The gateway that its ARN still names does not know it any more.
            own = api.list_volumes(GatewayARN=gateway(1))["VolumeInfos"]
            assert [info["VolumeId"][-1] for info in own] == [*"1234"]
            points = api.list_volume_recovery_points(GatewayARN=gateway(1))["VolumeRecoveryPointInfos"]
            assert [point["VolumeARN"][-1] for point in points] == [*"123"]

        await in_thread(use)


async def test_a_detached_volume_can_be_described_and_has_tags() -> None:
    async with Emulator(with_detached()) as emulator:

        def use() -> None:
            api = client(emulator, "storagegateway")
            (lost,) = api.describe_cached_iscsi_volumes(VolumeARNs=[f"{LOST}/vol-0000000A"])[
                "CachediSCSIVolumes"
            ]
            assert (lost["VolumeAttachmentStatus"], lost["VolumeId"]) == ("DETACHED", "vol-0000000A")
            assert "VolumeiSCSIAttributes" not in lost
            for wrong, problem in (
                ([f"{LOST}/vol-0000000A", volume(1)], "of one gateway"),
                ([f"{LOST}/vol-0000000B"], "not supported for this type"),
                ([f"{LOST}/vol-0000000A", f"{LOST}/vol-0000000E"], "gateway was not found"),
            ):
                with pytest.raises(ClientError, match=problem) as refused:
                    api.describe_cached_iscsi_volumes(VolumeARNs=wrong)
                assert refused.value.response["Error"]["Code"] == FOUND
            assert api.list_tags_for_resource(ResourceARN=f"{LOST}/vol-0000000A")["Tags"] == [
                {"Key": "tier", "Value": "1"}
            ]
            tagged = client(emulator, "resourcegroupstaggingapi").get_resources(
                ResourceTypeFilters=["storagegateway:volume"]
            )
            assert [each["ResourceARN"] for each in tagged["ResourceTagMappingList"]] == [
                f"{LOST}/vol-0000000A"
            ]

        await in_thread(use)


async def test_volumes_come_a_hundred_to_a_page() -> None:
    many = [Volume(f"vol-{number:08X}") for number in range(250)]
    served = Fleet([Account(HUB, gateways=[Gateway("sgw-00000001", "us-east-1", volumes=many)])])
    served.accounts[0].detached_volumes = [DetachedVolume("vol-000000FF", region="us-east-1")]
    async with Emulator(served) as emulator:

        def use() -> None:
            api = client(emulator, "storagegateway")
            first = api.list_volumes()
            second = api.list_volumes(Marker=first["Marker"])
            third = api.list_volumes(Marker=second["Marker"])
            assert [len(page["VolumeInfos"]) for page in (first, second, third)] == [100, 100, 51]
            assert "Marker" not in third
            ids = {info["VolumeId"] for page in (first, second, third) for info in page["VolumeInfos"]}
            assert ids == {each.id for each in many} | {"vol-000000FF"}

        await in_thread(use)


async def test_there_are_no_file_shares() -> None:
    async with Emulator(fleet()) as emulator:

        def use() -> None:
            api = client(emulator, "storagegateway")
            assert api.list_file_shares()["FileShareInfoList"] == []
            assert api.list_file_shares(GatewayARN=gateway(2), Limit=10)["FileShareInfoList"] == []
            assert list(api.get_paginator("list_file_shares").paginate())
            with pytest.raises(ClientError, match="gateway was not found"):
                api.list_file_shares(GatewayARN=gateway(9))

        await in_thread(use)
