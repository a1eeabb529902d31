from __future__ import annotations

import pytest

from scanner.emulator import Emulator, Fault

from ..clients import client, in_thread
from .fleets import fleet


@pytest.mark.parametrize("kind", ["html", "empty", "other_shape"])
async def test_an_answer_with_status_200_may_be_no_answer(kind: str) -> None:
    async with Emulator(fleet(Fault(kind, times=1))) as emulator:

        def use() -> None:
            api = client(emulator, "storagegateway")
            try:
                answer = api.list_gateways()
            except ValueError:
                # Newer SDKs refuse to parse it; older ones take it for an empty answer.
                answer = {}
            assert "Gateways" not in answer
            assert len(api.list_gateways()["Gateways"]) == 3

        await in_thread(use)
