"""The statistics of an inventory that is there already, as a scan would have made them."""

from scanner.inventory.events import (
    FailureSeen,
    GatewayEnded,
    ScanEnded,
    TargetEnded,
    TargetPlanned,
)
from scanner.inventory.model import Inventory
from scanner.inventory.records import Volume
from scanner.summary.statistics import Digest


def digest_of(inventory: Inventory) -> Digest:
    """The digest of the events that this inventory was collected from."""
    digest = Digest()
    volumes: dict[str, list[Volume]] = {}
    for volume in inventory.volumes:
        volumes.setdefault(volume.gateway_arn, []).append(volume)
    for target in inventory.targets:
        digest.add(TargetPlanned(target.account_id, target.account_name, target.region))
    for failure in inventory.failures:
        digest.add(FailureSeen(failure))
    for gateway in inventory.gateways:
        digest.add(GatewayEnded(gateway, tuple(volumes.get(gateway.arn, ()))))
    for target in inventory.targets:
        digest.add(TargetEnded(target))
    digest.add(ScanEnded(inventory.scan, inventory.coverage.calls))
    return digest
