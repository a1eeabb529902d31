"""What a running emulator tells about the calls that it got, here and over its port."""

from __future__ import annotations

from scanner.emulator import Account, Emulator, Fleet, Gateway, Role

from ..clients import assume, client, in_thread

HUB, PROD = "111111111111", "222222222222"


def fleet() -> Fleet:
    gateway = Gateway("sgw-12A3456B", "us-east-1")
    return Fleet([Account(HUB), Account(PROD, gateways=[gateway], roles=[Role("reader")])])


async def test_calls_are_counted_by_service_operation_account_and_region() -> None:
    async with Emulator(fleet()) as emulator:

        def use() -> None:
            keys = assume(emulator, f"arn:aws:iam::{PROD}:role/reader")
            for region in ("us-east-1", "eu-west-1", "eu-west-1"):
                client(emulator, "storagegateway", region, **keys).list_gateways()
            client(emulator, "storagegateway").list_gateways()

        await in_thread(use)
        assert emulator.count() == 5
        assert emulator.count("AssumeRole") == 1
        assert emulator.count("ListGateways", account=PROD) == 3
        assert emulator.count(region="eu-*") == 2
        assert emulator.count(service="storagegateway", account=HUB) == 1
