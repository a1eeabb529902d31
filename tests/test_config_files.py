"""What an operator copies from config/ is what the program prints, and works as it stands.

`python -m tests.test_config_files` writes the generated files anew.
"""

import importlib
import json
import re
import shlex
from collections.abc import Callable
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from scanner.cli.commands.iam import app as iam
from scanner.cli.commands.init import init
from scanner.cli.starter import STARTER
from scanner.config.settings import ScannerConfig
from scanner.errors import ConfigError
from scanner.inventory.model import Inventory

FOLDER = Path(__file__).parent.parent / "config"
EVERY_DETAIL = "gateway,volumes,tags"


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(iam, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def schema(model: type[ScannerConfig] | type[Inventory]) -> str:
    return (
        json.dumps(
            model.model_json_schema(mode="serialization" if model is Inventory else "validation"), indent=2
        )
        + "\n"
    )


GENERATED: dict[str, Callable[[], str]] = {
    "scanner.toml": lambda: STARTER,
    "config.schema.json": lambda: schema(ScannerConfig),
    "inventory.schema.json": lambda: schema(Inventory),
    "iam-policy.json": lambda: printed("policy"),
    "iam-policy-details.json": lambda: printed("policy", "--details", EVERY_DETAIL),
    "iam-policy-base.json": lambda: printed("policy", "--base"),
    "role-template.yaml": lambda: printed("template"),
}


def documents(name: str) -> list[Any]:
    # Typed as Any, for PyYAML comes without types.
    yaml: Any = importlib.import_module("yaml")
    return list(yaml.safe_load_all((FOLDER / name).read_text()))


@pytest.mark.parametrize("name", GENERATED)
def test_the_file_is_what_the_program_prints(name: str) -> None:
    assert (FOLDER / name).read_text() == GENERATED[name](), "run `make config`"


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


def test_init_writes_the_starter_says_where_and_what_comes_next(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(init)
    place = tmp_path / "mine.toml"
    result = CliRunner().invoke(app, [str(place)])
    assert result.exit_code == 0
    assert place.read_text() == STARTER
    assert result.stdout == ""
    assert f"sgw-scanner check -c {place}" in result.stderr.replace("\n", " ")
    again = CliRunner().invoke(app, [str(place)])
    assert isinstance(again.exception, ConfigError)


def test_the_cron_entry_names_its_time_its_user_and_the_scan() -> None:
    (entry,) = [line for line in (FOLDER / "sgw-scanner.cron").read_text().splitlines() if line[:1].isdigit()]
    *when, user, command = entry.split(None, 6)[:7]
    assert len(when) == 5
    assert user == "sgw-scanner"
    assert "%" not in command
    assert shlex.split(command)[3:] == ["sgw-scanner", "scan", "--config", "/etc/sgw-scanner/scanner.toml"]


def test_the_service_and_its_timer_read_as_units() -> None:
    units = {}
    for kind in ("service", "timer"):
        units[kind] = ConfigParser(strict=True, interpolation=None)
        units[kind].read_string((FOLDER / "systemd" / f"sgw-scanner.{kind}").read_text())
    assert units["service"]["Service"]["Type"] == "oneshot"
    assert units["service"]["Service"]["ExecStart"].split()[1] == "scan"
    assert units["timer"]["Install"]["WantedBy"] == "timers.target"


def test_the_cronjob_mounts_a_configuration_that_loads(tmp_path: Path) -> None:
    account, mapped, job = documents("kubernetes/cronjob.yaml")
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["serviceAccountName"] == account["metadata"]["name"]
    assert {volume["name"] for volume in pod["volumes"]} == {
        mount["name"] for mount in container["volumeMounts"]
    }
    file = tmp_path / "scanner.toml"
    file.write_text(mapped["data"]["scanner.toml"])
    environ = {entry["name"]: "shared" for entry in container["env"] if entry["name"].startswith("SGW_")}
    config = ScannerConfig.load(file, environ=environ)
    assert config.organization
    assert config.organization.external_id == "shared"
    limit = job["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"]
    assert config.scan.deadline
    assert config.scan.deadline.total_seconds() < limit


if __name__ == "__main__":
    for name, text in GENERATED.items():
        (FOLDER / name).write_text(text())
