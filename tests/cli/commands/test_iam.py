"""`iam` follows the configuration in everything that a policy or the role depends on."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import ONE, Command

GOV = '[scan]\nregions = ["us-gov-west-1"]\n'
ACCOUNT = f'[[accounts]]\nid = "{ONE}"\nrole = "sgw-x"\n'
ORGANIZATION = '[organization]\nrole = "sgw-x"\n'


def policy(command: Command, *words: str) -> list[dict[str, Any]]:
    said = command("iam", "policy", *words)
    assert said.code == 0, said.err
    found: list[dict[str, Any]] = json.loads(said.out)["Statement"]
    return found


def actions(statements: list[dict[str, Any]]) -> set[str]:
    return {action for each in statements for action in each["Action"]}


def test_regions_choose_the_partition(command: Command, place: Path) -> None:
    (place / "scanner.toml").write_text(GOV + ACCOUNT)
    assert '"arn:aws-us-gov:' in json.dumps(policy(command))
    assert policy(command, "--base")[-1]["Resource"] == "arn:aws-us-gov:iam::*:role/sgw-x"
    assert '"arn:aws-cn:' in json.dumps(policy(command, "--partition", "aws-cn"))
    (place / "scanner.toml").write_text(ACCOUNT + 'regions = ["cn-north-1"]\n')
    assert '"arn:aws-cn:' in json.dumps(policy(command))


def test_of_several_partitions_one_must_be_chosen(command: Command, place: Path) -> None:
    both = ACCOUNT.replace(ONE, "222233334444") + 'regions = ["us-east-1"]\n'
    (place / "scanner.toml").write_text(GOV + ACCOUNT + both)
    said = command("iam", "policy")
    assert said.code == 2
    assert "aws and aws-us-gov; choose one with --partition" in said.err
    assert policy(command, "--partition", "aws")


def test_only_an_organization_needs_its_permissions(command: Command, place: Path) -> None:
    (place / "scanner.toml").write_text(ACCOUNT)
    assert actions(policy(command, "--base")) == {"sts:AssumeRole"}
    (place / "scanner.toml").write_text(ORGANIZATION)
    assert "organizations:ListRoots" in actions(policy(command, "--base"))


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (ACCOUNT, "sgw-x"),
        (ORGANIZATION, "sgw-x"),
        (ACCOUNT.replace("sgw-x", f"arn:aws:iam::{ONE}:role/sgw-y"), "sgw-y"),
        (ACCOUNT + ORGANIZATION.replace("sgw-x", "sgw-z"), "sgw-scanner"),
        (ACCOUNT.replace("sgw-x", f"arn:aws:iam::{ONE}:role/path/sgw-y"), "sgw-scanner"),
    ],
)
def test_the_template_makes_the_role_that_is_named(
    command: Command, place: Path, config: str, name: str
) -> None:
    (place / "scanner.toml").write_text(config)
    assert f"    Default: {name}\n" in command("iam", "template").out


def test_an_account_is_asked_for_its_regions_only_where_they_are_not_listed(
    command: Command, place: Path
) -> None:
    listed = '[scan]\nregions = ["us-east-1"]\n' + ACCOUNT
    for config, asked in ((ACCOUNT, True), (listed, False)):
        (place / "scanner.toml").write_text(config)
        assert ("account:ListRegions" in command("iam", "template").out) is asked
        assert ("account:ListRegions" in actions(policy(command))) is asked
    (place / "scanner.toml").write_text(ACCOUNT + 'regions = ["us-east-1"]\n' + ORGANIZATION)
    assert "account:ListRegions" in actions(policy(command))
