from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from scanner.emulator import Account, Emulator, Fleet, Organization
from scanner.emulator.services.organizations import OPERATIONS as ORGANIZATIONS
from scanner.emulator.services.storage_gateway import OPERATIONS as STORAGE_GATEWAY

from ..clients import client, in_thread, token
from ..conformance import complaints

HUB = "111111111111"


def fleet() -> Fleet:
    made = Fleet.generate(
        2, ["us-east-1"], seed=3, gateways_per_target=12, volumes_per_gateway=3, role="sgw-scanner"
    )
    for gateway in made.accounts[0].gateways:
        gateway.tags = {f"key-{number:02d}": "value" for number in range(12)}
        for volume in gateway.volumes:
            volume.tags = {"tier": "1"}
            volume.kms_key = "arn:aws:kms:us-east-1:111100000000:key/1"
    made.accounts[0].gateways[0].name = None
    made.accounts[1].ou = "work"
    made.accounts[1].roles[0].trust = ("*",)
    made.organization = Organization(status=True)
    return made


def cached(served: Fleet) -> tuple[str, list[str]]:
    account = served.accounts[0]
    gateway = next(each for each in account.gateways if each.type == "CACHED" and each.volumes)
    arn = account.arn_of(gateway)
    return arn, [f"{arn}/volume/{volume.id}" for volume in gateway.volumes]


def questions(served: Fleet) -> list[tuple[str, str, dict[str, Any]]]:
    """Each operation once, with every page where it has pages."""
    arn, volumes = cached(served)
    unit = served.organization.unit_id("work") if served.organization else ""
    role = served.accounts[1].role_arn(served.accounts[1].roles[0])
    return [
        ("storagegateway", "ListGateways", {}),
        ("storagegateway", "ListGateways", {"Limit": 5}),
        ("storagegateway", "ListVolumeRecoveryPoints", {"GatewayARN": arn}),
        ("storagegateway", "ListVolumes", {}),
        ("storagegateway", "ListVolumes", {"GatewayARN": arn, "Limit": 2}),
        ("storagegateway", "ListFileShares", {}),
        ("storagegateway", "ListFileShares", {"GatewayARN": arn, "Limit": 5}),
        ("storagegateway", "DescribeGatewayInformation", {"GatewayARN": arn}),
        ("storagegateway", "DescribeCachediSCSIVolumes", {"VolumeARNs": volumes}),
        ("storagegateway", "ListTagsForResource", {"ResourceARN": arn, "Limit": 5}),
        ("storagegateway", "ListTagsForResource", {"ResourceARN": volumes[0]}),
        ("sts", "GetCallerIdentity", {}),
        ("sts", "AssumeRole", {"RoleArn": role, "RoleSessionName": "tests", "Policy": ALLOW}),
        (
            "sts",
            "AssumeRoleWithWebIdentity",
            {"RoleArn": role, "RoleSessionName": "tests", "WebIdentityToken": token()},
        ),
        ("organizations", "DescribeOrganization", {}),
        ("organizations", "ListRoots", {}),
        ("organizations", "ListOrganizationalUnitsForParent", {"ParentId": "r-ab12"}),
        ("organizations", "ListAccountsForParent", {"ParentId": unit}),
        ("organizations", "ListChildren", {"ParentId": "r-ab12", "ChildType": "ORGANIZATIONAL_UNIT"}),
        ("organizations", "ListAccounts", {}),
        ("organizations", "ListParents", {"ChildId": unit}),
        ("organizations", "DescribeAccount", {"AccountId": served.accounts[1].id}),
        ("organizations", "DescribeOrganizationalUnit", {"OrganizationalUnitId": unit}),
        ("account", "ListRegions", {}),
        ("ec2", "DescribeRegions", {"AllRegions": True}),
        ("resourcegroupstaggingapi", "GetResources", {"ResourcesPerPage": 7}),
    ]


