"""What the page says, worked out of an inventory: its answer, counts, groups and the worst of each."""

from collections.abc import Mapping
from dataclasses import dataclass

from scanner.iam.remedies import REASONS
from scanner.inventory.model import Inventory
from scanner.inventory.records import Gateway, Outcome, Target, TargetStatus, VerdictStatus, Volume
from scanner.output.html import worst
from scanner.output.html.ages import Ages, ages_of
from scanner.output.html.asked import Rule, Waiver, rules_of, waivers_of
from scanner.output.html.cells import Cell, Row, rows_of
from scanner.output.html.failures import Group, Unread, groups_of, reasons_of, unread_of
from scanner.summary.past import Danger, Past, VolumeKey

MOST_ROWS = 200
"""How many rows a list on the page has; what is left out is counted below it."""
FEW = 3
"""How many places of a failure are seen at once."""
MOST_PLACES = 50
"""How many of them the page names at all."""
MOST_OPEN = 10
"""How many groups of what was not read are seen at once."""
MOST_ACCOUNTS = 40
"""How many accounts the heat map has before the others are asked for."""


@dataclass
class Facts:
    inventory: Inventory
    accounts: list[Row]
    """Those of which anything was asked, worst first."""
    total: Cell
    ages: Ages
    gateways: list[worst.Group]
    worrying: int
    """How many gateways have a volume that is worth a look."""
    worst: list[tuple[Volume, Gateway | None]]
    unread: Unread
    targets: list[tuple[Target, str]]
    """Targets that were not read, or not completely, and why."""
    skipped: list[tuple[Target, str]]
    failures: list[Group]
    rules: list[Rule]
    waivers: list[Waiver]
    known: dict[str, tuple[str | None, str | None]]
    """Of each account its name and its organizational units."""
    danger: Mapping[VolumeKey, Danger]
    """Since when the volumes that need action do, where a history knows."""

    @property
    def action(self) -> int:
        """Volumes that breach their RPO or have no recovery point, and that no waiver excuses."""
        return self.total.breaches

    @property
    def whole(self) -> bool:
        """Whether the page may be taken for the whole fleet."""
        scan = self.inventory.scan
        stopped = scan.interrupted or scan.deadline_reached or scan.outcome is not Outcome.COMPLETE
        return not self.unread.count and not stopped

    @property
    def read(self) -> int:
        targets = self.inventory.coverage.targets
        return targets.complete + targets.partial

    @property
    def undecided(self) -> int:
        """Volumes of which nobody can say that they are well; detached ones take no writes."""
        verdicts = self.total.verdicts
        return verdicts[VerdictStatus.UNKNOWN] - self.total.detached + verdicts[VerdictStatus.UNRATED]

    @property
    def well(self) -> bool:
        """Whether all is known and all is well: then alone the page is green."""
        return self.whole and not self.action and not self.undecided and self.total.volumes > 0

    @property
    def tightest(self) -> float | None:
        """The shortest RPO that a verdict rests on, in seconds."""
        given = (volume.verdict.rpo_seconds for volume in self.inventory.volumes)
        return min((rpo for rpo in given if rpo), default=None)

    @property
    def heading(self) -> str:
        """The page in a sentence; its numbers are those below it."""
        volumes = self.total.volumes
        if not self.read and not self.whole:
            return "Nothing was read: of no volume is anything known."
        if not volumes:
            return "There are no volumes." if self.whole else "No volume was found in what was read."
        if self.well:
            return f"All is well: everything was read, and {_volumes(volumes)}."
        verb = "needs" if self.action == 1 else "need"
        said = f"{self.action:,} of {volumes:,} volume{'' if volumes == 1 else 's'} {verb} action"
        if not self.action:
            # What nobody could ask about is not known to be well.
            said = "The one volume is not" if volumes == 1 else f"Of {volumes:,} volumes none is"
            said += " known to need action"
        return f"{said}; {_coverage(self.unread, self.whole)}."

    @property
    def title(self) -> str:
        """What stands in the browser's tab: the answer first."""
        if self.well:
            return "All well"
        return f"{self.action:,} need action, {self.unread.count:,} not read"

    @property
    def remarks(self) -> list[str]:
        """What one must know beside the numbers."""
        scan, cell, said = self.inventory.scan, self.total, []
        if scan.interrupted:
            said.append("The scan was interrupted: volumes may be missing.")
        if scan.deadline_reached:
            said.append("The deadline ended the scan: volumes may be missing.")
        if scan.missing_shards:
            said.append(f"Shards are missing: {', '.join(map(str, scan.missing_shards))}.")
        if self.unread.excused:
            said.append(f"A waiver excuses {self.unread.excused:,} more that could not be read.")
        if waived := cell.waived.total():
            said.append(f"A waiver excuses {waived:,} more that would need action.")
        unknown = cell.verdicts[VerdictStatus.UNKNOWN] - cell.detached
        if unknown:
            said.append(f"{unknown:,} could not be asked about, or not judged: unknown is not well.")
        if cell.detached:
            said.append(f"{cell.detached:,} detached from any gateway: not rated.")
        if unrated := cell.verdicts[VerdictStatus.UNRATED]:
            said.append(f"No RPO applies to {unrated:,}: not rated.")
        return said

    @property
    def regions(self) -> list[str]:
        """Those with anything to see, worst first; empty ones that were read are folded away."""
        totals = self._by_region
        seen = (region for region, cell in totals.items() if cell.volumes or not cell.read)
        return sorted(seen, key=lambda region: _danger(region, totals[region]))

    @property
    def empty(self) -> list[str]:
        totals = self._by_region
        return sorted(region for region, cell in totals.items() if not cell.volumes and cell.read)

    @property
    def _by_region(self) -> dict[str, Cell]:
        parts: dict[str, list[Cell]] = {}
        for row in self.accounts:
            for region, cell in row.regions.items():
                parts.setdefault(region, []).append(cell)
        return {region: Cell.sum(cells) for region, cells in parts.items()}

    @property
    def largest(self) -> list[Row]:
        """The accounts by the size of their volumes."""
        return sorted(self.accounts, key=lambda row: (-row.total.size, row.account))


