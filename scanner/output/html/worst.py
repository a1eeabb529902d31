"""The gateways that need a look first, and the worst volumes of each: no verdict hides another."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice

from scanner.inventory.arns import id_of
from scanner.inventory.model import Inventory
from scanner.inventory.records import Gateway, VerdictStatus, Volume
from scanner.output.html.cells import Cell, waives
from scanner.summary.mixture import SHARES, in_turn
from scanner.summary.verdicts import URGENT, urgency

MOST_GATEWAYS = 10
MOST_OF_GATEWAY = 5
MOST_VOLUMES = 50

_Key = tuple[str, str, str | None]


@dataclass
class Group:
    """The volumes of a gateway, or of a target those that no gateway holds."""

    account: str
    region: str
    arn: str | None
    gateway: Gateway | None
    cell: Cell
    worst: list[Volume]

    @property
    def gateway_id(self) -> str | None:
        return None if self.arn is None else id_of(self.arn)

    @property
    def order(self) -> tuple[int | str, ...]:
        """Worst first: the most that need action, then the most at risk."""
        verdicts = self.cell.verdicts
        return (
            -self.cell.breaches,
            -verdicts[VerdictStatus.AT_RISK],
            -verdicts[VerdictStatus.UNKNOWN],
            self.account,
            self.region,
            self.arn or "",
        )


def worst_gateways(inventory: Inventory) -> tuple[list[Group], int]:
    """The gateways shown, and how many have a volume that is worth a look; waived ones are not."""
    urgent: dict[_Key, list[Volume]] = defaultdict(list)
    for volume in inventory.volumes:
        if _worries(volume):
            urgent[_key(volume)].append(volume)
    count: dict[VerdictStatus, dict[_Key, int]] = {status: defaultdict(int) for status, _ in SHARES}
    for key, volumes in urgent.items():
        for volume in volumes:
            count[volume.verdict.status][key] += 1
    ranked = {status: sorted(keys, key=lambda key: (-keys[key], str(key))) for status, keys in count.items()}
    chosen = list(islice(in_turn(ranked), MOST_GATEWAYS))
    cells = {key: Cell() for key in chosen}
    for volume in inventory.volumes:
        cell = cells.get(_key(volume))
        if cell is not None:
            cell.add(volume)
    gateways = {gateway.arn: gateway for gateway in inventory.gateways}
    groups = [
        Group(*key, gateways.get(key[2] or ""), cells[key], mixed(urgent[key], MOST_OF_GATEWAY))
        for key in chosen
    ]
    return sorted(groups, key=lambda group: group.order), len(urgent)


def worst_volumes(inventory: Inventory) -> list[Volume]:
    """Those that stand where the table of all volumes cannot: each verdict has its share."""
    return mixed(filter(_worries, inventory.volumes), MOST_VOLUMES)


def mixed(volumes: Iterable[Volume], most: int) -> list[Volume]:
    """The worst of `volumes`, worst first, in which every verdict worth a look has its share."""
    by_status: dict[VerdictStatus, list[Volume]] = defaultdict(list)
    for volume in volumes:
        by_status[volume.verdict.status].append(volume)
    ranked = {status: nsmallest(most, of, key=urgency) for status, of in by_status.items()}
    return sorted(islice(in_turn(ranked, lambda volume: volume.arn), most), key=urgency)


def _worries(volume: Volume) -> bool:
    return volume.verdict.status in URGENT and not waives(volume)


def _key(volume: Volume) -> _Key:
    return volume.account_id, volume.region, volume.gateway_arn
