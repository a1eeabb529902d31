"""The statistics of an inventory that is there already, as a scan would have made them."""

from scanner.inventory.events import (
    FailureSeen,
    GatewayEnded,
    ScanEnded,
    TargetEnded,
    TargetPlanned,
    VolumesSeen,
)
from scanner.inventory.model import Inventory
from scanner.inventory.records import Volume
from scanner.summary.statistics import Statistics


def statistics_of(inventory: Inventory) -> Statistics:
    """The statistics of the events that this inventory was collected from."""
    statistics = Statistics()
    answered: dict[str, list[Volume]] = {gateway.arn: [] for gateway in inventory.gateways}
    others: dict[tuple[str, str], list[Volume]] = {}
    for volume in inventory.volumes:
        if volume.gateway_arn in answered:
            answered[volume.gateway_arn].append(volume)
        else:
            others.setdefault((volume.account_id, volume.region), []).append(volume)
    for target in inventory.targets:
        statistics.add(TargetPlanned(target.account_id, target.account_name, target.region))
    for failure in inventory.failures:
        statistics.add(FailureSeen(failure))
    for gateway in inventory.gateways:
        statistics.add(GatewayEnded(gateway, tuple(answered[gateway.arn])))
    for volumes in others.values():
        statistics.add(VolumesSeen(tuple(volumes)))
    for target in inventory.targets:
        statistics.add(TargetEnded(target))
    statistics.add(ScanEnded(inventory.scan, inventory.coverage.calls))
    statistics.last_known = inventory.last_known
    return statistics
