"""What the page says, worked out of an inventory: counts, groups and the worst of each."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Any

from scanner.model import Inventory
from scanner.output.remedies import REASONS, remedy_of
from scanner.policy import is_breach, urgency
from scanner.records import (
    Failure,
    FailureKind,
    FailureScope,
    Gateway,
    Target,
    TargetStatus,
    VerdictStatus,
    Volume,
)

MOST_ROWS = 200
"""How many rows a list on the page has; what is left out is counted below it."""
MOST_WORST = 50
MOST_ACCOUNTS = 40

SHARES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0, 10.0)
"""Where the bars of the ages end, as multiples of the RPO."""
BARS = ("≤ 25 %", "≤ 50 %", "≤ 75 %", "≤ 100 %", "≤ 1.5×", "≤ 2×", "≤ 5×", "≤ 10×", "> 10×", "no point")
_URGENT = frozenset(
    {
        VerdictStatus.NO_RECOVERY_POINT,
        VerdictStatus.BREACH,
        VerdictStatus.UNKNOWN,
        VerdictStatus.AT_RISK,
    }
)


@dataclass
class Cell:
    """Volumes of an account, or of one of its Regions."""

    volumes: int = 0
    breaches: int = 0
    size: int = 0
    used: int = 0
    unknown_usage: int = 0
    read: bool = True

    def add(self, volume: Volume) -> None:
        self.volumes += 1
        self.breaches += is_breach(volume.verdict)
        self.size += volume.size_bytes or 0
        self.used += volume.usage_bytes or 0
        self.unknown_usage += volume.usage_bytes is None


@dataclass
class Row:
    """An account with its Regions."""

    account: str
    name: str | None
    total: Cell = field(default_factory=Cell)
    regions: dict[str, Cell] = field(default_factory=dict)


@dataclass
class Group:
    """Failures that have one cause and one remedy."""

    kind: FailureKind
    operation: str
    code: str | None
    message: str
    remedy: str
    places: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        return self.places.total()


@dataclass
class Facts:
    inventory: Inventory
    accounts: list[Row]
    regions: list[str]
    verdicts: Counter[VerdictStatus]
    waived: int
    breaches: int
    bars: dict[VerdictStatus, list[int]]
    worst: list[tuple[Volume, Gateway]]
    urgent: int
    unread: list[tuple[Target, str]]
    skipped: list[tuple[Target, str]]
    failures: list[Group]
    names: dict[str, str | None]

    @property
    def whole(self) -> bool:
        """Whether the page may be taken for the whole fleet."""
        scan = self.inventory.scan
        return not self.unread and not scan.interrupted and not scan.deadline_reached and bool(self.read)

    @property
    def read(self) -> int:
        targets = self.inventory.coverage.targets
        return targets.complete + targets.partial


def facts_of(inventory: Inventory) -> Facts:
    """One pass over the volumes, whatever the page asks of them."""
    names = {target.account_id: target.account_name for target in inventory.targets}
    rows = {account: Row(account, name) for account, name in names.items()}
    for target in inventory.targets:
        if target.status is not TargetStatus.SKIPPED:
            rows[target.account_id].regions[target.region] = Cell(read=target.status is TargetStatus.COMPLETE)
    verdicts: Counter[VerdictStatus] = Counter()
    bars: dict[VerdictStatus, list[int]] = defaultdict(lambda: [0] * len(BARS))
    waived = urgent = 0
    for volume in inventory.volumes:
        row = rows[volume.account_id]
        row.total.add(volume)
        row.regions[volume.region].add(volume)
        verdict = volume.verdict
        verdicts[verdict.status] += 1
        waived += verdict.waived is not None
        urgent += verdict.status in _URGENT
        bar = _bar(volume)
        if bar is not None:
            bars[verdict.status][bar] += 1
    gateways = {gateway.arn: gateway for gateway in inventory.gateways}
    worst = nsmallest(MOST_WORST, (v for v in inventory.volumes if v.verdict.status in _URGENT), key=urgency)
    accounts = sorted(rows.values(), key=lambda row: (-row.total.breaches, -row.total.volumes, row.account))
    reasons = _reasons(inventory)
    return Facts(
        inventory=inventory,
        accounts=accounts,
        regions=sorted({region for row in accounts for region in row.regions}),
        verdicts=verdicts,
        waived=waived,
        breaches=sum(row.total.breaches for row in accounts),
        bars=dict(bars),
        worst=[(volume, gateways[volume.gateway_arn]) for volume in worst],
        urgent=urgent,
        unread=[
            (target, reasons.get(target.key) or reasons.get((target.account_id, None), ""))
            for target in inventory.targets
            if target.status in (TargetStatus.FAILED, TargetStatus.PARTIAL)
        ],
        skipped=[(target, REASONS[target.reason]) for target in inventory.targets if target.reason],
        failures=_groups(inventory.failures),
        names=names,
    )


def _bar(volume: Volume) -> int | None:
    verdict = volume.verdict
    if verdict.status is VerdictStatus.NO_RECOVERY_POINT:
        return len(BARS) - 1
    if verdict.age_seconds is None or not verdict.rpo_seconds or verdict.status is VerdictStatus.UNKNOWN:
        return None
    share = verdict.age_seconds / verdict.rpo_seconds
    return next((number for number, end in enumerate(SHARES) if share <= end), len(SHARES))


def _reasons(inventory: Inventory) -> dict[tuple[str, str | None], str]:
    kinds: dict[tuple[str, str | None], Counter[str]] = defaultdict(Counter)
    for failure in inventory.failures:
        kinds[failure.account_id, failure.region][failure.kind.value.replace("_", " ")] += 1
    return {
        key: ", ".join(f"{kind} ({count}×)" if count > 1 else kind for kind, count in counts.most_common())
        for key, counts in kinds.items()
    }


def _groups(failures: tuple[Failure, ...]) -> list[Group]:
    groups: dict[tuple[Any, ...], Group] = {}
    for failure in failures:
        key = (failure.kind, failure.operation, failure.code)
        if key not in groups:
            groups[key] = Group(
                kind=failure.kind,
                operation=failure.operation,
                code=failure.code,
                message=failure.message,
                remedy=remedy_of(failure),
            )
        everywhere = failure.scope is FailureScope.ACCOUNT
        groups[key].places[f"{failure.account_id} {'all Regions' if everywhere else failure.region}"] += 1
    return sorted(groups.values(), key=lambda group: -group.count)
