"""What happens during a scan, as values, in the order in which it happens."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from scanner.inventory.records import (
    CallCounts,
    Failure,
    FailureKind,
    Gateway,
    Record,
    ScanInfo,
    Target,
    Volume,
)


@dataclass(frozen=True, slots=True)
class ScanStarted:
    """The first event: the scan's id, and when it began; the ids of its span where OpenTelemetry records it."""

    scan_id: str
    started_at: datetime
    trace_id: str | None = None
    span_id: str | None = None


@dataclass(frozen=True, slots=True)
class TargetPlanned:
    """This account in this Region will be asked, or reported as skipped or failed."""

    account_id: str
    account_name: str | None
    region: str


@dataclass(frozen=True, slots=True)
class GatewaysListed:
    """A page of ListGateways has arrived with this many gateways."""

    account_id: str
    region: str
    gateways: int


@dataclass(frozen=True, slots=True)
class GatewayEnded:
    """A gateway was scanned, skipped, failed or found vanished; `volumes` are those read, rated.

    A volume that was moved meanwhile can come twice within its target: the later one stands.
    """

    gateway: Gateway
    volumes: tuple[Volume, ...] = ()


@dataclass(frozen=True, slots=True)
class VolumesSeen:
    """Volumes of one target that ListVolumes names, and about which no gateway could be asked.

    They are detached, or of a gateway that no listing names: nothing is known of their recovery points.
    """

    volumes: tuple[Volume, ...]


@dataclass(frozen=True, slots=True)
class FailureSeen:
    """Something could not be read; it will not be tried again in this scan."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class FieldsDropped:
    """Fields of a listed gateway or volume were broken, and no verdict needs them.

    One of another type is left out; characters that cannot be shown are replaced by U+FFFD.
    """

    arn: str
    operation: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallRetried:
    """A call failed and will be tried again in `delay` seconds (None: when its target's rate admits it)."""

    account_id: str | None
    region: str | None
    gateway_arn: str | None
    operation: str
    kind: FailureKind
    code: str | None
    request_id: str | None
    attempt: int
    delay: float | None


@dataclass(frozen=True, slots=True)
class TargetEnded:
    """All that can be known of a target is known; it was planned before."""

    target: Target


@dataclass(frozen=True, slots=True)
class ScanEnded:
    """The last event: how the scan ended, and what its calls were."""

    scan: ScanInfo
    calls: CallCounts


Event = (
    ScanStarted
    | TargetPlanned
    | GatewaysListed
    | GatewayEnded
    | VolumesSeen
    | FailureSeen
    | FieldsDropped
    | CallRetried
    | TargetEnded
    | ScanEnded
)


def records_in(event: Event) -> tuple[Record, ...]:
    """The records of an inventory that an event brings."""
    match event:
        case GatewayEnded(gateway, volumes):
            return (gateway, *volumes)
        case VolumesSeen(volumes):
            return volumes
        case TargetEnded(target):
            return (target,)
        case FailureSeen(failure):
            return (failure,)
    return ()


class Emit(Protocol):
    """Hands an event to the scan's readers; waits while they are busy."""

    async def __call__(self, event: Event) -> None: ...
