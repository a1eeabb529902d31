"""The same walk through an organization, here and in moto, must find the same tree."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

from scanner.emulator import Account, Emulator, Fleet, Organization

from .clients import client, in_thread

TREE = {"prod": "work/prod", "test": "work/test", "lone": "", "safe": "security"}
UNITS = ("work", "work/prod", "work/test", "security", "empty")


def walk(api: Any) -> list[tuple[str, list[str]]]:
    """(path of a unit, names of the accounts right below it), depth first."""
    found: list[tuple[str, list[str]]] = []

    def listed(operation: str, key: str, **arguments: str) -> list[dict[str, Any]]:
        return [item for page in api.get_paginator(operation).paginate(**arguments) for item in page[key]]

    def enter(parent: str, path: str) -> None:
        accounts = listed("list_accounts_for_parent", "Accounts", ParentId=parent)
        units = listed("list_organizational_units_for_parent", "OrganizationalUnits", ParentId=parent)
        for account in accounts:
            assert api.list_parents(ChildId=account["Id"])["Parents"][0]["Id"] == parent
        for kind, below in (("ACCOUNT", accounts), ("ORGANIZATIONAL_UNIT", units)):
            children = listed("list_children", "Children", ParentId=parent, ChildType=kind)
            assert {(child["Id"], child["Type"]) for child in children} == {
                (each["Id"], kind) for each in below
            }
        found.append((path, sorted(account["Name"] for account in accounts)))
        for unit in sorted(units, key=lambda unit: str(unit["Name"])):
            described = api.describe_organizational_unit(OrganizationalUnitId=unit["Id"])
            assert described["OrganizationalUnit"]["Name"] == unit["Name"]
            enter(unit["Id"], f"{path}/{unit['Name']}")

    (root,) = listed("list_roots", "Roots")
    enter(root["Id"], "")
    return found


def errors(api: Any) -> list[str]:
    """The codes for what is not there; not for ListParents, whose model knows no error that moto gives."""
    codes = []
    for method, arguments in (
        ("list_accounts_for_parent", {"ParentId": "ou-ab12-99999999"}),
        ("list_organizational_units_for_parent", {"ParentId": "r-zzzz"}),
        ("describe_organizational_unit", {"OrganizationalUnitId": "ou-ab12-99999999"}),
        ("describe_account", {"AccountId": "999999999999"}),
    ):
        try:
            getattr(api, method)(**arguments)
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
    return codes


def build(api: Any) -> None:
    """The tree, made with the calls that moto has for it."""
    api.create_organization(FeatureSet="ALL")
    root = api.list_roots()["Roots"][0]["Id"]
    ids = {"": root}
    for path in UNITS:
        parent, _, name = path.rpartition("/")
        unit = api.create_organizational_unit(ParentId=ids[parent], Name=name)
        ids[path] = unit["OrganizationalUnit"]["Id"]
    for name, path in TREE.items():
        status = api.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]
        if path:
            api.move_account(
                AccountId=status["AccountId"], SourceParentId=root, DestinationParentId=ids[path]
            )


async def test_the_same_walk_finds_the_same_tree_and_the_same_errors() -> None:
    accounts = [Account("111111111111", "master")]
    accounts += [Account(f"{number:012d}", name, ou=TREE[name]) for number, name in enumerate(TREE, 5)]
    fleet = Fleet(accounts, organization=Organization(units=UNITS, page_size=1))

    def theirs() -> tuple[list[tuple[str, list[str]]], list[str]]:
        with mock_aws():
            session: Any = boto3.session.Session()
            api = session.client(
                "organizations", "us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
            )
            build(api)
            return walk(api), errors(api)

    async with Emulator(fleet) as emulator:
        api = client(emulator, "organizations")
        ours = await in_thread(lambda: (walk(api), errors(api)))
    other = await in_thread(theirs)
    assert ours == other
