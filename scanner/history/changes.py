"""What changed between two inventories. What was not read is never told as gone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scanner.inventory.model import Inventory
from scanner.inventory.records import (
    ANY_ACCOUNT,
    ANY_REGION,
    Failure,
    Gateway,
    LastKnown,
    Target,
    TargetStatus,
    VerdictStatus,
    Volume,
    rfc3339,
)

DETACHED = "detached"


class ChangeKind(StrEnum):
    """What may become of a target, a gateway, a volume or a failure from one inventory to the next.

    `vanished`: its target was read completely, and it is not there any more. `left_scope`: its account or Region
    is planned no more. `not_asked`: the newer scan was narrowed, or of another shard. `not_read`: it was asked and
    could not be read. `read`: it could be read, and the older scan had not read that target. `backwards`: its
    latest point is older than one that was seen before.
    """

    CAME = "came"
    VANISHED = "vanished"
    LEFT_SCOPE = "left_scope"
    NOT_ASKED = "not_asked"
    NOT_READ = "not_read"
    READ = "read"
    STATUS = "status"
    MOVED = "moved"
    BACKWARDS = "backwards"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `what` is `target`, `gateway`, `volume` or `failure`; `key` its ARN, or what names it.

    `before` and `after` hold the states that differ: a status, a gateway's ARN, a time.
    """

    what: str
    kind: ChangeKind
    key: str
    account_id: str
    region: str | None
    before: str | None = None
    after: str | None = None


def diff(
    old: Inventory, new: Inventory, *, old_narrowed: bool = False, new_narrowed: bool = False
) -> Iterator[Change]:
    """Every change from `old` to `new`: targets first, then gateways, volumes and failures, each in order.

    `old_narrowed`, `new_narrowed`: that scan was asked for a part of the fleet only, so what it has no target
    for was not asked. Volumes that `old` could not read are compared with its last known points.
    """
    before, after = Scope(old, narrowed=old_narrowed), Scope(new, narrowed=new_narrowed)
    yield from _targets(old, new, before, after)
    yield from _gateways(old, new, before, after)
    yield from _volumes(old, new, before, after)
    yield from _failures(old, new, after)


class Scope:
    """What an inventory says of something that it does not hold."""

    def __init__(self, inventory: Inventory, *, narrowed: bool) -> None:
        self._targets = {target.key: target for target in inventory.targets}
        self.accounts = {target.account_id for target in inventory.targets}
        self._narrowed = narrowed or bool(inventory.scan.shard or inventory.scan.missing_shards)

    def absence(self, account_id: str, region: str) -> ChangeKind:
        """Why something that an older inventory had is not in this one."""
        target = self._targets.get((account_id, region))
        if target is None:
            if (account_id, ANY_REGION) in self._targets or ("*", ANY_REGION) in self._targets:
                return ChangeKind.NOT_READ
            return ChangeKind.NOT_ASKED if self._narrowed else ChangeKind.LEFT_SCOPE
        if target.status is TargetStatus.SKIPPED:
            return ChangeKind.LEFT_SCOPE
        return ChangeKind.VANISHED if target.status is TargetStatus.COMPLETE else ChangeKind.NOT_READ

    def asked_again(self, failure: Failure) -> bool:
        """Whether what once failed was asked again, so that its failure is over when it is not told any more."""
        if failure.region is None or failure.region == ANY_REGION:
            return failure.account_id in self.accounts
        target = self._targets.get((failure.account_id, failure.region))
        if target is None or target.status is TargetStatus.SKIPPED:
            return False
        return failure.gateway_arn is None or target.status is not TargetStatus.FAILED

    def novelty(self, account_id: str, region: str) -> ChangeKind:
        """What something is to a newer inventory that has it, when this one does not."""
        unseen = self.absence(account_id, region) in (ChangeKind.NOT_READ, ChangeKind.NOT_ASKED)
        return ChangeKind.READ if unseen else ChangeKind.CAME


def _targets(old: Inventory, new: Inventory, was: Scope, scope: Scope) -> Iterator[Change]:
    before = {target.key: target for target in old.targets}
    after = {target.key: target for target in new.targets}
    for key in sorted({*before, *after}):
        one, other = before.get(key), after.get(key)
        if one is None:
            yield Change("target", was.novelty(*key), _named(key), *key, after=_status(other))
        elif other is None:
            if key[1] == ANY_REGION and (key[0] in scope.accounts or key[0] == ANY_ACCOUNT):
                # Its Regions, or all accounts, are known again, and told one by one.
                continue
            yield Change("target", scope.absence(*key), _named(key), *key, before=_status(one))
        elif one.status != other.status:
            left = other.status is TargetStatus.SKIPPED
            kind = ChangeKind.LEFT_SCOPE if left else ChangeKind.STATUS
            yield Change("target", kind, _named(key), *key, _status(one), _status(other))


