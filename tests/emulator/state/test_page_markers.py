from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from scanner.emulator import Account, Emulator, Fleet, Gateway

from ..clients import client, in_thread


def fleet() -> Fleet:
    gateways = [Gateway(f"sgw-0000000{number}", "us-east-1") for number in range(3)]
    return Fleet([Account("111111111111", gateways=gateways)])


async def test_a_marker_continues_only_the_request_that_it_came_from() -> None:
    async with Emulator(fleet()) as emulator:

        def use() -> None:
            api = client(emulator, "storagegateway")
            marker = api.list_gateways(Limit=1)["Marker"]
            other = client(emulator, "storagegateway", "eu-west-1")
            for method, wrong in (
                (api.list_volumes, marker),
                (other.list_gateways, marker),
                (api.list_gateways, marker[:-8] + "AAAAAAA="),
                (api.list_gateways, "WzFd"),
                (api.list_gateways, "WzEsMSwxXQ=="),
            ):
                with pytest.raises(ClientError, match="marker is invalid"):
                    method(Marker=wrong)

        await in_thread(use)
