"""What the page says, worked out of an inventory: counts, groups and the worst of each."""

from collections import defaultdict
from dataclasses import dataclass
from heapq import nsmallest

from scanner.iam.remedies import REASONS
from scanner.inventory.model import Inventory
from scanner.inventory.records import Gateway, Target, TargetStatus, VerdictStatus, Volume
from scanner.output.html.cells import Cell, Row, rows_of
from scanner.output.html.failures import Group, groups_of, reasons_of
from scanner.summary.verdicts import URGENT, urgency

MOST_ROWS = 200
"""How many rows a list on the page has; what is left out is counted below it."""
FEW = 3
"""How many places of a failure are seen at once."""
MOST_WORST = 50
MOST_ACCOUNTS = 40
"""How many accounts a chart has; those that are left out are in the table below it."""

SHARES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0, 10.0)
"""Where the bars of the ages end, as multiples of the RPO."""
BARS = ("≤ 25 %", "≤ 50 %", "≤ 75 %", "≤ 100 %", "≤ 1.5×", "≤ 2×", "≤ 5×", "≤ 10×", "> 10×", "no point")


@dataclass
class Facts:
    inventory: Inventory
    accounts: list[Row]
    """Those of which anything was asked, worst first."""
    total: Cell
    bars: dict[VerdictStatus, list[int]]
    worst: list[tuple[Volume, Gateway | None]]
    unread: list[tuple[Target, str]]
    skipped: list[tuple[Target, str]]
    failures: list[Group]
    known: dict[str, tuple[str | None, str | None]]
    """Of each account its name and its organizational units."""

    @property
    def whole(self) -> bool:
        """Whether the page may be taken for the whole fleet."""
        scan = self.inventory.scan
        return not self.unread and not scan.interrupted and not scan.deadline_reached and bool(self.read)

    @property
    def read(self) -> int:
        targets = self.inventory.coverage.targets
        return targets.complete + targets.partial

    @property
    def urgent(self) -> int:
        return sum(self.total.verdicts[status] for status in URGENT)

    @property
    def regions(self) -> list[str]:
        return sorted({region for row in self.accounts for region in row.regions})

    @property
    def cells(self) -> list[tuple[str, str, Cell]]:
        return [(row.account, region, cell) for row in self.accounts for region, cell in row.regions.items()]

    @property
    def largest(self) -> list[Row]:
        """The accounts by the size of their volumes."""
        return sorted(self.accounts, key=lambda row: (-row.total.size, row.account))

    @property
    def lead(self) -> str:
        """The page in a sentence or three, whose numbers are those of the tiles below it."""
        volumes, found, waived = self.total.volumes, self.total.found, self.total.waived.total()
        unknown = self.total.verdicts[VerdictStatus.UNKNOWN]
        if not volumes:
            return "There are no volumes." if self.whole else "No volume was read."
        said = [_found(found, volumes)]
        if waived:
            which = "It" if found == 1 else "All of them" if waived == found else f"{waived:,} of them"
            count = "is waived and counts" if waived == 1 else "are waived and count"
            said.append(f"{which} {count} for no breach.")
        if unknown:
            said.append(f"{unknown:,}{' more' if found else ''} {'is' if unknown == 1 else 'are'} unknown.")
        return " ".join(said)


def _found(found: int, volumes: int) -> str:
    those = f"{volumes:,} {'volume' if volumes == 1 else 'volumes'}"
    if not found:
        return "No volume is known to breach its RPO or to lack a recovery point."
    if found == 1:
        return f"1 of {those} breaches its RPO or has no recovery point."
    return f"{found:,} of {those} breach their RPO or have no recovery point."


def facts_of(inventory: Inventory) -> Facts:
    """Two passes over the volumes, whatever the page asks of them."""
    accounts = rows_of(inventory)
    bars: dict[VerdictStatus, list[int]] = defaultdict(lambda: [0] * len(BARS))
    for volume in inventory.volumes:
        bar = _bar(volume)
        if bar is not None:
            bars[volume.verdict.status][bar] += 1
    gateways = {gateway.arn: gateway for gateway in inventory.gateways}
    worst = nsmallest(MOST_WORST, (v for v in inventory.volumes if v.verdict.status in URGENT), key=urgency)
    reasons = reasons_of(inventory)
    return Facts(
        inventory=inventory,
        accounts=accounts,
        total=Cell.sum(row.total for row in accounts),
        bars=dict(bars),
        worst=[(volume, gateways.get(volume.gateway_arn or "")) for volume in worst],
        unread=[
            (target, reasons.get(target.key) or reasons.get((target.account_id, None), ""))
            for target in inventory.targets
            if target.status in (TargetStatus.FAILED, TargetStatus.PARTIAL)
        ],
        skipped=[(target, REASONS[target.reason]) for target in inventory.targets if target.reason],
        failures=groups_of(inventory),
        known={target.account_id: (target.account_name, target.ou_path) for target in inventory.targets},
    )


def _bar(volume: Volume) -> int | None:
    verdict = volume.verdict
    if verdict.status is VerdictStatus.NO_RECOVERY_POINT:
        return len(BARS) - 1
    if verdict.age_seconds is None or not verdict.rpo_seconds or verdict.status is VerdictStatus.UNKNOWN:
        return None
    share = verdict.age_seconds / verdict.rpo_seconds
    return next((number for number, end in enumerate(SHARES) if share <= end), len(SHARES))
