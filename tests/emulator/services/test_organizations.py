from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from scanner.emulator import Account, Emulator, Fleet, Gateway, Organization, Role, Volume
from scanner.emulator.fleets.regions import regions_of

from ..clients import assume, client, in_thread
from ..wire import refusal, signed

HUB, PROD, TEST, DELEGATE = "111111111111", "222222222222", "333333333333", "444444444444"


def fleet() -> Fleet:
    accounts = [
        Account(HUB, "hub", email="hub@example.com"),
        Account(PROD, "prod", ["us-east-1", "mx-central-9"], ou="work/prod", roles=[Role("reader")]),
        Account(TEST, "test", ou="work/test", state="SUSPENDED"),
        Account(DELEGATE, "audit", ou="security", roles=[Role("reader")]),
    ]
    return Fleet(
        accounts,
        organization=Organization(units=["empty"], delegated=[DELEGATE], page_size=1),
        extra_regions=["mx-central-9"],
    )


def pages(api: Any, name: str, key: str, **arguments: Any) -> list[Any]:
    return [item for page in api.get_paginator(name).paginate(**arguments) for item in page[key]]


async def test_the_organization_is_a_tree_that_pages_lead_through() -> None:
    async with Emulator(fleet()) as emulator:

        def use() -> None:
            api = client(emulator, "organizations")
            accounts = pages(api, "list_accounts", "Accounts")
            assert [account["Id"] for account in accounts] == [HUB, PROD, TEST, DELEGATE]
            assert [account["State"] for account in accounts] == ["ACTIVE", "ACTIVE", "SUSPENDED", "ACTIVE"]
            assert "Status" not in accounts[0]
            (root,) = pages(api, "list_roots", "Roots")
            units = pages(
                api, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=root["Id"]
            )
            assert {unit["Name"] for unit in units} == {"empty", "security", "work"}
            work = next(unit for unit in units if unit["Name"] == "work")
            below = pages(
                api, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=work["Id"]
            )
            assert {unit["Name"] for unit in below} == {"prod", "test"}
            prod = next(unit for unit in below if unit["Name"] == "prod")
            assert [
                account["Name"]
                for account in pages(api, "list_accounts_for_parent", "Accounts", ParentId=prod["Id"])
            ] == ["prod"]
            assert api.list_parents(ChildId=PROD)["Parents"][0]["Id"] == prod["Id"]
            assert api.list_parents(ChildId=prod["Id"])["Parents"][0]["Id"] == work["Id"]
            assert api.list_parents(ChildId=work["Id"])["Parents"][0]["Type"] == "ROOT"
            named = api.describe_organizational_unit(OrganizationalUnitId=prod["Id"])
            assert named["OrganizationalUnit"]["Name"] == "prod"
            assert api.describe_organization()["Organization"]["MasterAccountId"] == HUB
            assert api.describe_account(AccountId=TEST)["Account"]["State"] == "SUSPENDED"

        await in_thread(use)


async def test_only_management_and_delegated_accounts_see_the_organization() -> None:
    served = fleet()
    async with Emulator(served) as emulator:

        def use() -> None:
            member = client(emulator, "organizations", **assume(emulator, f"arn:aws:iam::{PROD}:role/reader"))
            assert member.describe_organization()["Organization"]["MasterAccountId"] == HUB
            with pytest.raises(ClientError) as refused:
                member.list_accounts()
            assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
            keys = assume(emulator, f"arn:aws:iam::{DELEGATE}:role/reader")
            assert client(emulator, "organizations", **keys).list_accounts()["Accounts"]

        await in_thread(use)


@pytest.mark.parametrize(
    ("operation", "arguments", "code"),
    [
        ("list_accounts_for_parent", {"ParentId": "ou-ab12-99999999"}, "ParentNotFoundException"),
        ("list_parents", {"ChildId": "999999999999"}, "ChildNotFoundException"),
        (
            "describe_organizational_unit",
            {"OrganizationalUnitId": "ou-ab12-99999999"},
            "OrganizationalUnitNotFoundException",
        ),
        ("describe_account", {"AccountId": "999999999999"}, "AccountNotFoundException"),
        ("list_accounts", {"NextToken": "guessed"}, "InvalidInputException"),
        ("list_children", {"ParentId": "r-ab12", "ChildType": "FRIEND"}, "InvalidInputException"),
    ],
)
async def test_what_is_not_in_the_organization_is_an_error_of_its_own(
    operation: str, arguments: dict[str, str], code: str
) -> None:
    async with Emulator(fleet()) as emulator:

        def use() -> None:
            with pytest.raises(ClientError) as refused:
                getattr(client(emulator, "organizations"), operation)(**arguments)
            assert refused.value.response["Error"]["Code"] == code

        await in_thread(use)


async def test_a_policy_may_open_one_unit_and_its_accounts_only() -> None:
    served = fleet()
    organization = served.organization
    assert organization is not None
    prod = organization.unit_id("work/prod")
    arn = f"arn:aws:organizations::{HUB}"
    served.accounts[0].roles = [
        Role(
            "narrow",
            policy=[
                {
                    "Effect": "Allow",
                    "Action": "organizations:*",
                    "Resource": [f"{arn}:ou/*/{prod}", f"{arn}:account/*/{PROD}"],
                }
            ],
        )
    ]
    async with Emulator(served) as emulator:

        def use() -> None:
            api = client(emulator, "organizations", **assume(emulator, f"arn:aws:iam::{HUB}:role/narrow"))
            assert [each["Id"] for each in api.list_accounts_for_parent(ParentId=prod)["Accounts"]] == [PROD]
            assert api.describe_account(AccountId=PROD)["Account"]["Name"] == "prod"
            for method, arguments in (
                (api.list_accounts_for_parent, {"ParentId": organization.root_id}),
                (api.list_children, {"ParentId": organization.unit_id("work"), "ChildType": "ACCOUNT"}),
                (api.describe_account, {"AccountId": TEST}),
                (api.list_accounts, {}),
            ):
                with pytest.raises(ClientError, match="AccessDenied"):
                    method(**arguments)

        await in_thread(use)


async def test_without_an_organization_nothing_is_listed() -> None:
    async with Emulator(Fleet([Account(HUB)], organization=None)) as emulator:

        def use() -> None:
            with pytest.raises(ClientError) as refused:
                client(emulator, "organizations").describe_organization()
            assert refused.value.response["Error"]["Code"] == "AWSOrganizationsNotInUseException"

        await in_thread(use)


async def test_an_older_endpoint_still_sends_the_retired_status() -> None:
    served = fleet()
    assert served.organization is not None
    served.organization.status = True
    async with Emulator(served) as emulator:

        def use() -> None:
            accounts = pages(client(emulator, "organizations"), "list_accounts", "Accounts")
            assert [account["Status"] for account in accounts][2] == "SUSPENDED"

        await in_thread(use)


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
            told = {
                each["RegionName"]: each["RegionOptStatus"] for each in pages(api, "list_regions", "Regions")
            }
            assert (told["ap-east-1"], told["us-east-1"]) == ("ENABLING", "DISABLING")
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
