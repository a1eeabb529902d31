"""What the summary and the exit code need of a scan; its size does not grow with the fleet's."""

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from scanner.inventory.events import (
    Event,
    FailureSeen,
    GatewayEnded,
    ScanEnded,
    TargetEnded,
    TargetPlanned,
    VolumesSeen,
)
from scanner.inventory.records import (
    Coverage,
    Failure,
    FailureKind,
    Gateway,
    GatewayStatus,
    LastKnown,
    Outcome,
    ScanInfo,
    Target,
    TargetStatus,
    VerdictStatus,
    Volume,
    coverage_of,
    is_breach,
    is_excused,
)
from scanner.summary.mixture import in_turn
from scanner.summary.verdicts import URGENT, urgency

DETACHED = "DETACHED"
MOST_VOLUMES = 10
MOST_EXAMPLES = 3
MOST_GROUPS = 1000
Rated = tuple[Volume, Gateway | None]
"""A volume and its gateway, if one could be asked."""


class Cause(NamedTuple):
    """What failures of one account have in common, and so one remedy helps against."""

    account_id: str
    kind: FailureKind
    operation: str
    code: str | None
    remedy: str | None
    waived: str | None


@dataclass(slots=True)
class Group:
    """Failures with one cause: how many, of how many Regions and gateways, and the first few."""

    count: int = 0
    gateways: int = 0
    regions: set[str | None] = field(default_factory=set)
    examples: list[Failure] = field(default_factory=list)

    def add(self, failure: Failure) -> None:
        self.count += 1
        self.gateways += failure.gateway_arn is not None
        self.regions.add(failure.region)
        if self.count <= MOST_EXAMPLES:
            self.examples.append(failure)


class Counted(NamedTuple):
    """What is kept of a volume until its target ends, as its gateway's is not the last word if it moved."""

    status: VerdictStatus
    breach: bool
    waived: bool


@dataclass(slots=True)
class RunningTarget:
    """A target that has not ended: how many gateways did, and the volumes that stand so far."""

    gateways: int = 0
    volumes: dict[str, Counted] = field(default_factory=dict)


