"""docs/organization.md is followed to the letter, with the embedded service in the place of AWS."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from cfnlint.decode import decode_str

from scanner import Inventory, ScannerConfig

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGE = (DOCS / "organization.md").read_text()
STEPS, _, TRIAL = PAGE.partition("## Try it without AWS")
PORT = "9911"
# The embedded fleet has a gateway that is never connected: how long a scan hopes for it is not of interest.
QUICK = {"SGW_SCANNER_RETRY__BASE_DELAY": "1ms", "SGW_SCANNER_RETRY__MAX_DELAY": "200ms"}


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def commands(text: str, program: str = "") -> list[str]:
    """What stands after a prompt and begins with `program`, with its continued lines."""
    lines = "\n".join(blocks(text, "console")).replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ ") for line in lines if line.startswith(f"$ {program}")]


class Shell:
    """Runs commands one after the other in one folder, in the environment that they have made so far."""

    def __init__(self, folder: Path, port: str = "") -> None:
        self.folder, self.port = folder, port
        program = folder / "bin" / "sgw-scanner"
        program.parent.mkdir()
        program.write_text(
            f"#!/bin/sh\nexec {sys.executable} -c 'from scanner.cli.app import run; run()' \"$@\"\n"
        )
        program.chmod(0o755)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SGW_"))}
        self.environment = {
            **kept,
            **QUICK,
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "HOME": str(folder),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        if command.startswith("export "):
            words = shlex.split(command.replace(PORT, self.port))[1:]
            self.environment |= dict(word.split("=", 1) for word in words)
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )


@contextmanager
def served(folder: Path) -> Iterator[Shell]:
    """A shell beside the embedded service, both begun as the page says; the port is one that is free."""
    (command,) = (each for each in commands(TRIAL) if "emulate" in each)
    assert f"--port {PORT} &" in command
    shell = Shell(folder)
    words = shlex.split(command.replace(PORT, "0").removesuffix("&"))
    with subprocess.Popen(
        words, cwd=folder, env=shell.environment, stdout=subprocess.PIPE, text=True
    ) as emulator:
        try:
            assert emulator.stdout
            address = emulator.stdout.readline().strip()
            shell.port = address.rpartition(":")[2]
            # What the page says that it prints, but for the port.
            assert address.replace(shell.port, PORT) in blocks(TRIAL, "console")[0].splitlines()
            (export,) = commands(TRIAL, "export")
            shell.run(export)
            assert shell.environment["AWS_ENDPOINT_URL"] == address
            yield shell
        finally:
            emulator.terminate()


def exits(text: str) -> list[int]:
    """The exit codes that the page tells of `check` and of `scan`, in its last section."""
    return [int(code) for code in re.findall(r"\b[Ii]t exits (\d)", text)]


def test_the_steps_work_one_after_the_other(tmp_path: Path) -> None:
    with served(tmp_path) as shell:
        init, template, policy, check, scan = commands(STEPS, "sgw-scanner")
        assert shell.run(init).returncode == 0
        starter = ScannerConfig.load(tmp_path / "scanner.toml", environ={})
        assert starter.organization is None
        (settings,) = blocks(STEPS, "toml")
        (tmp_path / "scanner.toml").write_text(settings)
        assert shell.run(template).returncode == 0
        made, mistakes = decode_str((tmp_path / "role.yaml").read_text())
        assert not mistakes
        assert made["Parameters"].keys() == set(re.findall(r"ParameterKey=(\w+)", STEPS))
        allowed = json.loads(shell.run(policy).stdout)["Statement"]
        assert {each["Sid"] for each in allowed} == {"Organization", "Roles"}
        checked, scanned = shell.run(check), shell.run(scan)
        assert (checked.returncode, scanned.returncode) == (3, 1), checked.stderr + scanned.stderr
        inventory = Inventory.model_validate_json((tmp_path / "inventory.json").read_text())
        assert {failure.kind for failure in inventory.failures} == {"access_denied", "gateway_unreachable"}
        assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


def test_the_trial_shows_what_the_page_tells_of_it(tmp_path: Path) -> None:
    with served(tmp_path) as shell:
        _, _, configure, check, scan = commands(TRIAL)
        assert shell.run(configure).returncode == 0
        assert tomllib.loads((tmp_path / "scanner.toml").read_text())["organization"]
        checked, scanned = shell.run(check), shell.run(scan)
    assert [checked.returncode, scanned.returncode] == exits(TRIAL), checked.stderr + scanned.stderr
    wrong = re.findall(r"^(\w+) \(\d{12}\)", checked.stdout, re.M)
    assert set(wrong) == {"lab"}
    works, fails = map(int, re.findall(r"(\d+) will work, (\d+) will not", checked.stdout)[0])
    assert works > fails > 0
    assert "the role's trust policy" in " ".join(checked.stdout.split())
    (summary,) = blocks(TRIAL, "text")
    assert summary in scanned.stdout
    _, _, unread = scanned.stdout.partition("What could not be read")
    assert "lab (" in unread
    assert "gateway is not connected" in unread
    inventory = Inventory.model_validate_json((tmp_path / "inventory.json").read_text())
    assert {target.account_name for target in inventory.targets if target.status == "failed"} == {"lab"}


def test_the_configuration_of_the_page_loads() -> None:
    (settings,) = blocks(PAGE, "toml")
    loaded = ScannerConfig.model_validate(tomllib.loads(settings))
    assert loaded.organization
    assert f"ParameterKey=ExternalId,ParameterValue={loaded.organization.external_id} " in PAGE
    assert f"ParameterKey=RoleName,ParameterValue={loaded.organization.role}\n" in PAGE


def test_what_is_installed_can_be_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (command,) = commands(PAGE, "pip")
    (extra,) = re.findall(r'"\.\[(\w+)\]"$', command)
    assert extra in project["optional-dependencies"]


AWS = [
    each
    for page in ("organization", "permissions")
    for each in commands((DOCS / f"{page}.md").read_text(), "aws ")
]
SDK: Any = botocore.session.get_session()


@pytest.mark.parametrize("command", AWS, ids=lambda command: " ".join(command.split()[1:3]))
def test_every_command_of_the_other_command_line_names_an_operation_and_its_parameters(command: str) -> None:
    _, service, action, *words = shlex.split(command)
    if action == "deploy":
        # The command line's own: a change set is made, and executed.
        action = "create-change-set"
        words = [word for word in words if word not in ("--template-file", "--parameter-overrides")]
    model = SDK.get_service_model(service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    members = model.operation_model(operations[action]).input_shape.members
    known = {f"--{xform_name(name, '-')}" for name in members}
    options = {word for word in words if word.startswith("--")}
    assert options <= known


@pytest.mark.parametrize("command", commands(PAGE, "aws "), ids=lambda command: command.split()[2])
def test_the_other_command_line_takes_the_commands_as_they_stand(command: str, tmp_path: Path) -> None:
    """It reads them as it would before it asks AWS, which is nowhere here."""
    shell = Shell(tmp_path)
    if shell.run("aws --version").returncode:
        pytest.skip("there is no aws command")
    shell.environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    (template,) = (each for each in commands(STEPS, "sgw-scanner") if "template" in each)
    assert shell.run(template).returncode == 0
    read = shell.run(f"{command} --region us-east-1 --generate-cli-skeleton output")
    assert read.returncode == 0, read.stderr