def _named(key: tuple[str, str]) -> str:
    return f"{key[0]}/{key[1]}"


def _status(target: Target | None) -> str | None:
    return target.status.value if target else None


def _gateways(old: Inventory, new: Inventory, was: Scope, scope: Scope) -> Iterator[Change]:
    before = {gateway.arn: gateway for gateway in old.gateways}
    after = {gateway.arn: gateway for gateway in new.gateways}
    for arn in sorted({*before, *after}):
        one, other = before.get(arn), after.get(arn)
        if one is None and other is not None:
            kind = was.novelty(other.account_id, other.region)
            yield _of_gateway(kind, other, after=other.status.value)
        elif other is None and one is not None:
            yield _of_gateway(scope.absence(one.account_id, one.region), one, before=one.status.value)
        elif one is not None and other is not None and one.status != other.status:
            yield _of_gateway(ChangeKind.STATUS, other, one.status.value, other.status.value)


def _of_gateway(
    kind: ChangeKind, gateway: Gateway, before: str | None = None, after: str | None = None
) -> Change:
    return Change("gateway", kind, gateway.arn, gateway.account_id, gateway.region, before, after)


def _volumes(old: Inventory, new: Inventory, was: Scope, scope: Scope) -> Iterator[Change]:
    before = {_identity(volume): volume for volume in old.volumes}
    after = {_identity(volume): volume for volume in new.volumes}
    points = {_identity(known): known.recovery_point_time for known in old.last_known}
    for key in sorted({*before, *after}):
        one, other = before.get(key), after.get(key)
        if other is None and one is not None:
            kind = scope.absence(one.account_id, one.region)
            yield _of_volume(kind, one, before=one.verdict.status.value)
        elif other is not None:
            if one is None:
                # One that an earlier scan knew has not come just because the last one could not read it.
                kind = ChangeKind.READ if key in points else was.novelty(other.account_id, other.region)
                yield _of_volume(kind, other, after=other.verdict.status.value)
            point = (one.recovery_point_time if one else None) or points.get(key)
            yield from _between(one, other, point)


def _between(one: Volume | None, other: Volume, point: datetime | None) -> Iterator[Change]:
    detached = other.gateway_arn is None
    if one and one.gateway_arn != other.gateway_arn:
        yield _of_volume(ChangeKind.MOVED, other, one.gateway_arn or DETACHED, other.gateway_arn or DETACHED)
    if other.verdict.status is VerdictStatus.UNKNOWN:
        if one and one.verdict.status is not VerdictStatus.UNKNOWN and not detached:
            yield _of_volume(ChangeKind.NOT_READ, other, one.verdict.status.value, "unknown")
        return
    if went_backwards(point, other.recovery_point_time):
        yield _of_volume(ChangeKind.BACKWARDS, other, _time(point), _time(other.recovery_point_time))
    if one and one.verdict.status != other.verdict.status:
        yield _of_volume(ChangeKind.STATUS, other, one.verdict.status.value, other.verdict.status.value)


def went_backwards(before: datetime | None, after: datetime | None) -> bool:
    """Whether a volume's latest recovery point is older than one that was seen: points only advance."""
    return before is not None and (after is None or after < before)


def _time(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def _identity(volume: Volume | LastKnown) -> tuple[str, str, str]:
    # Its ARN has two forms, with its gateway and without.
    return volume.account_id, volume.region, volume.arn.rpartition("/")[2]


def _of_volume(
    kind: ChangeKind, volume: Volume, before: str | None = None, after: str | None = None
) -> Change:
    return Change("volume", kind, volume.arn, volume.account_id, volume.region, before, after)


def _failures(old: Inventory, new: Inventory, scope: Scope) -> Iterator[Change]:
    before, after = _by_key(old), _by_key(new)
    for key in sorted({*before, *after}):
        if key not in before:
            yield _of_failure(ChangeKind.CAME, after[key])
        elif key not in after and scope.asked_again(before[key]):
            yield _of_failure(ChangeKind.ENDED, before[key])


def _by_key(inventory: Inventory) -> Mapping[tuple[str, ...], Failure]:
    return {(*failure.order, failure.kind.value): failure for failure in inventory.failures}


def _of_failure(kind: ChangeKind, failure: Failure) -> Change:
    gateway = (failure.gateway_arn or "").rpartition("/")[2]
    name = "/".join(filter(None, (gateway, failure.operation)))
    came = failure.kind.value if kind is ChangeKind.CAME else None
    ended = None if came else failure.kind.value
    return Change("failure", kind, name, failure.account_id, failure.region, ended, came)
