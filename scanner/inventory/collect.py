"""The inventory, collected from a scan's events."""

from dataclasses import dataclass, field

from scanner.inventory.events import Event, FailureSeen, GatewayEnded, ScanEnded, TargetEnded, VolumesSeen
from scanner.inventory.model import Inventory
from scanner.inventory.records import Failure, Gateway, Target, Volume


@dataclass(slots=True)
class Collector:
    """Collects events; `inventory` is whole once ScanEnded has come."""

    targets: list[Target] = field(default_factory=list)
    gateways: list[Gateway] = field(default_factory=list)
    volumes: dict[str, Volume] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    ended: ScanEnded | None = None

    def add(self, event: Event) -> None:
        match event:
            case GatewayEnded(gateway, volumes):
                self.gateways.append(gateway)
                self._add_volumes(volumes)
            case VolumesSeen(volumes):
                self._add_volumes(volumes)
            case FailureSeen(failure):
                self.failures.append(failure)
            case TargetEnded(target):
                self.targets.append(target)
            case ScanEnded():
                self.ended = event
            case _:
                pass

    def _add_volumes(self, volumes: tuple[Volume, ...]) -> None:
        self.volumes.update((volume.arn, volume) for volume in volumes)

    def inventory(self) -> Inventory:
        """The inventory of these events. Raises pydantic's ValidationError if its counts do not balance: a defect."""
        if self.ended is None:
            raise RuntimeError("the scan has not ended")
        return Inventory.build(
            self.ended.scan,
            self.ended.calls,
            self.targets,
            self.gateways,
            self.volumes.values(),
            self.failures,
        )

    def clear(self) -> None:
        """Lets go of everything that was collected."""
        self.targets, self.gateways, self.volumes, self.failures = [], [], {}, []
