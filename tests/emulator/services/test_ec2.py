from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from scanner.emulator import Account, Emulator, Fleet, Role

from ..clients import assume, client, in_thread
from ..wire import FORM, send, signed

HUB, PROD = "111111111111", "222222222222"


def fleet() -> Fleet:
    denied = Role("denied", policy=[])
    return Fleet(
        [Account(HUB, regions=["us-east-1", "us-west-2", "ap-east-1"]), Account(PROD, roles=[denied])]
    )


def where(name: str, *values: str) -> dict[str, Any]:
    return {"Filters": [{"Name": name, "Values": list(values)}]}


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({}, ["ap-east-1", "us-east-1", "us-west-2"]),
        (where("region-name", "us-*"), ["us-east-1", "us-west-2"]),
        (where("region-name", "us-east-?", "ap-*"), ["ap-east-1", "us-east-1"]),
        (where("opt-in-status", "opted-in"), ["ap-east-1"]),
        (where("endpoint", "ec2.us-west-2.amazonaws.com"), ["us-west-2"]),
        (where("region-name", "eu-*"), []),
        ({**where("region-name", "eu-west-?"), "AllRegions": True}, ["eu-west-1", "eu-west-2", "eu-west-3"]),
        (
            {"Filters": [*where("region-name", "us-*")["Filters"], *where("region-name", "*-2")["Filters"]]},
            ["us-west-2"],
        ),
        ({**where("region-name", "us-*"), "RegionNames": ["us-west-2", "ap-east-1"]}, ["us-west-2"]),
    ],
)
async def test_filters_choose_among_the_regions(arguments: dict[str, Any], names: list[str]) -> None:
    async with Emulator(fleet()) as emulator:
        answer = await in_thread(lambda: client(emulator, "ec2").describe_regions(**arguments))
    assert [region["RegionName"] for region in answer["Regions"]] == names


def code_of(api: Any, **arguments: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as refused:
        api.describe_regions(**arguments)
    response: Any = refused.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


async def test_a_dry_run_says_only_whether_it_would_have_worked() -> None:
    async with Emulator(fleet()) as emulator:

        def use() -> None:
            assert code_of(client(emulator, "ec2"), DryRun=True) == ("DryRunOperation", 412)
            keys = assume(emulator, f"arn:aws:iam::{PROD}:role/denied")
            assert code_of(client(emulator, "ec2", **keys), DryRun=True) == ("UnauthorizedOperation", 403)
            assert client(emulator, "ec2").describe_regions(DryRun=False)["Regions"]

        await in_thread(use)


async def test_a_filter_that_does_not_exist_is_refused() -> None:
    async with Emulator(fleet()) as emulator:
        api = client(emulator, "ec2")
        code = await in_thread(lambda: code_of(api, **where("colour", "red")))
    assert code == ("InvalidParameterValue", 400)


@pytest.mark.parametrize(
    "wrong",
    [
        "Filter.1.Name=region-name",
        "Filter.1.Value.1=us-*",
        "Filter=us-*",
        "Filter.1.Name=region-name&Filter.2.Value.1=us-*",
        "AllRegions=yes",
        "DryRun=1",
    ],
)
async def test_a_malformed_parameter_is_refused(wrong: str) -> None:
    async with Emulator(fleet()) as emulator:
        body = f"Action=DescribeRegions&Version=2016-11-15&{wrong}".encode()
        asked = signed(emulator.url, service="ec2", target=None, body=body, content_type=FORM)
        status, text = await send(*asked)
    assert status == 400
    assert b"<Code>InvalidParameterValue</Code>" in text
