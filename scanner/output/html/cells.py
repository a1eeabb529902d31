"""Volumes counted by account and Region, and the worst that is said of each."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from scanner.inventory.model import Inventory
from scanner.inventory.records import IN_DANGER, TargetStatus, VerdictStatus, Volume
from scanner.summary.verdicts import SIGNS as VERDICT_SIGNS
from scanner.summary.verdicts import URGENT

SYMBOLS = VERDICT_SIGNS
WAIVED = "waived"
"""What a breach is called that a waiver excuses."""
NOT_READ = "not_read"
"""What a volume is called that only earlier scans know, as its gateway or target was not read."""
SIGNS: dict[str, str] = {status.value: sign for status, sign in SYMBOLS.items() if status in URGENT}
SIGNS |= {NOT_READ: "◌", WAIVED: "◇"} | {status.value: sign for status, sign in SYMBOLS.items()}
"""Worst first: the verdicts, and what was not read or is waived before what needs no look at all."""

DETACHED = "DETACHED"


def waives(volume: Volume) -> bool:
    """Whether a waiver excuses the volume from what would else need action."""
    return volume.verdict.waived is not None and volume.verdict.status in IN_DANGER


@dataclass
class Cell:
    """Volumes of a Region of an account, or of more."""

    verdicts: Counter[VerdictStatus] = field(default_factory=Counter)
    waived: Counter[VerdictStatus] = field(default_factory=Counter)
    """Of the breaches among the verdicts those that a waiver excuses; it changes nothing of the others."""
    detached: int = 0
    """Of the unknown ones those that no gateway holds: they take no writes."""
    size: int = 0
    used: int = 0
    unknown_size: int = 0
    unknown_usage: int = 0
    read: bool = True

    @property
    def volumes(self) -> int:
        return self.verdicts.total()

    @property
    def found(self) -> int:
        """Volumes in breach or without recovery point, waived or not."""
        return sum(self.verdicts[status] for status in IN_DANGER)

    @property
    def breaches(self) -> int:
        """Those that make the exit code 1."""
        return self.found - self.waived.total()

    @property
    def states(self) -> list[tuple[str, int]]:
        """What is said of the volumes, worst first, and of how many; each is counted once."""
        left = {status.value: self.verdicts[status] - self.waived[status] for status in SYMBOLS}
        left[WAIVED] = self.waived.total()
        return [(state, left[state]) for state in SIGNS if left.get(state)]

    @property
    def known_size(self) -> int | None:
        return self._known(self.size, self.unknown_size)

    @property
    def known_usage(self) -> int | None:
        return self._known(self.used, self.unknown_usage)

    def _known(self, amount: int, unknown: int) -> int | None:
        # Nothing added up is not nothing used.
        nothing = unknown == self.volumes if self.volumes else not self.read
        return None if nothing else amount

    def add(self, volume: Volume) -> None:
        status = volume.verdict.status
        self.verdicts[status] += 1
        self.detached += status is VerdictStatus.UNKNOWN and volume.attachment_status == DETACHED
        if waives(volume):
            self.waived[status] += 1
        if volume.size_bytes is None:
            self.unknown_size += 1
        else:
            self.size += volume.size_bytes
        if volume.usage_bytes is None:
            self.unknown_usage += 1
        else:
            self.used += volume.usage_bytes

    @classmethod
    def sum(cls, cells: Iterable["Cell"]) -> "Cell":
        total = cls()
        for cell in cells:
            total.verdicts.update(cell.verdicts)
            total.waived.update(cell.waived)
            total.detached += cell.detached
            total.size += cell.size
            total.used += cell.used
            total.unknown_size += cell.unknown_size
            total.unknown_usage += cell.unknown_usage
            total.read &= cell.read
        return total


@dataclass
class Row:
    """An account with the Regions in which it was asked."""

    account: str
    name: str | None
    ou_path: str | None
    regions: dict[str, Cell]
    total: Cell

    @property
    def order(self) -> tuple[int | str, ...]:
        """Worst first: the most breaches, then the most of which nothing is known."""
        verdicts = self.total.verdicts
        unread = sum(not cell.read for cell in self.regions.values())
        return (
            -self.total.breaches,
            -verdicts[VerdictStatus.UNKNOWN],
            -unread,
            -verdicts[VerdictStatus.AT_RISK],
            -self.total.volumes,
            self.account,
        )


def rows_of(inventory: Inventory) -> list[Row]:
    """The accounts of which anything was asked, worst first."""
    asked = [target for target in inventory.targets if target.status is not TargetStatus.SKIPPED]
    cells = {target.key: Cell(read=target.status is TargetStatus.COMPLETE) for target in asked}
    for volume in inventory.volumes:
        cells[volume.account_id, volume.region].add(volume)
    regions: dict[str, dict[str, Cell]] = {}
    for target in asked:
        regions.setdefault(target.account_id, {})[target.region] = cells[target.key]
    known = {target.account_id: target for target in asked}
    rows = [
        Row(account, known[account].account_name, known[account].ou_path, own, Cell.sum(own.values()))
        for account, own in regions.items()
    ]
    return sorted(rows, key=lambda row: row.order)
