"""The files of config/ are what the program prints, and work as they stand."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scanner.cli.commands.iam import app as iam
from scanner.errors import ConfigError
from scripts.generate import GENERATED

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "config"
EVERY_DETAIL = "gateway,volumes,tags"


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(iam, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


PRINTED = {
    "iam-policy.json": ("policy",),
    "iam-policy-details.json": ("policy", "--details", EVERY_DETAIL),
    "iam-policy-base.json": ("policy", "--base"),
    "role-template.yaml": ("template",),
}


@pytest.mark.parametrize("name", GENERATED)
def test_the_file_is_what_its_generator_makes(name: str) -> None:
    assert (ROOT / name).read_text() == GENERATED[name](), "run `make config`"


@pytest.mark.parametrize("name", PRINTED)
def test_the_file_is_what_the_program_prints(name: str) -> None:
    assert (FOLDER / name).read_text() == printed(*PRINTED[name])


def test_the_readme_names_every_file_and_leads_nowhere_else() -> None:
    readme = (FOLDER / "README.md").read_text()
    unnamed = {file.name for file in FOLDER.iterdir() if file.name not in readme}
    assert unnamed == {"README.md"}
    assert all((FOLDER / name).exists() for name in re.findall(r"\]\(([^)]+)\)", readme))


def test_an_unknown_detail_is_refused_by_the_commands_too() -> None:
    for command in ("policy", "template"):
        result = CliRunner().invoke(iam, [command, "--details", "gateway,tapes"])
        assert isinstance(result.exception, ConfigError)
        assert result.stdout == ""


def test_policies_are_printed_for_other_partitions_and_roles() -> None:
    assert "arn:aws-cn:storagegateway" in printed("policy", "--partition", "aws-cn")
    assert "arn:aws:iam::*:role/audit" in printed("policy", "--base", "--role", "audit")
