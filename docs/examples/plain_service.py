"""A plain asyncio service: one task scans, another acts on what needs action: `python plain_service.py`."""

import asyncio
from contextlib import aclosing
from datetime import timedelta

from scanner import Inventory, Scanner, ScannerConfig

EVERY = timedelta(minutes=15)


async def scan(scanner: Scanner, found: "asyncio.Queue[Inventory]") -> None:
    async with aclosing(scanner.watch(EVERY)) as inventories:
        async for inventory in inventories:
            # A full queue slows the scans down: what is not acted on yet needs no newer scan.
            await found.put(inventory)


async def act(found: "asyncio.Queue[Inventory]") -> None:
    while True:
        inventory = await found.get()
        for volume in inventory.volumes:
            if volume.verdict.status in ("breach", "no_recovery_point") and not volume.verdict.waived:
                print("act on", volume.arn, flush=True)


async def main() -> None:
    """Runs until it is cancelled, by Ctrl+C for one; if one task fails, the other ends, too."""
    found: asyncio.Queue[Inventory] = asyncio.Queue(1)
    async with Scanner(ScannerConfig.load()) as scanner, asyncio.TaskGroup() as tasks:
        tasks.create_task(scan(scanner, found))
        tasks.create_task(act(found))


if __name__ == "__main__":
    asyncio.run(main())
