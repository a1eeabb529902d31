from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from scanner.emulator import Account, Emulator
from scanner.emulator.fleets.regions import regions_of

from ..clients import assume, client, in_thread
from .organization import DELEGATE, PROD, TEST, fleet, pages


async def test_both_services_agree_about_the_enabled_regions() -> None:
    async with Emulator(fleet()) as emulator:

        def use() -> None:
            keys = assume(emulator, f"arn:aws:iam::{PROD}:role/reader")
            api = client(emulator, "account", **keys)
            listed = pages(
                api, "list_regions", "Regions", RegionOptStatusContains=["ENABLED", "ENABLED_BY_DEFAULT"]
            )
            assert [(region["RegionName"], region["RegionOptStatus"]) for region in listed] == [
                ("mx-central-9", "ENABLED"),
                ("us-east-1", "ENABLED_BY_DEFAULT"),
            ]
            whole = pages(api, "list_regions", "Regions", PaginationConfig={"PageSize": 7})
            assert len(whole) == len(regions_of("aws")) + 1
            ec2 = client(emulator, "ec2", **keys)
            described = ec2.describe_regions()["Regions"]
            assert [region["RegionName"] for region in described] == ["mx-central-9", "us-east-1"]
            assert described[0]["OptInStatus"] == "opted-in"
            assert len(ec2.describe_regions(AllRegions=True)["Regions"]) == len(whole)
            with pytest.raises(ClientError, match="Invalid region"):
                ec2.describe_regions(RegionNames=["nowhere-1"])

        await in_thread(use)


async def test_what_an_account_made_of_its_regions_is_told_as_it_is() -> None:
    served = fleet()
    served.accounts[1].region_status = {"ap-east-1": "ENABLING", "us-east-1": "DISABLING"}
    async with Emulator(served) as emulator:

        def use() -> None:
            keys = assume(emulator, f"arn:aws:iam::{PROD}:role/reader")
            api = client(emulator, "account", **keys)
            statuses = {
                each["RegionName"]: each["RegionOptStatus"] for each in pages(api, "list_regions", "Regions")
            }
            assert (statuses["ap-east-1"], statuses["us-east-1"]) == ("ENABLING", "DISABLING")
            with pytest.raises(ClientError, match="NextToken is invalid"):
                api.list_regions(NextToken="guessed")

        await in_thread(use)


async def test_only_managers_of_an_organization_may_ask_for_a_members_regions() -> None:
    served = fleet()
    served.accounts.append(Account("555555555555", in_organization=False))
    async with Emulator(served) as emulator:

        def use() -> None:
            member = client(emulator, "account", **assume(emulator, f"arn:aws:iam::{PROD}:role/reader"))
            audit = client(emulator, "account", **assume(emulator, f"arn:aws:iam::{DELEGATE}:role/reader"))
            assert audit.list_regions(AccountId=PROD)["Regions"]
            for api, account_id in (
                (member, TEST),
                (audit, "555555555555"),
                (audit, "999999999999"),
            ):
                with pytest.raises(ClientError, match="AccessDenied"):
                    api.list_regions(AccountId=account_id)

        await in_thread(use)


async def test_region_lists_are_refused_to_who_may_not_see_them() -> None:
    served = fleet()
    served.accounts[1].roles[0].policy = []
    async with Emulator(served) as emulator:

        def use() -> None:
            keys = assume(emulator, f"arn:aws:iam::{PROD}:role/reader")
            for service, call, code in (
                ("account", "list_regions", "AccessDeniedException"),
                ("ec2", "describe_regions", "UnauthorizedOperation"),
            ):
                with pytest.raises(ClientError) as refused:
                    getattr(client(emulator, service, **keys), call)()
                assert refused.value.response["Error"]["Code"] == code
                assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
            assert client(emulator, "account").list_regions(AccountId=PROD)["Regions"]

        await in_thread(use)
