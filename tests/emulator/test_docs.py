"""docs/emulator.md and its example are held against the code: nothing missing, nothing that fails."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scanner.emulator import (
    Account,
    Bucket,
    DetachedVolume,
    Emulator,
    Fault,
    Fleet,
    Gateway,
    Key,
    Organization,
    Role,
    Volume,
    background,
)
from scanner.emulator.faults import KINDS
from scanner.emulator.fleets.generate import Generation
from scanner.emulator.services.router import SERVICES

from .clients import client, in_thread

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "emulator.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
TABLES = (
    Fleet,
    Account,
    Role,
    Key,
    Gateway,
    Volume,
    DetachedVolume,
    Organization,
    Bucket,
    Fault,
    Generation,
)


def test_every_key_of_a_fleet_file_is_explained() -> None:
    keys = {field.name for table in TABLES for field in dataclasses.fields(table)} | {"age", "generate"}
    assert sorted(key for key in keys if not re.search(rf"[`\[.]{key}[`\]]", PAGE)) == []


def test_every_fault_and_every_operation_is_listed() -> None:
    assert [kind for kind in KINDS if f"`{kind}`" not in PAGE] == []
    operations = [operation for service in SERVICES.values() for operation in service]
    assert [
        operation for operation in operations if operation not in PAGE.partition("## Operations")[2]
    ] == []


def test_the_first_example_shows_gateways_in_the_region_that_it_names() -> None:
    """The fleet of its first command, with the keys and in the Region of the next."""
    (file,) = re.findall(r"\$ sgw-scanner emulate .*--fleet (\S+)", PAGE)
    export, listing = re.findall(r"^\$ (export .*|aws .*)$", PAGE, re.MULTILINE)
    region = re.search(r"--region (\S+)", listing)
    assert "AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test" in export
    assert "list-gateways" in listing
    assert region
    with background(Fleet.from_toml(DOCS.parent / file)) as emulator:
        listed = client(emulator, "storagegateway", region[1]).list_gateways()["Gateways"]
        held = client(emulator, "storagegateway", region[1]).list_volumes()["VolumeInfos"]
    assert listed
    assert held


def test_every_option_of_the_command_is_explained_and_exists() -> None:
    """Both ways: the page names no option that the command does not have."""
    command = [sys.executable, "-m", "scanner.emulator", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    options = set(re.findall(r"^ +(--[a-z-]+)", text, re.MULTILINE)) - {"--help"}
    assert options == set(re.findall(r"--[a-z]+(?:-[a-z]+)*", PAGE)) - {"--region"}


async def test_the_example_fleet_does_what_its_comments_say() -> None:
    fleet = Fleet.from_toml(DOCS / "examples" / "fleet.toml")
    assert len(fleet.accounts) == 2
    assert [volume.attachment_status for volume in fleet.accounts[1].detached_volumes] == ["DETACHED"]
    gateway = fleet.accounts[1].gateways[0]
    assert [volume.recovery_point is None for volume in gateway.volumes] == [False, False, False, True]
    async with Emulator(fleet) as emulator:
        identity = await in_thread(client(emulator, "sts").get_caller_identity)
    assert identity["Account"] == fleet.accounts[0].id


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0])
def test_the_examples_run_as_they_stand(block: str, tmp_path: Path) -> None:
    script = tmp_path / "test_example.py"
    script.write_text(block)
    command = [sys.executable, str(script)]
    if "def test_" in block:
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(tmp_path),
            str(script),
        ]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert finished.returncode == 0, finished.stdout + finished.stderr
