"""The events that a scan would have told on its way to an inventory."""

from collections.abc import Iterator

from scanner.inventory.events import (
    Event,
    FailureSeen,
    GatewayEnded,
    ScanEnded,
    ScanStarted,
    TargetEnded,
    TargetPlanned,
)
from scanner.inventory.model import Inventory
from scanner.summary.statistics import Statistics


def events_of(inventory: Inventory) -> Iterator[Event]:
    yield ScanStarted(inventory.scan.id, inventory.scan.started_at)
    for target in inventory.targets:
        yield TargetPlanned(target.account_id, target.account_name, target.region)
    for failure in inventory.failures:
        yield FailureSeen(failure)
    for gateway in inventory.gateways:
        volumes = tuple(each for each in inventory.volumes if each.gateway_arn == gateway.arn)
        yield GatewayEnded(gateway, volumes)
    for target in inventory.targets:
        yield TargetEnded(target)
    yield ScanEnded(inventory.scan, inventory.coverage.calls)


def statistics_of(inventory: Inventory) -> Statistics:
    statistics = Statistics()
    for event in events_of(inventory):
        statistics.add(event)
    return statistics
