"""The same walk through an organization, here and in moto, must find the same tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.server import ThreadedMotoServer

from scanner import Scanner
from scanner.emulator import Account, Emulator, Fleet, Organization, Role
from scanner.emulator.server.environment import environment
from tests.aws.scans import REGION, config

from ..clients import SESSION, client, in_thread

TREE = {"prod": "teams/prod", "test": "teams/test", "lone": "", "safe": "security"}
UNITS = ("teams", "teams/prod", "teams/test", "security", "empty")


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


def build(api: Any, tree: Mapping[str, str] = TREE) -> dict[str, str]:
    """The tree, made with the calls that moto has for it; its ids by their names."""
    api.create_organization(FeatureSet="ALL")
    root = api.list_roots()["Roots"][0]["Id"]
    ids = {"": root}
    for path in UNITS:
        parent, _, name = path.rpartition("/")
        unit = api.create_organizational_unit(ParentId=ids[parent], Name=name)
        ids[path] = unit["OrganizationalUnit"]["Id"]
    for name, path in tree.items():
        status = api.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]
        ids[name] = status["AccountId"]
        if path:
            api.move_account(AccountId=ids[name], SourceParentId=root, DestinationParentId=ids[path])
    return ids


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


# More accounts in one unit than moto puts on a page.
CROWD = {f"crowd-{number}": "teams/prod" for number in range(21)}
FOREST = {**TREE, **CROWD, "closed": "teams/prod"}
MASTER = "master"
NOWHERE = "ou-ab12-99999999"
Facts = tuple[str | None, ...]


def planted() -> tuple[Fleet, dict[str, str]]:
    """The forest in the emulator, and its ids by their names."""
    names = {MASTER: "", **FOREST}
    accounts = [Account(f"{number:012d}", name, ou=names[name]) for number, name in enumerate(names, 5)]
    for account in accounts:
        account.roles = [Role("scan", trust=(accounts[0].id,))]
    accounts[-1].state = "SUSPENDED"
    made = Organization(units=UNITS)
    ids = {path: made.unit_id(path) for path in ("", *UNITS)}
    return Fleet(accounts, organization=made), ids | {account.name: account.id for account in accounts}


@contextmanager
def grown() -> Iterator[tuple[str, dict[str, str]]]:
    """The address of moto's own server with the forest in it, and its ids by their names."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        with urlopen(Request(f"{url}/moto-api/reset", method="POST")):
            pass
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        api = SESSION.client("organizations", REGION, endpoint_url=url, **keys)
        ids = build(api, FOREST)
        api.close_account(AccountId=ids["closed"])
        described = api.describe_organization()["Organization"]
        yield url, {**ids, MASTER: described["MasterAccountId"]}
    finally:
        server.stop()


async def discovered(
    url: str, ids: Mapping[str, str], choice: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> tuple[set[Facts], set[Facts]]:
    """Targets and failures of a scan that asks no gateway; names stand for the ids, which are never the same.

    A target is skipped only after its account was entered, for it is the account that has Regions.
    """
    for name, value in environment(url, REGION).items():
        monkeypatch.setenv(name, value)
    chosen = {
        key: [ids.get(name, name) for name in value] if isinstance(value, list) else value
        for key, value in choice.items()
    }
    settings = config(organization={"role": "scan", **chosen}, scan={"exclude_regions": [REGION]})
    async with Scanner(settings) as scanner:
        found = await scanner.scan()

    def told(text: str | None) -> str | None:
        for name, given in ids.items():
            text = text.replace(given, name) if text else text
        return text

    targets = [
        (told(each.account_id), each.account_name, told(each.ou_path), each.region, each.status, each.reason)
        for each in found.targets
    ]
    failures = [
        (each.scope, told(each.account_id), each.operation, each.kind, each.code, told(each.remedy))
        for each in found.failures
    ]
    assert len(targets) == len(set(targets))
    return set(targets), set(failures)


ALL = {MASTER: "Root", "lone": "Root", "safe": "Root/security", "test": "Root/teams/test"}
ALL |= dict.fromkeys(("prod", *CROWD), "Root/teams/prod")


@pytest.mark.parametrize(
    ("choice", "expected", "told"),
    [
        ({}, ALL, None),
        ({"include_management_account": False}, ALL.keys() - {MASTER}, None),
        ({"include_ous": ["teams"]}, {"prod", "test", *CROWD}, None),
        ({"include_ous": ["teams/test", "security", "empty"]}, {"test", "safe"}, None),
        ({"exclude_ous": ["teams"]}, {MASTER, "lone", "safe"}, None),
        ({"exclude_ous": ["teams/prod"], "exclude_accounts": ["lone"]}, {MASTER, "safe", "test"}, None),
        ({"include_ous": [NOWHERE, "security"]}, {"safe", "*"}, "there is no such root or"),
        ({"include_ous": ["r-zz99"]}, {"*"}, "there is no such root or organizational unit"),
        ({"exclude_ous": [NOWHERE, "teams"]}, {MASTER, "lone", "safe", "*"}, "look at exclude_ous"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) and len(value) < 3 else "",
)
async def test_a_scan_discovers_the_same_accounts_here_and_in_moto(
    monkeypatch: pytest.MonkeyPatch,
    choice: dict[str, Any],
    expected: Mapping[str, str] | set[str],
    told: str | None,
) -> None:
    """Nested units and pages, with the same names, places and failures; none that is closed."""
    fleet, ids = planted()
    async with Emulator(fleet) as emulator:
        ours = await discovered(emulator.url, ids, choice, monkeypatch)
        assumed = emulator.count("AssumeRole")
    with grown() as (url, other_ids):
        theirs = await discovered(url, other_ids, choice, monkeypatch)
    assert ours == theirs
    targets, failures = ours
    assert {account for account, *_ in targets} == set(expected)
    assert assumed == len(set(expected) - {"*"})
    if isinstance(expected, dict):
        assert {name: path for _, name, path, *_ in targets} == expected
    assert [told in str(message) for *_, message in failures if told] == ([True] if told else [])
    assert bool(failures) is bool(told)
