"""What a scan was asked for, and how many volumes each rule and waiver of its policy matched."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeVar

from scanner.inventory.model import Inventory
from scanner.inventory.records import IN_DANGER, AskedWaiver, Volume

_Key = TypeVar("_Key")

FALLBACKS = ("account", "default")
"""What a verdict names where no rule matched; tried in this order, after the rules."""


@dataclass(frozen=True)
class Rule:
    """A rule, or what stands for one, with the RPO that it set: the volumes it matched, and those in danger."""

    name: str | None
    rpo: float | None
    volumes: int
    danger: int


@dataclass(frozen=True)
class Waiver:
    """What one reason excuses: the volumes it matched, and of these and of the gateways those it excused."""

    reason: str
    until: tuple[date, ...]
    """The ends of the waivers that have this reason; empty where the inventory does not hold its policy."""
    ended: bool
    volumes: int
    danger: int
    gateways: int


def rules_of(inventory: Inventory) -> list[Rule]:
    """Every rule of the policy in its order, matched or not; those of an older inventory by volumes."""
    rpos = [(each.verdict.rule, each.verdict.rpo_seconds) for each in inventory.volumes]
    counts = _counted(zip(rpos, inventory.volumes, strict=True))
    asked = inventory.scan.asked
    named = {rule.name: rule.rpo_seconds for rule in asked.rules} if asked else {}
    unmatched = [rule for rule in named.items() if rule not in counts]
    order = {name: number for number, name in enumerate((*named, *FALLBACKS))}
    found = [Rule(name, rpo, *counts.get((name, rpo), (0, 0))) for name, rpo in (*counts, *unmatched)]
    if not named:
        return sorted(found, key=lambda rule: -rule.volumes)
    return sorted(found, key=lambda rule: (order.get(rule.name or "", len(order)), -rule.volumes))


def waivers_of(inventory: Inventory) -> list[Waiver]:
    """Every waiver of the policy by its reason, those that excuse most first; ended ones last."""
    waived = [(each.verdict.waived, each) for each in inventory.volumes if each.verdict.waived is not None]
    counts = _counted(waived)
    gateways = {
        (each.waived, each.gateway_arn) for each in inventory.failures if each.waived and each.gateway_arn
    }
    of_gateways = Counter(reason for reason, _ in gateways)
    asked: dict[str, list[AskedWaiver]] = defaultdict(list)
    for each in inventory.scan.asked.waivers if inventory.scan.asked else ():
        asked[each.reason].append(each)
    found = [
        Waiver(
            reason,
            tuple(sorted(each.until for each in asked[reason])),
            _ended([each.until for each in asked[reason]], inventory.scan.finished_at),
            *counts.get(reason, (0, 0)),
            of_gateways[reason],
        )
        for reason in {**asked, **counts, **of_gateways}
    ]
    return sorted(
        found, key=lambda each: (each.ended, -each.danger - each.gateways, -each.volumes, each.reason)
    )


def _ended(until: list[date], moment: datetime) -> bool:
    return bool(until) and max(until) < moment.astimezone(UTC).date()


def _counted(matched: Iterable[tuple[_Key, Volume]]) -> dict[_Key, tuple[int, int]]:
    volumes: Counter[_Key] = Counter()
    danger: Counter[_Key] = Counter()
    for key, volume in matched:
        volumes[key] += 1
        danger[key] += volume.verdict.status in IN_DANGER
    return {key: (count, danger[key]) for key, count in volumes.items()}
