"""What the summary and the exit code need of a scan; its size does not grow with the fleet's."""

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from scanner.engine.events import Event, FailureSeen, GatewayEnded, ScanEnded, TargetEnded, TargetPlanned
from scanner.policy import is_breach, urgency
from scanner.records import (
    Coverage,
    Failure,
    FailureKind,
    Gateway,
    GatewayCounts,
    GatewayStatus,
    Record,
    ScanInfo,
    Target,
    TargetCounts,
    TargetStatus,
    VerdictStatus,
    Volume,
)

MOST_VOLUMES = 10
MOST_EXAMPLES = 3
CALM = (VerdictStatus.OK, VerdictStatus.UNRATED)


@dataclass(slots=True)
class Found:
    """All records of one target, once it has ended."""

    target: Target
    gateways: list[Gateway]
    volumes: dict[str, Volume]

    def records(self) -> Iterator[Record]:
        yield self.target
        yield from self.gateways
        yield from self.volumes.values()


class Gathering:
    """Holds what events tell of a target until it ends: only then is it known which volumes stand."""

    def __init__(self) -> None:
        self._gateways: dict[tuple[str, str], list[Gateway]] = {}
        self._volumes: dict[tuple[str, str], dict[str, Volume]] = {}

    def add(self, event: Event) -> Found | None:
        """The whole target when `event` ends it."""
        match event:
            case GatewayEnded(gateway, volumes):
                key = gateway.account_id, gateway.region
                self._gateways.setdefault(key, []).append(gateway)
                self._volumes.setdefault(key, {}).update((volume.arn, volume) for volume in volumes)
            case TargetEnded(target):
                gateways = self._gateways.pop(target.key, [])
                return Found(target, gateways, self._volumes.pop(target.key, {}))
            case _:
                pass
        return None


@dataclass(slots=True)
class Group:
    """Failures of one kind and operation: how many, and the first few."""

    count: int = 0
    examples: list[Failure] = field(default_factory=list)

    def add(self, failure: Failure) -> None:
        self.count += 1
        if self.count <= MOST_EXAMPLES:
            self.examples.append(failure)


@dataclass(slots=True)
class Digest:
    """Counts of one scan, its worst volumes, and its failures in groups."""

    planned: int = 0
    accounts: dict[str, str | None] = field(default_factory=dict)
    targets: Counter[TargetStatus] = field(default_factory=Counter)
    listed: int = 0
    gateways: Counter[GatewayStatus] = field(default_factory=Counter)
    verdicts: Counter[VerdictStatus] = field(default_factory=Counter)
    breaches: int = 0
    waived: int = 0
    oldest: datetime | None = None
    worst: list[tuple[Volume, Gateway]] = field(default_factory=list)
    failures: dict[tuple[FailureKind, str], Group] = field(default_factory=dict)
    gateway_names: dict[str, str | None] = field(default_factory=dict)
    ended: ScanEnded | None = None

    def add(self, event: Event) -> None:
        match event:
            case TargetPlanned(account_id, name):
                self.planned += 1
                self.accounts[account_id] = name
            case FailureSeen(failure):
                group = self.failures.setdefault((failure.kind, failure.operation), Group())
                group.add(failure)
            case ScanEnded():
                self.ended = event
            case _:
                pass

    def found(self, found: Found) -> None:
        """Takes in a target that has ended. Raises RuntimeError if its books do not balance: a defect."""
        target = found.target
        if target.volumes != len(found.volumes) or target.gateways < len(found.gateways):
            raise RuntimeError(f"the target {target.account_id} {target.region} lost gateways or volumes")
        self.targets[target.status] += 1
        self.listed += target.gateways
        self.gateways.update(gateway.status for gateway in found.gateways)
        named = {failure.gateway_arn for group in self.failures.values() for failure in group.examples}
        self.gateway_names.update((each.arn, each.name) for each in found.gateways if each.arn in named)
        if found.volumes:
            self._rate(found)

    def _rate(self, found: Found) -> None:
        gateways = {gateway.arn: gateway for gateway in found.gateways}
        volumes = found.volumes.values()
        self.verdicts.update(volume.verdict.status for volume in volumes)
        self.breaches += sum(is_breach(volume.verdict) for volume in volumes)
        self.waived += sum(volume.verdict.waived is not None for volume in volumes)
        points = [volume.recovery_point_time for volume in volumes if volume.recovery_point_time]
        if points:
            self.oldest = min(points if self.oldest is None else [*points, self.oldest])
        worrying = [volume for volume in volumes if volume.verdict.status not in CALM]
        self.worst += [(volume, gateways[volume.gateway_arn]) for volume in worrying]
        self.worst = heapq.nsmallest(MOST_VOLUMES, self.worst, key=lambda pair: urgency(pair[0]))

    @property
    def scan(self) -> ScanInfo:
        if self.ended is None:
            raise RuntimeError("the scan has not ended")
        return self.ended.scan

    def coverage(self) -> Coverage:
        """The books of the whole scan. Raises RuntimeError if they do not balance: a defect."""
        if self.ended is None or self.planned != self.targets.total():
            raise RuntimeError(f"{self.planned} targets were planned, but {self.targets.total()} ended")
        fates = {status.value: self.gateways[status] for status in GatewayStatus}
        # A listed entry with a broken ARN counts as failed but cannot stand among the gateways.
        fates["failed"] += self.listed - self.gateways.total()
        return Coverage(
            targets=TargetCounts(
                planned=self.planned, **{status.value: self.targets[status] for status in TargetStatus}
            ),
            gateways=GatewayCounts(listed=self.listed, **fates),
            volumes=self.verdicts.total(),
            calls=self.ended.calls,
        )