@dataclass(slots=True)
class Statistics:
    """Counts of one scan, its worst and oldest volumes, and its failures in groups."""

    planned: int = 0
    accounts: dict[str, str | None] = field(default_factory=dict)
    targets: Counter[TargetStatus] = field(default_factory=Counter)
    listed: int = 0
    gateways: Counter[GatewayStatus] = field(default_factory=Counter)
    verdicts: Counter[VerdictStatus] = field(default_factory=Counter)
    breaches: int = 0
    waived: int = 0
    oldest: list[Rated] = field(default_factory=list)
    ranked: dict[VerdictStatus, list[Rated]] = field(default_factory=dict)
    """The worst volumes of each verdict that is worth a look."""
    detached: int = 0
    """Volumes that no gateway holds, so that nobody could be asked about them."""
    detached_named: list[Volume] = field(default_factory=list)
    """The first of them."""
    failures: dict[Cause, Group] = field(default_factory=dict)
    ungrouped: int = 0
    """Failures beyond the first MOST_GROUPS causes, of which nothing else is kept."""
    gateway_names: dict[str, str | None] = field(default_factory=dict)
    ended: ScanEnded | None = None
    last_known: tuple[LastKnown, ...] = ()
    """Of volumes that were not read; filled in from the history, where there is one."""
    _running: dict[tuple[str, str], RunningTarget] = field(default_factory=dict)
    _named: set[str | None] = field(default_factory=set)

    def add(self, event: Event) -> None:
        """Raises RuntimeError for a target that loses gateways or volumes: a defect."""
        match event:
            case TargetPlanned(account_id, name):
                self.planned += 1
                self.accounts[account_id] = name
            case GatewayEnded(gateway, volumes):
                self._gateway_ended(gateway, volumes)
            case VolumesSeen(volumes):
                self._volumes_seen(volumes, None)
                self._note_detached(volumes)
            case FailureSeen(failure):
                self._failure_seen(failure)
            case TargetEnded(target):
                self._target_ended(target)
            case ScanEnded():
                self.ended = event
            case _:
                pass

    def _failure_seen(self, failure: Failure) -> None:
        cause = Cause(
            failure.account_id,
            failure.kind,
            failure.operation,
            failure.code,
            failure.remedy,
            failure.waived,
        )
        if cause not in self.failures and len(self.failures) >= MOST_GROUPS:
            self.ungrouped += 1
            return
        group = self.failures.setdefault(cause, Group())
        group.add(failure)
        if failure in group.examples:
            self._named.add(failure.gateway_arn)

    def _gateway_ended(self, gateway: Gateway, volumes: tuple[Volume, ...]) -> None:
        self.gateways[gateway.status] += 1
        if gateway.arn in self._named:
            self.gateway_names[gateway.arn] = gateway.name
        running = self._running.setdefault((gateway.account_id, gateway.region), RunningTarget())
        running.gateways += 1
        self._volumes_seen(volumes, gateway)

    def _volumes_seen(self, volumes: tuple[Volume, ...], gateway: Gateway | None) -> None:
        if not volumes:
            return
        running = self._running.setdefault((volumes[0].account_id, volumes[0].region), RunningTarget())
        moved = {volume.arn for volume in volumes if volume.arn in running.volumes}
        for arn in moved:
            self._count(running.volumes[arn], -1)
        for volume in volumes:
            verdict = volume.verdict
            counted = Counted(verdict.status, is_breach(verdict), is_excused(verdict))
            running.volumes[volume.arn] = counted
            self._count(counted, 1)
        pairs = [(volume, gateway) for volume in volumes]
        worrying = [pair for pair in pairs if pair[0].verdict.status in URGENT]
        for status in URGENT if worrying or moved else ():
            more = [pair for pair in worrying if pair[0].verdict.status is status]
            if more or moved:
                self.ranked[status] = _first(self.ranked.get(status, []), moved, more, _by_urgency)
        self.oldest = _first(self.oldest, moved, [pair for pair in pairs if _moment(pair)], _moment)

    def _note_detached(self, volumes: tuple[Volume, ...]) -> None:
        for volume in volumes:
            if volume.gateway_arn is None and volume.attachment_status == DETACHED:
                self.detached += 1
                if len(self.detached_named) < MOST_VOLUMES:
                    self.detached_named.append(volume)

    def _count(self, counted: Counted, number: int) -> None:
        self.verdicts[counted.status] += number
        self.breaches += number * counted.breach
        self.waived += number * counted.waived

    def _target_ended(self, target: Target) -> None:
        running = self._running.pop(target.key, RunningTarget())
        if target.volumes != len(running.volumes) or target.gateways < running.gateways:
            raise RuntimeError(f"the target {target.account_id} {target.region} lost gateways or volumes")
        self.targets[target.status] += 1
        self.listed += target.gateways

    @property
    def worst(self) -> list[Rated]:
        """The worst volumes, worst first; each verdict that is worth a look has its share."""
        chosen = islice(in_turn(self.ranked, lambda pair: pair[0].arn), MOST_VOLUMES)
        return sorted(chosen, key=_by_urgency)

    @property
    def whole(self) -> bool:
        """Whether everything that was to be read was read."""
        scan = self.scan
        return scan.outcome is Outcome.COMPLETE and not (scan.deadline_reached or scan.interrupted)

    @property
    def scan(self) -> ScanInfo:
        if self.ended is None:
            raise RuntimeError("the scan has not ended")
        return self.ended.scan

    def coverage(self) -> Coverage:
        """The counts of the whole scan. Raises RuntimeError if they do not balance: a defect."""
        if self.ended is None or self.planned != self.targets.total():
            raise RuntimeError(f"{self.planned} targets were planned, but {self.targets.total()} ended")
        return coverage_of(
            self.targets, self.listed, self.gateways, self.verdicts, self.waived, self.ended.calls
        )


def exit_code(statistics: Statistics, *, failed_outputs: bool = False, breaches: bool = True) -> int:
    """0 complete, 1 a breach that is not waived, 3 incomplete or an output not written, 4 nothing read."""
    scan = statistics.scan
    if scan.outcome is Outcome.FAILED:
        return 4
    if breaches and statistics.breaches:
        return 1
    return 3 if not statistics.whole or failed_outputs else 0


def _first(
    kept: list[Rated],
    moved: set[str],
    more: list[Rated],
    key: Callable[[Rated], Any],
) -> list[Rated]:
    if moved:
        kept = [pair for pair in kept if pair[0].arn not in moved]
    return heapq.nsmallest(MOST_VOLUMES, kept + more, key=key) if more else kept


def _by_urgency(pair: Rated) -> tuple[bool, int, float, str]:
    return urgency(pair[0])


def _moment(pair: Rated) -> datetime | None:
    return pair[0].recovery_point_time
