from __future__ import annotations

import time

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from scanner.emulator import Emulator, Fault

from ..clients import client, in_thread
from .fleets import fleet


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset_before_headers", ConnectionClosedError),
        ("reset_within_headers", ConnectionClosedError),
        ("reset_after_headers", (ConnectionClosedError, ResponseStreamingError)),
        ("cut_body", (ConnectionClosedError, ResponseStreamingError)),
        ("hang", ReadTimeoutError),
        ("hang_body", (ReadTimeoutError, ConnectionClosedError)),
    ],
)
async def test_a_connection_breaks_at_each_stage(kind: str, error: type[Exception]) -> None:
    async with Emulator(fleet(Fault(kind, times=1))) as emulator:

        def use() -> None:
            api = client(emulator, "storagegateway", config={"read_timeout": 0.2})
            with pytest.raises(error):
                api.list_gateways()
            assert len(api.list_gateways()["Gateways"]) == 3

        await in_thread(use)


@pytest.mark.parametrize("kind", ["trickle", "slow"])
async def test_a_slow_answer_is_whole_in_the_end(kind: str) -> None:
    async with Emulator(fleet(Fault(kind, seconds=0.05))) as emulator:
        answer = await in_thread(client(emulator, "storagegateway").list_gateways)
    assert len(answer["Gateways"]) == 3


async def test_stopping_does_not_wait_for_answers_that_hang() -> None:
    emulator = Emulator(fleet(Fault("hang")))
    await emulator.start()

    def use() -> None:
        api = client(emulator, "storagegateway", config={"read_timeout": 0.05})
        with pytest.raises(ReadTimeoutError):
            api.list_gateways()

    await in_thread(use)
    began = time.monotonic()
    await emulator.stop()
    assert time.monotonic() - began < 2


async def test_a_host_that_is_down_refuses_connections_until_it_is_up_again() -> None:
    async with Emulator(fleet(Fault("refuse", times=1, seconds=0.3))) as emulator:

        def use() -> list[type[Exception] | int]:
            api, seen = client(emulator, "storagegateway"), list[type[Exception] | int]()
            while not seen or not isinstance(seen[-1], int):
                try:
                    seen.append(len(api.list_gateways()["Gateways"]))
                except (ConnectionClosedError, EndpointConnectionError) as error:
                    seen.append(type(error))
            return seen

        first, *refused, last = await in_thread(use)
    assert (first, set(refused), last) == (ConnectionClosedError, {EndpointConnectionError}, 3)
