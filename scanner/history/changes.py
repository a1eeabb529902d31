"""What changed between two inventories. What was not read is never told as gone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scanner.inventory.model import Inventory
from scanner.inventory.records import (
    ANY_REGION,
    Failure,
    FailureScope,
    Gateway,
    Target,
    TargetStatus,
    VerdictStatus,
    Volume,
)


class ChangeKind(StrEnum):
    """What may become of a target, a gateway, a volume or a failure from one inventory to the next."""

    CAME = "came"
    VANISHED = "vanished"
    LEFT_SCOPE = "left_scope"
    NOT_ASKED = "not_asked"
    NOT_READ = "not_read"
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


def compare(old: Inventory, new: Inventory, *, narrowed: bool = False) -> Iterator[Change]:
    """Every change from `old` to `new`: targets first, then gateways, volumes and failures, each in order.

    `narrowed`: the newer scan was asked for a part of the fleet only, so what it has no target for was not
    asked, and did not leave the scope.
    """
    scope = _Scope(new, narrowed=narrowed or _of_a_shard(new))
    yield from _targets(old, new, scope)
    yield from _gateways(old, new, scope)
    yield from _volumes(old, new, scope)
    yield from _failures(old, new)


def _of_a_shard(inventory: Inventory) -> bool:
    scan = inventory.scan
    return bool(getattr(scan, "shard", None) or getattr(scan, "missing_shards", ()))


class _Scope:
    """What the newer inventory says of something that it does not hold."""

    def __init__(self, new: Inventory, *, narrowed: bool) -> None:
        self._targets = {target.key: target for target in new.targets}
        self._accounts = {target.account_id for target in new.targets}
        self._narrowed = narrowed

    def absence(self, account_id: str, region: str) -> ChangeKind:
        target = self._targets.get((account_id, region))
        if target is None:
            if (account_id, ANY_REGION) in self._targets or ("*", ANY_REGION) in self._targets:
                return ChangeKind.NOT_READ
            return ChangeKind.NOT_ASKED if self._narrowed else ChangeKind.LEFT_SCOPE
        if target.status is TargetStatus.SKIPPED:
            return ChangeKind.LEFT_SCOPE
        return ChangeKind.VANISHED if target.status is TargetStatus.COMPLETE else ChangeKind.NOT_READ


def _targets(old: Inventory, new: Inventory, scope: _Scope) -> Iterator[Change]:
    before = {target.key: target for target in old.targets}
    after = {target.key: target for target in new.targets}
    for key in sorted({*before, *after}):
        one, other = before.get(key), after.get(key)
        if one is None:
            yield Change("target", ChangeKind.CAME, _named(key), *key, after=_status(other))
        elif other is None:
            yield Change("target", scope.absence(*key), _named(key), *key, before=_status(one))
        elif one.status != other.status:
            yield Change("target", ChangeKind.STATUS, _named(key), *key, _status(one), _status(other))


def _named(key: tuple[str, str]) -> str:
    return f"{key[0]}/{key[1]}"


def _status(target: Target | None) -> str | None:
    return target.status.value if target else None


def _gateways(old: Inventory, new: Inventory, scope: _Scope) -> Iterator[Change]:
    before = {gateway.arn: gateway for gateway in old.gateways}
    after = {gateway.arn: gateway for gateway in new.gateways}
    for arn in sorted({*before, *after}):
        one, other = before.get(arn), after.get(arn)
        if one is None and other is not None:
            yield _of_gateway(ChangeKind.CAME, other, after=other.status.value)
        elif other is None and one is not None:
            yield _of_gateway(scope.absence(one.account_id, one.region), one, before=one.status.value)
        elif one is not None and other is not None and one.status != other.status:
            yield _of_gateway(ChangeKind.STATUS, other, one.status.value, other.status.value)


def _of_gateway(
    kind: ChangeKind, gateway: Gateway, before: str | None = None, after: str | None = None
) -> Change:
    return Change("gateway", kind, gateway.arn, gateway.account_id, gateway.region, before, after)


def _volumes(old: Inventory, new: Inventory, scope: _Scope) -> Iterator[Change]:
    before = {_identity(volume): volume for volume in old.volumes}
    after = {_identity(volume): volume for volume in new.volumes}
    for key in sorted({*before, *after}):
        one, other = before.get(key), after.get(key)
        if other is None and one is not None:
            kind = scope.absence(one.account_id, one.region)
            yield _of_volume(kind, one, before=one.verdict.status.value)
        elif one is None and other is not None:
            yield _of_volume(ChangeKind.CAME, other, after=other.verdict.status.value)
        elif one is not None and other is not None:
            yield from _between(one, other)


def _between(one: Volume, other: Volume) -> Iterator[Change]:
    if other.verdict.status is VerdictStatus.UNKNOWN:
        if one.verdict.status is not VerdictStatus.UNKNOWN:
            yield _of_volume(
                ChangeKind.NOT_READ, other, one.verdict.status.value, VerdictStatus.UNKNOWN.value
            )
        return
    if one.gateway_arn and other.gateway_arn and one.gateway_arn != other.gateway_arn:
        yield _of_volume(ChangeKind.MOVED, other, one.gateway_arn, other.gateway_arn)
    if went_backwards(one.recovery_point_time, other.recovery_point_time):
        yield _of_volume(
            ChangeKind.BACKWARDS, other, _time(one.recovery_point_time), _time(other.recovery_point_time)
        )
    if one.verdict.status != other.verdict.status:
        yield _of_volume(ChangeKind.STATUS, other, one.verdict.status.value, other.verdict.status.value)


def went_backwards(before: datetime | None, after: datetime | None) -> bool:
    """Whether a volume's latest recovery point is older than one that was seen: points only advance."""
    return before is not None and (after is None or after < before)


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _identity(volume: Volume) -> tuple[str, str, str]:
    return volume.account_id, volume.region, volume.id


def _of_volume(
    kind: ChangeKind, volume: Volume, before: str | None = None, after: str | None = None
) -> Change:
    return Change("volume", kind, volume.arn, volume.account_id, volume.region, before, after)


def _failures(old: Inventory, new: Inventory) -> Iterator[Change]:
    before, after = _by_key(old), _by_key(new)
    for key in sorted({*before, *after}):
        failure = after.get(key) or before[key]
        if key not in before:
            yield _of_failure(ChangeKind.CAME, key, failure, after=failure.kind.value)
        elif key not in after:
            yield _of_failure(ChangeKind.ENDED, key, failure, before=failure.kind.value)


def _by_key(inventory: Inventory) -> Mapping[str, Failure]:
    return {
        "/".join(
            (
                failure.account_id,
                failure.region or "",
                failure.gateway_arn or "",
                failure.operation,
                failure.kind.value,
            )
        ): failure
        for failure in inventory.failures
    }


def _of_failure(
    kind: ChangeKind, key: str, failure: Failure, before: str | None = None, after: str | None = None
) -> Change:
    region = None if failure.scope is FailureScope.ACCOUNT else failure.region
    return Change("failure", kind, key, failure.account_id, region, before, after)