ALLOW = json.dumps({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


async def test_every_answer_is_one_that_the_service_model_allows() -> None:
    served = fleet()
    asked = questions(served)
    for name, operations in (("storagegateway", STORAGE_GATEWAY), ("organizations", ORGANIZATIONS)):
        assert operations.keys() == {operation for service, operation, _ in asked if service == name}
    async with Emulator(served) as emulator:

        def use() -> None:
            for service, operation, arguments in asked:
                api = client(emulator, service)
                method = next(
                    name for name, known in api.meta.method_to_api_mapping.items() if known == operation
                )
                if api.can_paginate(method):
                    answers = list(api.get_paginator(method).paginate(**arguments))
                else:
                    answers = [getattr(api, method)(**arguments)]
                for answer in answers:
                    assert complaints(service, operation, answer) == []
                    assert answer["ResponseMetadata"]["RequestId"]
                    assert answer["ResponseMetadata"]["HTTPHeaders"]["date"].endswith("GMT")

        await in_thread(use)


async def test_json_answers_hold_nothing_that_the_parser_would_drop() -> None:
    """botocore ignores fields it does not know, so the raw body is compared with what it kept."""
    served = fleet()
    async with Emulator(served) as emulator:

        def use() -> None:
            for service, operation, arguments in questions(served):
                api = client(emulator, service)
                if api.meta.service_model.metadata["protocol"] != "json":
                    continue
                prefix = api.meta.service_model.metadata["targetPrefix"]
                raw = post(emulator, api.meta.service_model.signing_name, f"{prefix}.{operation}", arguments)
                for key in ("CreatedDate", "JoinedTimestamp"):
                    # Checked by the parsed answer; in JSON they are numbers.
                    drop(raw, key)
                assert complaints(service, operation, raw) == []

        await in_thread(use)


def drop(value: Any, key: str) -> None:
    if isinstance(value, dict):
        value.pop(key, None)
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            drop(each, key)


def post(emulator: Emulator, service: str, target: str, arguments: dict[str, Any]) -> Any:
    """A request made by hand and signed by botocore."""
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
    request: Any = AWSRequest("POST", emulator.url + "/", headers, json.dumps(arguments).encode())
    signer: Any = SigV4Auth
    signer(Credentials("test", "test"), service, "us-east-1").add_auth(request)
    with urlopen(Request(emulator.url, request.body, dict(request.headers.items()))) as answer:
        return json.load(answer)


def test_the_checker_itself_finds_what_is_wrong() -> None:
    wrong = {"Gateways": [{"GatewayARN": "x", "HostEnvironment": "ABACUS", "Colour": "red"}], "Marker": ""}
    assert len(complaints("storagegateway", "ListGateways", wrong)) == 4
    assert complaints("storagegateway", "ListVolumes", {"VolumeInfos": [{"VolumeSizeInBytes": "1"}]})


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1", "us-gov-west-1"])
async def test_the_partition_of_an_arn_follows_from_its_region(region: str) -> None:
    served = Fleet.generate(1, [region], gateways_per_target=1, types={"CACHED": 1}, volumes_per_gateway=1)
    async with Emulator(served) as emulator:

        def use() -> None:
            api = client(emulator, "storagegateway", region)
            (gateway,) = api.list_gateways()["Gateways"]
            partition = {"u": "aws", "c": "aws-cn"}.get(region[0], "aws")
            partition = "aws-us-gov" if "gov" in region else partition
            assert gateway["GatewayARN"].startswith(f"arn:{partition}:storagegateway:{region}:")
            assert complaints("storagegateway", "ListGateways", {"Gateways": [gateway]}) == []
            identity = client(emulator, "sts", region).get_caller_identity()
            assert identity["Arn"].split(":")[1] == partition

        await in_thread(use)


def test_an_account_without_gateways_has_the_regions_that_aws_enables_by_default() -> None:
    assert len(Account(HUB).enabled_regions) == 17