def _volumes(count: int) -> str:
    return "the one volume needs no action" if count == 1 else f"none of {count:,} volumes needs action"


def _coverage(unread: Unread, whole: bool) -> str:
    count = unread.count
    if count:
        return f"{count:,} {'gateway or target was' if count == 1 else 'gateways or targets were'} not read"
    if not whole:
        return "the scan is not complete"
    return "everything but what a waiver excuses was read" if unread.excused else "everything was read"


def _danger(region: str, cell: Cell) -> tuple[int | str, ...]:
    verdicts = cell.verdicts
    return (
        -cell.breaches,
        -verdicts[VerdictStatus.UNKNOWN],
        cell.read,
        -verdicts[VerdictStatus.AT_RISK],
        -cell.volumes,
        region,
    )


def facts_of(inventory: Inventory, past: Past | None = None) -> Facts:
    """A few passes over the volumes, whatever the page asks of them."""
    accounts = rows_of(inventory)
    gateways, worrying = worst.worst_gateways(inventory)
    reasons = reasons_of(inventory)
    known = {gateway.arn: gateway for gateway in inventory.gateways}
    asked = inventory.scan.asked
    return Facts(
        inventory=inventory,
        accounts=accounts,
        total=Cell.sum(row.total for row in accounts),
        ages=ages_of(inventory.volumes, asked.warn_at if asked else None),
        gateways=gateways,
        worrying=worrying,
        worst=[(each, known.get(each.gateway_arn or "")) for each in worst.worst_volumes(inventory)],
        unread=unread_of(inventory),
        targets=[
            (target, reasons.get(target.key) or reasons.get((target.account_id, None), ""))
            for target in inventory.targets
            if target.status in (TargetStatus.FAILED, TargetStatus.PARTIAL)
        ],
        skipped=[(target, REASONS[target.reason]) for target in inventory.targets if target.reason],
        failures=groups_of(inventory),
        rules=rules_of(inventory),
        waivers=waivers_of(inventory),
        danger=past.danger if past else {},
        known={target.account_id: (target.account_name, target.ou_path) for target in inventory.targets},
    )
