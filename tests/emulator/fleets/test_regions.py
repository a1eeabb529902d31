"""The emulator knows every Region that the SDK knows, and which of them an account must opt into."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from scanner.emulator import Account, Emulator, Fleet, Gateway
from scanner.emulator.fleets.regions import DEFAULT_REGIONS, OPT_IN_REGIONS, partition_of, regions_of

from ..clients import client, in_thread

SDK: list[dict[str, Any]] = botocore.session.get_session().get_data("endpoints")["partitions"]
REGIONS = [(each["partition"], region) for each in SDK for region in sorted(each["regions"])]
SERVED = [
    (each["partition"], region)
    for each in SDK
    for region in sorted(each["services"].get("storagegateway", {}).get("endpoints", ()))
    if region in each["regions"]
]


@pytest.mark.parametrize("each", SDK, ids=lambda each: str(each["partition"]))
def test_no_region_of_the_sdk_is_missing_and_each_is_of_its_partition(each: dict[str, Any]) -> None:
    assert set(regions_of(each["partition"])) == set(each["regions"])


@pytest.mark.parametrize(("partition", "region"), SERVED)
async def test_wherever_the_service_is_offered_a_fleet_can_be_served(partition: str, region: str) -> None:
    account = Account("111122223333", gateways=[Gateway("sgw-12A3456B", region)])
    async with Emulator(Fleet([account])) as emulator:
        api = client(emulator, "storagegateway", region)
        (listed,) = (await in_thread(api.list_gateways))["Gateways"]
    assert listed["GatewayARN"].startswith(f"arn:{partition}:storagegateway:{region}:111122223333:")


def test_only_what_was_launched_until_march_2019_comes_without_opting_in() -> None:
    """Osaka became a Region of its own later, and is the one exception."""
    assert len(DEFAULT_REGIONS) == 17
    assert {region for _, region in REGIONS if partition_of(region) == "aws"} == {
        *DEFAULT_REGIONS,
        *OPT_IN_REGIONS,
    }
    assert not set(DEFAULT_REGIONS) & set(OPT_IN_REGIONS)


@pytest.mark.parametrize("region", OPT_IN_REGIONS)
async def test_a_region_that_was_not_opted_into_is_listed_as_disabled_and_answers_nobody(region: str) -> None:
    async with Emulator(Fleet([Account("111122223333")])) as emulator:

        def use() -> None:
            account, ec2 = (client(emulator, service) for service in ("account", "ec2"))
            listed = account.get_paginator("list_regions").paginate().build_full_result()["Regions"]
            assert {"RegionName": region, "RegionOptStatus": "DISABLED"} in listed
            (described,) = ec2.describe_regions(RegionNames=[region], AllRegions=True)["Regions"]
            assert described["OptInStatus"] == "not-opted-in"
            gateways = client(emulator, "storagegateway", region)
            with pytest.raises(gateways.exceptions.ClientError, match=r"security token .* is invalid"):
                gateways.list_gateways()

        await in_thread(use)
