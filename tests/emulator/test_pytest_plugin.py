from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from scanner.emulator import Emulator, Fault, Fleet

from .clients import client


def test_the_fixture_serves_the_demo_unless_told_otherwise(sgw_emulator: Emulator, sgw_fleet: Fleet) -> None:
    assert sgw_fleet == Fleet.demo()
    assert client(sgw_emulator, "sts").get_caller_identity()["Account"] == sgw_fleet.accounts[0].id


def test_a_test_may_change_what_is_served(sgw_emulator: Emulator, sgw_fleet: Fleet) -> None:
    api = client(sgw_emulator, "storagegateway")
    assert [gateway["GatewayName"] for gateway in api.list_gateways()["Gateways"]] == ["shared"]
    sgw_fleet.accounts[0].gateways.clear()
    sgw_emulator.refresh()
    assert api.list_gateways()["Gateways"] == []
    sgw_emulator.faults.add(Fault("throttle", times=1))
    with pytest.raises(ClientError, match="Rate exceeded"):
        api.list_gateways()
    assert sgw_emulator.count("ListGateways") == 3
