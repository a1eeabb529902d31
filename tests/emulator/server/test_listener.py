from __future__ import annotations

import pytest
from botocore.exceptions import (
    EndpointConnectionError,
)

from scanner.emulator import Emulator

from ..clients import client, in_thread
from ..faults.fleets import fleet


async def test_an_emulator_can_be_taken_down_and_up_at_the_same_address() -> None:
    async with Emulator(fleet()) as emulator:
        url, api = emulator.url, client(emulator, "storagegateway")
        await in_thread(api.list_gateways)
        for _ in range(2):
            await emulator.refuse()
        with pytest.raises(EndpointConnectionError):
            await in_thread(api.list_gateways)
        for _ in range(2):
            await emulator.accept()
        assert len((await in_thread(api.list_gateways))["Gateways"]) == 3
        assert emulator.url == url
        await emulator.refuse(3600)
    await emulator.refuse()
    await emulator.accept()
    assert emulator.url == url
