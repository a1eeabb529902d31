"""What the summary and the exit code need of a scan; its size does not grow with the fleet's."""

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from scanner.inventory.events import Event, FailureSeen, GatewayEnded, ScanEnded, TargetEnded, TargetPlanned
from scanner.inventory.records import (
    Coverage,
    Failure,
    FailureKind,
    Gateway,
    GatewayCounts,
    GatewayStatus,
    ScanInfo,
    Target,
    TargetCounts,
    TargetStatus,
    VerdictStatus,
    Volume,
)
from scanner.summary.verdicts import URGENT, is_breach, urgency

MOST_VOLUMES = 10
MOST_EXAMPLES = 3


@dataclass(slots=True)
class Group:
    """Failures of one kind and operation: how many, and the first few."""

    count: int = 0
    examples: list[Failure] = field(default_factory=list)

    def add(self, failure: Failure) -> None:
        self.count += 1
        if self.count <= MOST_EXAMPLES:
            self.examples.append(failure)


class Mark(NamedTuple):
    """What is kept of a volume until its target ends, as its gateway's is not the last word if it moved."""

    status: VerdictStatus
    breach: bool
    waived: bool


@dataclass(slots=True)
class Underway:
    """A target that has not ended: how many gateways did, and the volumes that stand so far."""

    gateways: int = 0
    volumes: dict[str, Mark] = field(default_factory=dict)


@dataclass(slots=True)
class Digest:
    """Counts of one scan, its worst and oldest volumes, and its failures in groups."""

    planned: int = 0
    accounts: dict[str, str | None] = field(default_factory=dict)
    targets: Counter[TargetStatus] = field(default_factory=Counter)
    listed: int = 0
    gateways: Counter[GatewayStatus] = field(default_factory=Counter)
    verdicts: Counter[VerdictStatus] = field(default_factory=Counter)
    breaches: int = 0
    waived: int = 0
    oldest: list[tuple[Volume, Gateway]] = field(default_factory=list)
    worst: list[tuple[Volume, Gateway]] = field(default_factory=list)
    failures: dict[tuple[FailureKind, str], Group] = field(default_factory=dict)
    gateway_names: dict[str, str | None] = field(default_factory=dict)
    ended: ScanEnded | None = None
    _underway: dict[tuple[str, str], Underway] = field(default_factory=dict)
    _named: set[str | None] = field(default_factory=set)

    def add(self, event: Event) -> None:
        """Raises RuntimeError for a target whose books do not balance: a defect."""
        match event:
            case TargetPlanned(account_id, name):
                self.planned += 1
                self.accounts[account_id] = name
            case GatewayEnded(gateway, volumes):
                self._gateway_ended(gateway, volumes)
            case FailureSeen(failure):
                group = self.failures.setdefault((failure.kind, failure.operation), Group())
                group.add(failure)
                if failure in group.examples:
                    self._named.add(failure.gateway_arn)
            case TargetEnded(target):
                self._target_ended(target)
            case ScanEnded():
                self.ended = event
            case _:
                pass

    def _gateway_ended(self, gateway: Gateway, volumes: tuple[Volume, ...]) -> None:
        self.gateways[gateway.status] += 1
        if gateway.arn in self._named:
            self.gateway_names[gateway.arn] = gateway.name
        underway = self._underway.setdefault((gateway.account_id, gateway.region), Underway())
        underway.gateways += 1
        moved = {volume.arn for volume in volumes if volume.arn in underway.volumes}
        for arn in moved:
            self._count(underway.volumes[arn], -1)
        for volume in volumes:
            verdict = volume.verdict
            mark = Mark(verdict.status, is_breach(verdict), verdict.waived is not None)
            underway.volumes[volume.arn] = mark
            self._count(mark, 1)
        pairs = [(volume, gateway) for volume in volumes]
        self.worst = _first(self.worst, moved, [pair for pair in pairs if _worries(pair)], _by_urgency)
        self.oldest = _first(self.oldest, moved, [pair for pair in pairs if _moment(pair)], _moment)

    def _count(self, mark: Mark, number: int) -> None:
        self.verdicts[mark.status] += number
        self.breaches += number * mark.breach
        self.waived += number * mark.waived

    def _target_ended(self, target: Target) -> None:
        underway = self._underway.pop(target.key, Underway())
        if target.volumes != len(underway.volumes) or target.gateways < underway.gateways:
            raise RuntimeError(f"the target {target.account_id} {target.region} lost gateways or volumes")
        self.targets[target.status] += 1
        self.listed += target.gateways

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


def _first(
    kept: list[tuple[Volume, Gateway]],
    moved: set[str],
    more: list[tuple[Volume, Gateway]],
    key: Callable[[tuple[Volume, Gateway]], Any],
) -> list[tuple[Volume, Gateway]]:
    if moved:
        kept = [pair for pair in kept if pair[0].arn not in moved]
    return heapq.nsmallest(MOST_VOLUMES, kept + more, key=key) if more else kept


def _worries(pair: tuple[Volume, Gateway]) -> bool:
    return pair[0].verdict.status in URGENT


def _by_urgency(pair: tuple[Volume, Gateway]) -> tuple[bool, int, float, str]:
    return urgency(pair[0])


def _moment(pair: tuple[Volume, Gateway]) -> datetime | None:
    return pair[0].recovery_point_time
