"""Failures in groups that have one cause and one remedy, each with the places where it occurred."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from scanner.iam.remedies import remedy_of
from scanner.inventory.arns import id_of
from scanner.inventory.model import Inventory
from scanner.inventory.records import Failure, FailureKind, FailureScope
from scanner.output.text import printable


@dataclass(frozen=True)
class Place:
    """Where something failed: in a gateway, else in a Region, else in all Regions of an account."""

    account: str
    region: str | None
    gateway: str | None
    gateway_name: str | None

    @property
    def order(self) -> tuple[str, str, str]:
        return self.account, self.region or "", self.gateway or ""


@dataclass
class Group:
    """Failures that have one cause and one remedy."""

    kind: FailureKind
    operation: str
    code: str | None
    message: str
    remedy: str
    places: Counter[Place] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        return self.places.total()

    @property
    def where(self) -> list[Place]:
        return sorted(self.places, key=lambda place: place.order)


def groups_of(inventory: Inventory) -> list[Group]:
    """The failures in groups, the largest first."""
    names = {gateway.arn: gateway.name for gateway in inventory.gateways}
    groups: dict[tuple[Any, ...], Group] = {}
    for failure in inventory.failures:
        key = (failure.kind, failure.operation, failure.code)
        if key not in groups:
            groups[key] = Group(
                kind=failure.kind,
                operation=failure.operation,
                code=failure.code,
                message=failure.message,
                remedy=printable(remedy_of(failure)),
            )
        groups[key].places[_place(failure, names)] += 1
    return sorted(groups.values(), key=lambda group: -group.count)


def _place(failure: Failure, names: dict[str, str | None]) -> Place:
    arn = failure.gateway_arn
    everywhere = failure.scope is FailureScope.ACCOUNT
    return Place(
        account=failure.account_id,
        region=None if everywhere else failure.region,
        gateway=None if arn is None else id_of(arn),
        gateway_name=None if arn is None else names.get(arn),
    )


def reasons_of(inventory: Inventory) -> dict[tuple[str, str | None], str]:
    """Why targets were not read, by account and Region; of a whole account, by the account alone."""
    kinds: dict[tuple[str, str | None], Counter[str]] = defaultdict(Counter)
    for failure in inventory.failures:
        kinds[failure.account_id, failure.region][failure.kind.value.replace("_", " ")] += 1
    return {
        key: ", ".join(f"{kind} ({count}×)" if count > 1 else kind for kind, count in counts.most_common())
        for key, counts in kinds.items()
    }
