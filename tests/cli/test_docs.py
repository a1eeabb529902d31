"""What the documents of the command line say is so."""

import re
import tomllib
from pathlib import Path

import pytest

from scanner import ScannerConfig
from scanner.inventory.records import VerdictStatus
from scanner.policy.rules import Match

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/cli.md").read_text()
README = (ROOT / "README.md").read_text()
CODES = ["0", "1", "2", "3", "4", "70", "75"]


@pytest.mark.parametrize("text", [README, PAGE])
def test_every_exit_code_is_told(text: str) -> None:
    assert re.findall(r"^\| (\d+) \|", text, re.M) == CODES


def test_the_configuration_in_the_readme_is_valid() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", README, re.S)
    assert ScannerConfig.model_validate(tomllib.loads(example)).policy.rules[0].name == "databases"


def test_the_policy_of_its_page_is_valid_and_explains_every_condition_and_verdict() -> None:
    page = (ROOT / "docs/policy.md").read_text()
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.S)
    policy = ScannerConfig.model_validate(tomllib.loads(example)).policy
    assert [rule.name for rule in policy.rules] == ["databases", "europe"]
    told = set(re.findall(r"^\| `(\w+)` \|", page, re.M))
    assert told == set(Match.model_fields) | {status.value for status in VerdictStatus}
