from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scanner.emulator import Account, Emulator, Fleet, Gateway
from scanner.emulator.__main__ import main

from .clients import client, in_thread

FLEET = """
[[accounts]]
id = "111122223333"
[[accounts.gateways]]
id = "sgw-12A3456B"
region = "us-east-1"
"""


class Address:
    """An emulator of which only the address is known."""

    def __init__(self, url: str) -> None:
        self.url = url


def listed(address: Any) -> int:
    return len(client(address, "storagegateway").list_gateways()["Gateways"])


@pytest.fixture
def sgw_fleet() -> Fleet:
    """Replaces the plugin's demo fleet."""
    return Fleet([Account("111122223333", gateways=[Gateway("sgw-12A3456B", "us-east-1")])])


def test_the_fixture_serves_a_fleet_of_ones_own_to_tests_without_a_loop(sgw_emulator: Emulator) -> None:
    assert listed(sgw_emulator) == 1
    assert sgw_emulator.requests.total() == 1


async def test_the_fixture_serves_tests_with_a_loop_as_well(sgw_emulator: Emulator) -> None:
    assert await in_thread(lambda: listed(sgw_emulator)) == 1


@pytest.mark.parametrize(
    ("options", "gateways"),
    [
        ([], 1),
        (["--accounts", "2", "--regions", "1", "--gateways", "3", "--cached-only"], 3),
        (["--fleet", "fleet.toml"], 1),
    ],
)
def test_a_process_of_its_own_says_where_it_listens(
    tmp_path: Path, options: list[str], gateways: int
) -> None:
    (tmp_path / "fleet.toml").write_text(FLEET)
    command = [sys.executable, "-m", "scanner.emulator", "--volumes", "1-2", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        try:
            assert process.stdout is not None
            address = Address(process.stdout.readline().strip())
            assert address.url.startswith("http://127.0.0.1:")
            assert listed(address) == gateways
        finally:
            # As a terminal would: the emulator leaves without a word.
            process.send_signal(2)
            assert process.wait(20) == 0


def test_a_fleet_file_that_is_missing_or_wrong_ends_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--fleet", str(tmp_path / "none.toml")]) == 2
    (tmp_path / "bad.toml").write_text("acounts = 1")
    assert main(["--fleet", str(tmp_path / "bad.toml")]) == 2
    assert "did you mean 'accounts'" in capsys.readouterr().err


def test_a_port_that_is_taken_ends_the_command(
    sgw_emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    port = sgw_emulator.url.rpartition(":")[2]
    assert main(["--port", port]) == 2
    assert f"cannot listen at 127.0.0.1:{port}" in capsys.readouterr().err


async def test_the_environment_leads_an_sdk_to_the_fleet(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Emulator(Fleet.demo()) as emulator:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        for name, value in emulator.environment().items():
            monkeypatch.setenv(name, value)

        def use() -> str:
            import boto3

            session: Any = boto3.session.Session()
            account: str = session.client("sts").get_caller_identity()["Account"]
            return account

        assert await in_thread(use) == emulator.fleet.base_account_id


def test_a_fleet_of_other_partitions_starts_in_a_region_of_its_own() -> None:
    emulator = Emulator(Fleet([Account("111122223333", regions=["cn-north-1"])]))
    assert emulator.environment()["AWS_DEFAULT_REGION"] == "cn-north-1"
    with pytest.raises(KeyError):
        emulator.fleet.account("999999999999")
    assert emulator.fleet.account("111122223333").partition == "aws-cn"
