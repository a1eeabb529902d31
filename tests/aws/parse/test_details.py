"""The answers to the extra calls, as records."""

from typing import Any

import pytest

from scanner.aws.parse.details import gateway_description, tag_page, volume_descriptions, volume_page
from scanner.service.answers import ListedVolume
from scanner.service.errors import InvalidResponse

GATEWAY = "arn:aws:storagegateway:us-east-1:111122223333:gateway/sgw-1"
VOLUME = f"{GATEWAY}/volume/vol-1"


def test_a_gateways_facts_are_named_as_in_the_inventory() -> None:
    found = gateway_description(
        {
            "GatewayARN": GATEWAY,
            "GatewayState": "RUNNING",
            "GatewayTimezone": "GMT+1:00",
            "GatewayNetworkInterfaces": [{"Ipv4Address": "10.0.0.1", "Later": 1}],
            "Tags": [{"Key": "tier", "Value": "1"}, {"Key": "bare"}],
            "Later": {},
        },
        GATEWAY,
    )
    assert found.details == {
        "state": "RUNNING",
        "time_zone": "GMT+1:00",
        "network_interfaces": [{"ipv4": "10.0.0.1"}],
    }
    assert found.tags == {"tier": "1", "bare": ""}


def test_a_gateway_without_facts_has_none() -> None:
    found = gateway_description({"GatewayARN": GATEWAY}, GATEWAY)
    assert (found.details, found.tags) == ({}, {})


@pytest.mark.parametrize(
    "fields",
    [
        {"GatewayARN": "another"},
        {"GatewayState": 7},
        {"GatewayNetworkInterfaces": {}},
        {"GatewayNetworkInterfaces": [7]},
        {"GatewayNetworkInterfaces": [{"MacAddress": 7}]},
        {"Tags": [{"Value": "1"}]},
        {"Tags": [{"Key": 7}]},
        {"Tags": ["tier"]},
    ],
)
def test_facts_of_another_shape_are_nonsense(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidResponse):
        gateway_description({"GatewayARN": GATEWAY, **fields}, GATEWAY)


def test_an_answer_that_describes_no_gateway_is_worth_another_try() -> None:
    with pytest.raises(InvalidResponse, match="describes no gateway") as raised:
        gateway_description({}, GATEWAY)
    assert raised.value.facts.retryable


def test_listed_volumes_come_with_size_attachment_and_marker() -> None:
    entry = {"VolumeARN": VOLUME, "VolumeSizeInBytes": 5, "VolumeAttachmentStatus": "ATTACHED"}
    found = volume_page({"VolumeInfos": [entry], "Marker": "next"})
    assert (found.volumes, found.marker) == ((ListedVolume(VOLUME, 5, "ATTACHED"),), "next")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"VolumeInfos": {}},
        {"VolumeInfos": [], "Marker": 5},
    ],
)
def test_a_listing_of_volumes_of_another_shape_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidResponse):
        volume_page(body)


@pytest.mark.parametrize(
    "entry",
    [
        7,
        {},
        {"VolumeARN": 7},
        {"VolumeARN": VOLUME, "VolumeSizeInBytes": "5"},
        {"VolumeARN": VOLUME, "GatewayARN": 5},
    ],
)
def test_a_broken_entry_of_volumes_costs_no_other(entry: object) -> None:
    broken, other = volume_page({"VolumeInfos": [entry, {"VolumeARN": VOLUME}]}).volumes
    assert broken.problem
    assert other == ListedVolume(VOLUME)


def test_a_broken_status_of_a_volume_is_left_out_and_named() -> None:
    entry = {"VolumeARN": VOLUME, "VolumeAttachmentStatus": 5, "VolumeType": "CACHED"}
    (found,) = volume_page({"VolumeInfos": [entry]}).volumes
    assert found == ListedVolume(VOLUME, type="CACHED", dropped=("VolumeAttachmentStatus",))


def described(**fields: Any) -> Any:
    (found,) = volume_descriptions({"CachediSCSIVolumes": [{"VolumeARN": VOLUME, **fields}]})
    return found


def test_a_volumes_facts_are_named_as_in_the_inventory() -> None:
    found = described(
        VolumeStatus="AVAILABLE", CreatedDate=1.5e9, VolumeSizeInBytes=7, VolumeUsedInBytes=3, TargetName="t"
    )
    assert found.details == {
        "status": "AVAILABLE",
        "target_name": "t",
        "created_at": "2017-07-14T02:40:00.000Z",
    }
    assert (found.size_bytes, found.usage_bytes, found.attachment_status) == (7, 3, None)


def test_a_volume_without_facts_has_none() -> None:
    assert described().details == {}


@pytest.mark.parametrize(
    "created", [True, "2017", 1e300, -1e300, 10**400, float("nan"), float("inf"), [], {}]
)
def test_a_creation_that_is_no_time_is_nonsense(created: object) -> None:
    with pytest.raises(InvalidResponse, match="CreatedDate is no time"):
        described(CreatedDate=created)


def test_tags_come_by_arn_and_an_empty_token_ends_them() -> None:
    body = {"ResourceTagMappingList": [{"ResourceARN": VOLUME, "Tags": [{"Key": "a", "Value": "b"}]}]}
    assert tag_page({**body, "PaginationToken": ""}).marker is None
    assert tag_page({**body, "PaginationToken": "x"}).marker == "x"
    assert tag_page(body).tags == {VOLUME: {"a": "b"}}


@pytest.mark.parametrize("entry", [7, {}, {"ResourceARN": 7}, {"ResourceARN": VOLUME}])
def test_tags_of_another_shape_are_nonsense(entry: object) -> None:
    with pytest.raises(InvalidResponse) as raised:
        tag_page({"ResourceTagMappingList": [entry]})
    assert raised.value.facts.retryable
