"""The policies allow what a scan asks, and nothing that it could do without."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

import botocore.session
import pytest
from typer.testing import CliRunner

from scanner.cli.commands.iam import app as iam
from scanner.config.settings import Detail
from scanner.errors import ConfigError
from scanner.iam.permissions import (
    DETAILS,
    PARTITIONS,
    PERMISSIONS,
    SESSION_POLICY_LIMIT,
    base_document,
    base_statements,
    compact,
    organization_statements,
    policy_document,
    remedy,
    session_policy,
    statements,
)

EVERY_CHOICE = [choice for size in range(4) for choice in combinations(DETAILS, size)]


def actions(allowed: list[dict[str, Any]]) -> set[str]:
    return {action for statement in allowed for action in statement["Action"]}


def test_every_detail_of_the_configuration_has_its_permissions() -> None:
    assert set(DETAILS) == set(get_args(Detail))


@pytest.mark.parametrize("listed", [True, False])
def test_a_plain_scan_of_named_regions_needs_its_lists_and_recovery_points(listed: bool) -> None:
    assert actions(statements((), enabled_regions=False, list_volumes=listed)) == {
        "storagegateway:ListGateways",
        "storagegateway:ListVolumeRecoveryPoints",
        *(["storagegateway:ListVolumes"] if listed else []),
    }


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov"])
@pytest.mark.parametrize("details", EVERY_CHOICE)
def test_no_two_statements_of_a_policy_share_a_sid_for_iam_would_refuse_it(
    details: tuple[str, ...], partition: str
) -> None:
    sids = [each["Sid"] for each in statements(details, partition=partition)]
    assert len(sids) == len(set(sids))


def test_where_account_management_does_not_exist_ec2_is_asked_for_the_regions() -> None:
    assert "account:ListRegions" in actions(statements(()))
    assert "account:ListRegions" in actions(statements((), partition="aws-cn"))
    government = actions(statements((), partition="aws-us-gov"))
    assert "ec2:DescribeRegions" in government
    assert "account:ListRegions" not in government


def test_the_order_in_which_details_are_written_changes_nothing() -> None:
    assert statements(["tags", "gateway"]) == statements(["gateway", "tags"])


def test_resources_are_of_the_partition_and_account_asked_for() -> None:
    resources = {
        each["Resource"] for each in statements(["volumes"], partition="aws-cn", account_id="1" * 12)
    }
    assert resources == {
        "*",
        "arn:aws-cn:storagegateway:*:111111111111:gateway/*",
        "arn:aws-cn:storagegateway:*:111111111111:gateway/*/volume/*",
        "arn:aws-cn:account::111111111111:account",
    }


def test_an_unknown_detail_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ConfigError, match=r"'tapes' is unknown; choose from gateway, volumes, tags"):
        statements(["tapes"])


@pytest.mark.parametrize("details", EVERY_CHOICE)
def test_a_session_is_bounded_to_what_the_role_needs_and_either_way_to_the_regions(
    details: tuple[str, ...],
) -> None:
    text = session_policy(details, partition="aws-us-gov", account_id="111122223333")
    assert len(text) <= SESSION_POLICY_LIMIT / 2
    allowed = json.loads(text)["Statement"]
    assert actions(allowed) == actions(statements(details)) | {"ec2:DescribeRegions"}
    assert all("Sid" not in statement for statement in allowed)


def test_a_session_that_is_told_its_regions_may_not_ask_for_them() -> None:
    assert "Regions" not in session_policy((), enabled_regions=False)


def test_a_session_policy_that_sts_would_refuse_is_never_made() -> None:
    with pytest.raises(ValueError, match="2048"):
        compact(base_statements(f"arn:aws:iam::{number:012}:role/scanner" for number in range(60)))


def test_the_whole_policy_is_of_the_current_version() -> None:
    assert policy_document(["tags"]) == {"Version": "2012-10-17", "Statement": statements(["tags"])}


def test_the_base_identity_may_only_read_the_organization() -> None:
    (statement,) = organization_statements()
    assert all(
        action.startswith(("organizations:List", "organizations:Describe")) for action in statement["Action"]
    )


def test_a_role_name_means_that_role_in_every_account_and_an_arn_just_the_one() -> None:
    hub = "arn:aws:iam::999988887777:role/hub"
    assert base_statements("sgw-scanner", partition="aws-cn")[0]["Resource"] == (
        "arn:aws-cn:iam::*:role/sgw-scanner"
    )
    assert base_statements([hub])[0]["Resource"] == hub
    assert base_statements(["sgw-scanner", hub])[0]["Resource"] == ["arn:aws:iam::*:role/sgw-scanner", hub]


def test_the_base_identity_may_tag_sessions_only_where_that_was_asked_for() -> None:
    plain, tagging = (base_document("audit", session_tags=asked)["Statement"] for asked in (False, True))
    assert actions(tagging) - actions(plain) == {"sts:TagSession"}
    assert [each["Resource"] for each in tagging] == [each["Resource"] for each in plain]


def test_every_partition_of_the_sdk_is_known() -> None:
    known = botocore.session.get_session().get_data("endpoints")["partitions"]
    assert set(PARTITIONS) == {each["partition"] for each in known}


@pytest.mark.parametrize("partition", PARTITIONS)
def test_policies_are_printed_for_every_partition(partition: str) -> None:
    for document in (policy_document((), partition=partition), base_document("audit", partition=partition)):
        assert f"arn:{partition}:" in json.dumps(document)


@pytest.mark.parametrize(
    "role", ["sgw-scanner", "team/audit", "arn:aws-cn:iam::111122223333:role/team/audit"]
)
def test_a_role_is_named_as_in_the_configuration(role: str) -> None:
    resource = base_document(role)["Statement"][-1]["Resource"]
    assert resource == (role if role.startswith("arn:") else f"arn:aws:iam::*:role/{role}")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--partition", "bogus"], "'bogus' is unknown; choose from aws, aws-cn, aws-us-gov, "),
        (["--base", "--partition", "AWS"], "'AWS' is unknown; choose from aws, "),
        (["--base", "--role", "bad role!"], "'bad role!' is neither a role's name .* nor its ARN"),
        (["--base", "--role", ""], "'' is neither a role's name"),
        (["--base", "--role", "*"], "'\\*' is neither a role's name"),
        (["--base", "--role", "rôle"], "'rôle' is neither a role's name"),
        (["--base", "--role", "arn:aws:iam::1:role/x"], r"nor its ARN \(arn:aws:iam::ACCOUNT:role/NAME\)"),
        (["--base", "--role", "arn:aws:iam::111122223333:user/x"], "neither a role's name"),
        (["--base", "--role", "arn:aws-moon:iam::111122223333:role/x"], "'aws-moon' is unknown; choose from"),
        (["--role", "audit"], "add --base"),
        (["--session-tags"], "add --base .*iam template --session-tags"),
    ],
)
def test_what_no_policy_can_be_about_is_refused_with_what_would_be_right(
    options: list[str], told: str
) -> None:
    result = CliRunner().invoke(iam, ["policy", *options])
    assert isinstance(result.exception, ConfigError)
    assert re.search(told, str(result.exception))
    assert result.stdout == ""


def test_the_documentation_explains_every_permission() -> None:
    page = (Path(__file__).parents[2] / "docs" / "permissions.md").read_text()
    explained = set(re.findall(r"^\| `([a-z0-9]+:\w+)` \|", page, flags=re.MULTILINE))
    assert explained == {permission.action for permission in PERMISSIONS.values()}


@pytest.mark.parametrize(
    ("operation", "resource", "advice"),
    [
        (
            "ListVolumeRecoveryPoints",
            "arn:aws-cn:storagegateway:cn-north-1:111122223333:gateway/sgw-12A3456B",
            "Add to the policy of the role that scans: "
            '{"Effect": "Allow", "Action": ["storagegateway:ListVolumeRecoveryPoints"], '
            '"Resource": "arn:aws-cn:storagegateway:*:111122223333:gateway/*"}',
        ),
        (
            "ListRegions",
            None,
            "Add to the policy of the role that scans: "
            '{"Effect": "Allow", "Action": ["account:ListRegions"], '
            '"Resource": "arn:aws:account::*:account"}',
        ),
        (
            "ListRoots",
            "*",
            "Add to the policy of the base identity: "
            '{"Effect": "Allow", "Action": ["organizations:ListRoots"], "Resource": "*"}',
        ),
        (
            "AssumeRole",
            "arn:aws:iam::111122223333:role/audit",
            "Add to the policy of the base identity: "
            '{"Effect": "Allow", "Action": ["sts:AssumeRole"], '
            '"Resource": "arn:aws:iam::111122223333:role/audit"}; '
            "the role's trust policy must name that identity, with the same external id",
        ),
        ("ListTapes", None, "Compare the role's policy with: sgw-scanner iam policy"),
    ],
)
def test_what_is_refused_comes_with_the_statement_that_mends_it(
    operation: str, resource: str | None, advice: str
) -> None:
    assert remedy(operation, resource) == advice


def test_whoever_may_not_tag_sessions_is_told_where_that_must_be_allowed() -> None:
    advice = remedy("AssumeRole", "arn:aws:iam::111122223333:role/audit", session_tags=True)
    assert '"Action": ["sts:AssumeRole", "sts:TagSession"]' in advice
    assert advice.endswith("and allow it sts:TagSession")
