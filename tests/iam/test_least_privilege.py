"""By the emulator's own reading of policies: they suffice, and nothing can be taken away from them."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scanner import Scanner
from scanner.emulator import Account, Emulator, Fleet, Gateway, Key, Role, Volume
from scanner.iam.permissions import (
    ALWAYS,
    DETAILS,
    PERMISSIONS,
    Statement,
    base_statements,
    organization_statements,
    region_operation,
    session_policy,
    statements,
)
from tests.aws.scans import config, environment
from tests.emulator.clients import assume, client, in_thread
from tests.iam.test_permissions import EVERY_CHOICE
from tests.iam.test_template import deployed
from tests.test_config_files import printed

HUB, PROD = "111111111111", "222222222222"
REGIONS = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1"}
REFUSALS = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
SCAN = {name for name, each in PERMISSIONS.items() if each.service not in ("organizations", "sts")}
DISCOVERY = PERMISSIONS.keys() - SCAN


def fleet(roles: Iterable[Role] = (), keys: Iterable[Key] = (), partition: str = "aws") -> Fleet:
    region = REGIONS[partition]
    gateway = Gateway("sgw-12A3456B", region, volumes=[Volume("vol-1122AABB")])
    return Fleet(
        [
            Account(HUB, regions=[region], keys=list(keys)),
            Account(PROD, regions=[region], gateways=[gateway], roles=list(roles)),
        ]
    )


def refused(emulator: Emulator, keys: Mapping[str, str], partition: str = "aws") -> set[str]:
    """The operations of a scan that these keys may not do; each is tried with what a scan would send."""
    region = REGIONS[partition]
    gateway = f"arn:{partition}:storagegateway:{region}:{PROD}:gateway/sgw-12A3456B"
    gateways, tagging, account, ec2 = (
        client(emulator, service, region, **keys)
        for service in ("storagegateway", "resourcegroupstaggingapi", "account", "ec2")
    )
    calls: dict[str, Callable[[], Any]] = {
        "ListGateways": gateways.list_gateways,
        "ListVolumeRecoveryPoints": lambda: gateways.list_volume_recovery_points(GatewayARN=gateway),
        "DescribeGatewayInformation": lambda: gateways.describe_gateway_information(GatewayARN=gateway),
        "ListVolumes": lambda: gateways.list_volumes(GatewayARN=gateway),
        "DescribeCachediSCSIVolumes": lambda: gateways.describe_cached_iscsi_volumes(
            VolumeARNs=[f"{gateway}/volume/vol-1122AABB"]
        ),
        "GetResources": tagging.get_resources,
        "ListRegions": account.list_regions,
        "DescribeRegions": ec2.describe_regions,
    }
    assert calls.keys() == SCAN
    return denied(calls)


def denied(calls: Mapping[str, Callable[[], Any]]) -> set[str]:
    found = set()
    for name, call in calls.items():
        try:
            call()
        except ClientError as error:
            if error.response["Error"]["Code"] not in REFUSALS:
                raise
            found.add(name)
    return found


def needed(details: Iterable[str], partition: str = "aws") -> set[str]:
    chosen = {operation for detail in details for operation in DETAILS[detail]}
    return {*ALWAYS, *chosen, region_operation(partition)}


def without(allowed: list[Statement], action: str) -> list[Statement]:
    """The policy less one action, and less the statement that this leaves empty."""
    rest = [{**each, "Action": [one for one in each["Action"] if one != action]} for each in allowed]
    return [each for each in rest if each["Action"]]


def role_arn(name: str, partition: str = "aws") -> str:
    return f"arn:{partition}:iam::{PROD}:role/{name}"


@pytest.mark.parametrize("partition", REGIONS)
async def test_the_role_may_do_what_its_details_need_and_nothing_else_that_a_scan_ever_does(
    partition: str,
) -> None:
    roles = {
        details: Role("-".join(("role", *details)), policy=statements(details, partition=partition))
        for details in EVERY_CHOICE
    }
    async with Emulator(fleet(roles.values(), partition=partition)) as emulator:

        def use() -> None:
            for details, role in roles.items():
                keys = assume(emulator, role_arn(role.name, partition), region=REGIONS[partition])
                assert refused(emulator, keys, partition) == SCAN - needed(details, partition)

        await in_thread(use)


@pytest.mark.parametrize("partition", REGIONS)
async def test_each_action_that_is_taken_away_is_missed(partition: str) -> None:
    whole = statements(list(DETAILS), partition=partition)
    lost = {action: without(whole, action) for each in whole for action in each["Action"]}
    roles = [Role(action.partition(":")[2], policy=policy) for action, policy in lost.items()]
    async with Emulator(fleet(roles, partition=partition)) as emulator:

        def use() -> None:
            for role in roles:
                keys = assume(emulator, role_arn(role.name, partition), region=REGIONS[partition])
                rest = needed(DETAILS, partition) - {role.name}
                assert refused(emulator, keys, partition) == SCAN - rest

        await in_thread(use)


async def test_a_session_of_an_almighty_role_can_do_no_more_than_the_scan() -> None:
    async with Emulator(fleet([Role("admin")])) as emulator:

        def use() -> None:
            for details in EVERY_CHOICE:
                keys = assume(emulator, role_arn("admin"), Policy=session_policy(details))
                assert refused(emulator, keys) == SCAN - needed(details) - {"DescribeRegions"}
                further = {
                    "AssumeRole": lambda keys=keys: assume(emulator, role_arn("admin"), source=keys),
                    "ListRoots": client(emulator, "organizations", **keys).list_roots,
                }
                assert denied(further) == further.keys()

        await in_thread(use)


async def test_the_base_identity_discovers_and_assumes_and_misses_whatever_is_taken_away() -> None:
    whole = [*organization_statements(), *base_statements("sgw-scanner")]
    policies = {"": whole} | {
        action.partition(":")[2]: without(whole, action) for each in whole for action in each["Action"]
    }
    keys = [
        Key(f"AKIA{number:016}", "secret", policy=policy) for number, policy in enumerate(policies.values())
    ]
    async with Emulator(fleet([Role("sgw-scanner"), Role("other")], keys)) as emulator:

        def attempt(key: Key) -> set[str]:
            given = {"aws_access_key_id": key.id, "aws_secret_access_key": key.secret}
            api = client(emulator, "organizations", **given)
            root = emulator.fleet.organization.root_id if emulator.fleet.organization else ""
            calls: dict[str, Callable[[], Any]] = {
                "DescribeOrganization": api.describe_organization,
                "ListRoots": api.list_roots,
                "ListOrganizationalUnitsForParent": lambda: api.list_organizational_units_for_parent(
                    ParentId=root
                ),
                "ListAccountsForParent": lambda: api.list_accounts_for_parent(ParentId=root),
                "AssumeRole": lambda: assume(emulator, role_arn("sgw-scanner"), source=given),
            }
            assert calls.keys() == DISCOVERY
            assert denied({"other": lambda: assume(emulator, role_arn("other"), source=given)})
            return denied(calls)

        def use() -> None:
            for lost, key in zip(policies, keys, strict=True):
                assert attempt(key) == ({lost} if lost else set())

        await in_thread(use)


def as_deployed(made: Mapping[str, Any]) -> Role:
    """The role of a stack, for the emulator."""
    enter, *tag = made["AssumeRolePolicyDocument"]["Statement"]
    (policy,) = made["Policies"]
    return Role(
        made["RoleName"],
        trust=[enter["Principal"]["AWS"]],
        external_id=enter["Condition"]["StringEquals"]["sts:ExternalId"],
        policy=policy["PolicyDocument"]["Statement"],
        trust_tags=[each["Action"] for each in tag] == ["sts:TagSession"],
    )


@pytest.mark.parametrize("partition", REGIONS)
async def test_the_role_of_the_template_lets_the_trusted_account_in_and_a_scan_through(
    partition: str,
) -> None:
    role = as_deployed(deployed(tuple(DETAILS), partition, ExternalId="shared"))
    async with Emulator(fleet([role], partition=partition)) as emulator:

        def use() -> None:
            arn, region = role_arn("sgw-scanner", partition), REGIONS[partition]
            bounds = session_policy(list(DETAILS), partition=partition)
            keys = assume(emulator, arn, region=region, ExternalId="shared", Policy=bounds)
            assert refused(emulator, keys, partition) == SCAN - needed(DETAILS, partition)
            assert denied({"AssumeRole": lambda: assume(emulator, arn, region=region, ExternalId="guessed")})

        await in_thread(use)


def test_a_session_policy_is_json_that_names_each_action_once() -> None:
    actions = [
        action for each in json.loads(session_policy(list(DETAILS)))["Statement"] for action in each["Action"]
    ]
    assert len(actions) == len(set(actions))


def printed_base(*options: str) -> list[Statement]:
    found: list[Statement] = json.loads(printed("policy", "--base", *options))["Statement"]
    return found


@pytest.mark.parametrize("lacking", ["", "identity", "trust"])
@pytest.mark.parametrize("via", [None, f"arn:aws:iam::{HUB}:role/hub"])
async def test_session_tags_need_just_what_is_printed_for_them(
    monkeypatch: pytest.MonkeyPatch, via: str | None, lacking: str
) -> None:
    """Of whoever assumes the role, the base identity or a hub role; the hub's own session has no tags."""
    tagging = () if lacking == "identity" else ("--session-tags",)
    made = deployed(session_tags=lacking != "trust", ExternalId="shared", RoleName="audit")
    assumes = printed_base(*tagging, "--role", "audit")
    key = Key("AKIAEXAMPLE", "secret", policy=printed_base("--role", via) if via else assumes)
    served = fleet([as_deployed(made)], [key])
    served.accounts[0].roles.append(Role("hub", policy=assumes, trust_tags=False))
    tags = {"purpose": "audit", "team": "storage"}
    settings = config(
        {"id": PROD, "role": "audit", "external_id": "shared", "via": via},
        credentials={"session_tags": tags},
    )
    async with Emulator(served) as emulator:
        environment(emulator, monkeypatch)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key.id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key.secret)
        async with Scanner(settings) as scanner:
            found = await scanner.scan()
        tagged = [session.tags for session in emulator.sessions.values() if session.account_id == PROD]
    if not lacking:
        assert (found.failures, found.coverage.gateways.scanned, tagged) == ((), 1, [tags])
        return
    (failure,) = found.failures
    assert (failure.scope, failure.kind, failure.operation) == ("account", "access_denied", "AssumeRole")
    who = f":{HUB}:assumed-role/hub/" if via else f":{HUB}:user/"
    assert re.search(f"{who}.* is not authorized to perform: sts:TagSession on ", failure.message)
    assert "sts:TagSession" in (failure.remedy or "")
