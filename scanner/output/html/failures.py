"""What was not read: failures grouped by account and cause, each group with its one remedy."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from scanner.iam.remedies import remedy_of
from scanner.inventory.arns import id_of
from scanner.inventory.model import Inventory
from scanner.inventory.records import Failure, FailureKind, FailureScope, GatewayStatus, TargetStatus
from scanner.output.text import printable


@dataclass(frozen=True)
class Place:
    """Where something failed: in a gateway, else in a Region, else in all Regions of an account."""

    region: str | None
    gateway: str | None
    gateway_name: str | None

    @property
    def order(self) -> tuple[str, str]:
        return self.region or "", self.gateway or ""


@dataclass
class Group:
    """Failures of one account that have one cause and one remedy."""

    account: str
    kind: FailureKind
    operation: str
    code: str | None
    message: str
    remedy: str
    waived: str | None
    """The reason of the waiver that excuses all of them."""
    places: Counter[Place] = field(default_factory=Counter)

    @property
    def where(self) -> list[Place]:
        return sorted(self.places, key=lambda place: place.order)

    @property
    def extent(self) -> str:
        """How far it reaches: `3 gateways`, `17 Regions`, `all Regions`."""
        if any(place.region is None for place in self.places):
            return "all Regions"
        gateways = sum(place.gateway is not None for place in self.places)
        count, what = (gateways, "gateway") if gateways else (len(self.places), "Region")
        return f"{count:,} {what}{'' if count == 1 else 's'}"


@dataclass(frozen=True)
class Unread:
    """How much was not read: `count` gateways or targets, and `excused` gateways that a waiver excuses."""

    count: int
    excused: int


def groups_of(inventory: Inventory) -> list[Group]:
    """The failures by account and cause: those that reach farthest first, those that are waived last."""
    names = {gateway.arn: gateway.name for gateway in inventory.gateways}
    groups: dict[tuple[str | None, ...], Group] = {}
    for failure in inventory.failures:
        cause = failure.kind, failure.operation, failure.code, failure.remedy
        key = (failure.account_id, *cause, failure.waived)
        if key not in groups:
            groups[key] = Group(
                account=failure.account_id,
                kind=failure.kind,
                operation=failure.operation,
                code=failure.code,
                message=failure.message,
                remedy=printable(remedy_of(failure)),
                waived=failure.waived,
            )
        groups[key].places[_place(failure, names)] += 1
    return sorted(groups.values(), key=_reach)


def _reach(group: Group) -> tuple[bool, bool, int, str]:
    everywhere = any(place.region is None for place in group.places)
    return group.waived is not None, not everywhere, -len(group.places), group.account


def _place(failure: Failure, names: dict[str, str | None]) -> Place:
    arn = failure.gateway_arn
    return Place(
        region=None if failure.scope is FailureScope.ACCOUNT else failure.region,
        gateway=None if arn is None else id_of(arn),
        gateway_name=None if arn is None else names.get(arn),
    )


def unread_of(inventory: Inventory) -> Unread:
    """Targets of which nothing was listed, gateways that failed, and targets that broke off without either."""
    waived: dict[str, list[bool]] = defaultdict(list)
    for failure in inventory.failures:
        if failure.gateway_arn is not None:
            waived[failure.gateway_arn].append(failure.waived is not None)
    excused = sum(
        gateway.status is GatewayStatus.FAILED and all(waived[gateway.arn]) for gateway in inventory.gateways
    )
    counts = inventory.coverage
    stood: Counter[tuple[str, str]] = Counter()
    for gateway in inventory.gateways:
        if gateway.status is not GatewayStatus.FAILED:
            stood[gateway.account_id, gateway.region] += 1
    # What else is partial has a gateway that failed, and that is counted.
    broken = sum(
        target.status is TargetStatus.PARTIAL and target.gateways == stood[target.key]
        for target in inventory.targets
    )
    return Unread(counts.targets.failed + counts.gateways.failed - excused + broken, excused)


def reasons_of(inventory: Inventory) -> dict[tuple[str, str | None], str]:
    """Why targets were not read, by account and Region; of a whole account, by the account alone."""
    kinds: dict[tuple[str, str | None], Counter[str]] = defaultdict(Counter)
    for failure in inventory.failures:
        kinds[failure.account_id, failure.region][failure.kind.value.replace("_", " ")] += 1
    return {
        key: ", ".join(f"{kind} ({count}×)" if count > 1 else kind for kind, count in counts.most_common())
        for key, counts in kinds.items()
    }
