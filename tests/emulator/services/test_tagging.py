from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scanner.emulator import Account, Emulator, Fleet, Gateway, Volume

from ..clients import client, in_thread
from ..wire import refusal, signed
from .organization import HUB, fleet, pages


async def test_the_tagging_service_pages_through_what_has_tags_and_nothing_else() -> None:
    volumes = [
        Volume(f"vol-0000000{number}", tags={"tier": str(number)} if number else {}) for number in range(4)
    ]
    gateway = Gateway("sgw-12A3456B", "us-east-1", tags={"team": "db"}, volumes=volumes)
    served = Fleet([Account(HUB, gateways=[gateway, Gateway("sgw-12A3456C", "us-east-1")])])
    async with Emulator(served) as emulator:

        def use() -> None:
            api = client(emulator, "resourcegroupstaggingapi")
            key = "ResourceTagMappingList"
            gateways = pages(api, "get_resources", key, ResourceTypeFilters=["storagegateway:gateway"])
            assert [item["Tags"] for item in gateways] == [[{"Key": "team", "Value": "db"}]]
            found = pages(
                api,
                "get_resources",
                key,
                ResourceTypeFilters=["storagegateway:volume"],
                PaginationConfig={"PageSize": 2},
            )
            assert [item["ResourceARN"][-12:] for item in found] == [each.id for each in volumes[1:]]
            chosen = api.get_resources(TagFilters=[{"Key": "tier", "Values": ["2", "3"]}])
            assert len(chosen[key]) == 2
            assert chosen["PaginationToken"] == ""
            named = api.get_resources(ResourceARNList=[found[0]["ResourceARN"]])
            assert len(named[key]) == 1
            for wrong in (
                {"ResourcesPerPage": 101},
                {"PaginationToken": "guessed"},
                {"ResourceARNList": [found[0]["ResourceARN"]], "ResourcesPerPage": 1},
            ):
                with pytest.raises(ClientError) as refused:
                    api.get_resources(**wrong)
                assert refused.value.response["Error"]["Code"] == "InvalidParameterException"

        await in_thread(use)


async def test_a_filter_that_is_no_list_is_refused() -> None:
    async with Emulator(fleet()) as emulator:
        target = "ResourceGroupsTaggingAPI_20170126.GetResources"
        asked = signed(emulator.url, service="tagging", target=target, body=b'{"TagFilters": "tier"}')
        assert await refusal(*asked) == ("InvalidParameterException", "TagFilters must be a list.")


@pytest.mark.parametrize(
    "wrong",
    [
        {"TagFilters": ["tier"]},
        {"TagFilters": [{"Values": ["1"]}]},
        {"TagFilters": [{"Key": "tier", "Values": "1"}]},
        {"ResourceTypeFilters": [7]},
        {"ResourceARNList": [{}]},
    ],
)
async def test_a_filter_of_another_shape_is_refused(wrong: dict[str, Any]) -> None:
    async with Emulator(fleet()) as emulator:
        target = "ResourceGroupsTaggingAPI_20170126.GetResources"
        asked = signed(emulator.url, service="tagging", target=target, body=json.dumps(wrong).encode())
        assert (await refusal(*asked))[0] == "InvalidParameterException"
