from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from scanner.emulator import Account, Emulator, Fleet, Role

from ..clients import assume, client, in_thread
from .organization import DELEGATE, HUB, PROD, TEST, fleet, pages


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
