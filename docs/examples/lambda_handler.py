"""An AWS Lambda handler: `lambda_handler.handler`. The Scanner stays between invocations, with what it has learnt.

Set SGW_SCANNER_CONFIG to a file of the package, and INVENTORY to where the inventory goes, as s3://bucket/key.json.
"""

import asyncio
import os
from typing import Any, Protocol

from scanner import Inventory, Scanner, ScannerConfig
from scanner.inventory import Collector

MARGIN = 10.0
"""Seconds that remain for ending the scan in order and writing the inventory."""
LOOP = asyncio.new_event_loop()
SCANNERS: list[Scanner] = []


class Context(Protocol):
    """The part of Lambda's context that is used here."""

    def get_remaining_time_in_millis(self) -> int: ...


async def opened() -> Scanner:
    if not SCANNERS:
        SCANNERS.append(await Scanner(ScannerConfig.load()).__aenter__())
    return SCANNERS[0]


async def scan(seconds: float) -> Inventory:
    """One scan that ends in order after `seconds`; what is unfinished then is told as a failure."""
    collector = Collector()
    scanner = await opened()
    async with scanner.stream() as events:
        alarm = asyncio.get_running_loop().call_later(max(0.0, seconds), events.interrupt)
        async for event in events:
            collector.add(event)
        alarm.cancel()
    return collector.inventory()


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    inventory = LOOP.run_until_complete(scan(context.get_remaining_time_in_millis() / 1000 - MARGIN))
    if where := os.environ.get("INVENTORY"):
        inventory.write(where)
    return {
        "outcome": inventory.scan.outcome.value,
        "need_action": inventory.coverage.volumes.need_action,
        "known": inventory.coverage.volumes.known,
    }
