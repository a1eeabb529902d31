"""The emulator in a process of its own: `python -m scanner.emulator` is `sgw-scanner emulate`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scanner.emulator import spawn

from ..clients import client


def test_an_emulator_in_a_process_tells_its_counts_and_ends_with_the_block() -> None:
    with spawn("--accounts", "1", "--regions", "1") as remote:
        environment = remote.environment("eu-west-1")
        assert environment["AWS_ENDPOINT_URL"] == remote.url
        assert environment["AWS_DEFAULT_REGION"] == "eu-west-1"
        assert remote.stats()["total"] == 0
    with pytest.raises(OSError, match="refused"):
        remote.stats()


def test_a_process_that_cannot_serve_is_an_error_and_no_silence() -> None:
    with pytest.raises(RuntimeError, match="ended with 2"), spawn("--fleet", "nowhere.toml"):
        pass


def test_a_process_says_where_it_listens_and_leaves_without_a_word(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "scanner.emulator",
        "--accounts",
        "2",
        "--regions",
        "1",
        "--gateways",
        "3",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("http://127.0.0.1:")
        finally:
            # As a terminal would.
            process.send_signal(2)
            rest = process.communicate(timeout=20)
    assert (process.returncode, rest) == (0, ("", ""))


def test_a_generated_fleet_is_the_one_that_was_asked_for() -> None:
    options = ("--accounts", "2", "--regions", "1", "--gateways", "3", "--volumes", "1-2", "--cached-only")
    with spawn(*options) as remote:
        found = client(remote, "storagegateway").list_gateways()["Gateways"]
    assert [gateway["GatewayType"] for gateway in found] == ["CACHED"] * 3
