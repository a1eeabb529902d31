"""Print every volume that could not be restored to a recent point: `python script.py [scanner.toml]`."""

import asyncio
import sys

from scanner import Inventory, Scanner, ScannerConfig


async def main(path: str | None) -> Inventory:
    async with Scanner(ScannerConfig.load(path)) as scanner:
        inventory = await scanner.scan()
    for volume in inventory.volumes:
        if volume.verdict.status in ("breach", "no_recovery_point"):
            print(volume.verdict.status.value, volume.account_id, volume.region, volume.id)
    gateways = inventory.coverage.gateways.scanned
    print(f"{len(inventory.volumes)} volumes of {gateways} gateways; scan {inventory.scan.outcome.value}")
    return inventory


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None))
