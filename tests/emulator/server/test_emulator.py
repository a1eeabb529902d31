from __future__ import annotations

from typing import Any

import pytest

from scanner.emulator import Account, Emulator, Fleet, Gateway

from ..clients import client, in_thread


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


async def test_a_port_that_is_taken_is_an_error() -> None:
    async with Emulator(Fleet([])) as emulator:
        port = int(emulator.url.rpartition(":")[2])
        other = Emulator(Fleet([]), port)
        with pytest.raises(OSError, match="in use"):
            await other.start()
        await other.stop()


async def test_an_address_of_version_six_stands_in_brackets() -> None:
    assert Emulator(Fleet([]), 4566, host="::1").url == "http://[::1]:4566"
