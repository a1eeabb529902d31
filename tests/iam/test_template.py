"""The CloudFormation template is valid, and makes just the role that the policies describe."""

from typing import Any

import pytest
from cfnlint.api import lint_all
from cfnlint.decode import decode_str

from scanner.errors import ConfigError
from scanner.iam.permissions import DETAILS, statements
from scanner.iam.template import role_template

ACCOUNT, TRUSTED = "222222222222", "111111111111"
Parameters = dict[str, str]


def resolved(node: Any, known: Parameters, conditions: dict[str, Any]) -> Any:
    """What CloudFormation makes of a part of the template."""
    if isinstance(node, list):
        parts = [resolved(part, known, conditions) for part in node]
        return [part for part in parts if part is not None]
    if not isinstance(node, dict):
        return node
    match list(node.items()):
        case [("Ref", "AWS::NoValue")]:
            return None
        case [("Ref", name)]:
            return known[name]
        case [("Fn::Sub", text)]:
            for name, value in known.items():
                text = text.replace(f"${{{name}}}", value)
            assert "${" not in text
            return text
        case [("Fn::If", [name, then, otherwise])]:
            chosen = then if resolved(conditions[name], known, conditions) else otherwise
            return resolved(chosen, known, conditions)
        case [("Fn::Equals", pair)]:
            left, right = resolved(pair, known, conditions)
            return left == right
        case [("Fn::Not", [inner])]:
            return not resolved(inner, known, conditions)
        case [("Fn::Or", choices)]:
            return any(resolved(choices, known, conditions))
    pairs = {key: resolved(value, known, conditions) for key, value in node.items()}
    return {key: value for key, value in pairs.items() if value is not None}


def deployed(
    details: tuple[str, ...] = (), partition: str = "aws", *, session_tags: bool = False, **given: str
) -> dict[str, Any]:
    """The properties of the role that a stack has in `ACCOUNT`."""
    template, mistakes = decode_str(role_template(details, session_tags=session_tags))
    assert not mistakes
    defaults = {name: each["Default"] for name, each in template["Parameters"].items() if "Default" in each}
    known = {"AWS::Partition": partition, "AWS::AccountId": ACCOUNT, "TrustedAccount": TRUSTED}
    (role,) = template["Resources"].values()
    found = resolved(role["Properties"], {**known, **defaults, **given}, template["Conditions"])
    assert isinstance(found, dict)
    return found


def test_a_template_that_asks_for_no_regions_is_valid_and_as_narrow_as_the_policy() -> None:
    text = role_template(enabled_regions=False, role_name="audit")
    assert [match for match in lint_all(text) if match.rule.severity != "informational"] == []
    assert "Regions" not in text
    assert "    Default: audit\n" in text


@pytest.mark.parametrize("session_tags", [False, True])
@pytest.mark.parametrize("details", [(), tuple(DETAILS)])
def test_cfn_lint_finds_neither_error_nor_warning(details: tuple[str, ...], session_tags: bool) -> None:
    found = lint_all(role_template(details, session_tags=session_tags))
    assert [match for match in found if match.rule.severity != "informational"] == []


def test_cfn_lint_would_find_a_mistake() -> None:
    found = lint_all(role_template().replace("!Ref RoleName", "!Ref RoleTitle"))
    assert "error" in {match.rule.severity for match in found}


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
@pytest.mark.parametrize("details", [(), ("tags",), tuple(DETAILS)])
def test_the_role_of_the_template_has_the_very_policy_of_its_account_and_partition(
    details: tuple[str, ...], partition: str
) -> None:
    (policy,) = deployed(details, partition)["Policies"]
    assert policy["PolicyDocument"] == {
        "Version": "2012-10-17",
        "Statement": statements(details, partition=partition, account_id=ACCOUNT),
    }


def test_only_the_trusted_account_may_assume_the_role_and_only_with_the_external_id() -> None:
    role = deployed(partition="aws-cn", ExternalId="shared", RoleName="audit")
    assert role["RoleName"] == "audit"
    assert role["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws-cn:iam::{TRUSTED}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "shared"}},
        }
    ]


def test_without_an_external_id_the_trust_asks_for_none() -> None:
    role = deployed()
    assert role["RoleName"] == "sgw-scanner"
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert "Condition" not in statement


def test_tags_may_go_with_sessions_only_where_that_was_asked_for() -> None:
    """To the same identities, who still need the external id to get in; nothing else of the role changes."""
    plain, tagging = (deployed(session_tags=asked, ExternalId="shared") for asked in (False, True))
    (enter,) = plain["AssumeRolePolicyDocument"]["Statement"]
    tag = {"Effect": "Allow", "Principal": enter["Principal"], "Action": "sts:TagSession"}
    assert tagging.pop("AssumeRolePolicyDocument")["Statement"] == [enter, tag]
    del plain["AssumeRolePolicyDocument"]
    assert tagging == plain


def test_the_external_id_is_never_shown() -> None:
    template, _ = decode_str(role_template())
    assert template["Parameters"]["ExternalId"]["NoEcho"] is True


def test_the_template_says_how_it_was_made() -> None:
    assert role_template().startswith("# Written by `sgw-scanner iam template`.")
    assert role_template(["gateway", "tags"]).startswith(
        "# Written by `sgw-scanner iam template --details gateway,tags`."
    )
    assert role_template(["tags"], session_tags=True).startswith(
        "# Written by `sgw-scanner iam template --details tags --session-tags`."
    )


def test_an_unknown_detail_makes_no_template() -> None:
    with pytest.raises(ConfigError, match="'tapes' is unknown"):
        role_template(["tapes"])
