"""Which alerts a scan opens, keeps open and closes. Only what was seen to be well closes one."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from scanner.history.changes import Change, ChangeKind
from scanner.inventory.model import Inventory
from scanner.inventory.records import (
    ANY_REGION,
    Gateway,
    GatewayStatus,
    Outcome,
    TargetStatus,
    VerdictStatus,
    Volume,
    is_breach,
)


class AlertKind(StrEnum):
    """What an alert may be about, as `notify.on` names it."""

    BREACH = "breach"
    NO_RECOVERY_POINT = "no_recovery_point"
    BACKWARDS = "backwards"
    VANISHED = "vanished"
    LEFT_SCOPE = "left_scope"
    COVERAGE_LOST = "coverage_lost"
    SCAN_FAILED = "scan_failed"


WORST_FIRST = (
    AlertKind.SCAN_FAILED,
    AlertKind.BACKWARDS,
    AlertKind.NO_RECOVERY_POINT,
    AlertKind.BREACH,
    AlertKind.COVERAGE_LOST,
    AlertKind.VANISHED,
    AlertKind.LEFT_SCOPE,
)
_OF_VERDICT = {
    VerdictStatus.BREACH: AlertKind.BREACH,
    VerdictStatus.NO_RECOVERY_POINT: AlertKind.NO_RECOVERY_POINT,
}
_OF_CHANGE = {
    ChangeKind.BACKWARDS: AlertKind.BACKWARDS,
    ChangeKind.VANISHED: AlertKind.VANISHED,
    ChangeKind.LEFT_SCOPE: AlertKind.LEFT_SCOPE,
}
_GONE = frozenset({AlertKind.VANISHED, AlertKind.LEFT_SCOPE})
_ARN = "arn:"
_READ = frozenset({TargetStatus.COMPLETE, TargetStatus.PARTIAL})


class Alert(BaseModel):
    """One thing that somebody should know; `subject` is an ARN, or a target as `ACCOUNT/REGION`."""

    model_config = ConfigDict(frozen=True)

    kind: AlertKind
    subject: str
    account_id: str | None = None
    region: str | None = None
    since: datetime
    text: str

    @property
    def key(self) -> str:
        """What makes it the same alert in the next scan; a volume stays itself on another gateway."""
        head, found, volume = self.subject.rpartition("/volume/")
        subject = f"{self.account_id}/{self.region}/{volume}" if found and head else self.subject
        return f"{self.kind.value} {subject}"


class Told(BaseModel):
    """What one address has been told: what is open, and in how many scans in a row targets have failed.

    `baseline` is the scan that changes are told against: the last that asked the whole fleet. `told_at`: when
    each open alert was told the last time.
    """

    model_config = ConfigDict(frozen=True)

    baseline: str
    open: dict[str, Alert] = {}
    told_at: dict[str, datetime] = {}
    failing: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class Digest:
    """What one scan has to tell one address, worst first. `first`: it has never been told anything."""

    opened: tuple[Alert, ...]
    closed: tuple[Alert, ...]
    repeated: tuple[Alert, ...]
    first: bool
    told: Told
    """What the address knows once this digest has arrived."""

    def __bool__(self) -> bool:
        return bool(self.first or self.opened or self.closed or self.repeated)


def digest(
    inventory: Inventory,
    changes: Iterable[Change],
    told: Told | None,
    *,
    kinds: frozenset[AlertKind] = frozenset(AlertKind),
    repeat: timedelta = timedelta(hours=24),
    confirm: int = 2,
    narrowed: bool = False,
) -> Digest:
    """What `inventory` has to tell an address that knows `told` (None: nothing yet).

    `changes` are those since the scan that the address was told of. The loss of a target or of a gateway is
    told once it has failed in `confirm` scans in a row. What is still open after `repeat` is told again.
    `narrowed`: this scan was asked for a part of the fleet only.
    """
    now = inventory.scan.finished_at
    failing = _failing(inventory, told.failing if told else {})
    current = {alert.key: alert for alert in _lasting(inventory, failing, confirm) if alert.kind in kinds}
    before = told.open if told else {}
    opened = [alert for key, alert in current.items() if key not in before]
    since = list(changes) if told else []
    events = [alert for alert in _events(since, now) if alert.kind in kinds]
    gone_for_good = {alert.subject for alert in _events(since, now, whole=True) if alert.kind in _GONE}
    well = _Well(inventory, gone_for_good)
    closed = [alert for key, alert in before.items() if key not in current and well.closes(alert)]
    gone = {alert.key for alert in closed}
    # Since when a thing is so, the first scan that saw it knows best.
    still = {key: alert for key, alert in before.items() if key not in gone and alert.kind in kinds}
    due = [key for key in still if told and now - told.told_at.get(key, now) >= repeat]
    fresh = {alert.key for alert in opened} | set(due)
    known = {alert.key: alert for alert in opened} | still
    return Digest(
        tuple(_ordered([*opened, *events])),
        tuple(_ordered(closed)),
        tuple(_ordered([still[key] for key in due])),
        told is None,
        Told(
            baseline=told.baseline if told and narrowed else inventory.scan.id,
            open=known,
            told_at={key: now if key in fresh or not told else told.told_at.get(key, now) for key in known},
            failing=failing,
        ),
    )


def _ordered(alerts: Iterable[Alert]) -> list[Alert]:
    """By account and Region, that with the worst alert first, and within it worst first."""
    rank = {kind: number for number, kind in enumerate(WORST_FIRST)}
    groups: dict[tuple[str, str], list[Alert]] = {}
    for alert in alerts:
        groups.setdefault((alert.account_id or "", alert.region or ""), []).append(alert)
    for group in groups.values():
        group.sort(key=lambda alert: (rank[alert.kind], alert.since, alert.subject))
    ordered = sorted(groups.items(), key=lambda pair: (rank[pair[1][0].kind], -len(pair[1]), pair[0]))
    return [alert for _, group in ordered for alert in group]


def _failing(inventory: Inventory, before: Mapping[str, int]) -> dict[str, int]:
    """In how many scans in a row each target, and each gateway, has failed; what was not asked keeps its count."""
    counts = dict(before)
    dark = _dark_gateways(inventory)
    read = {target.key for target in inventory.targets if target.status in _READ}
    for arn in [each for each in counts if each.startswith(_ARN)]:
        parts = arn.split(":")
        if arn not in dark and (parts[4], parts[3]) in read:
            del counts[arn]
    for arn in dark:
        counts[arn] = counts.get(arn, 0) + 1
    for target in inventory.targets:
        name = f"{target.account_id}/{target.region}"
        if target.status is TargetStatus.FAILED:
            counts[name] = counts.get(name, 0) + 1
        else:
            counts.pop(name, None)
        if target.region != ANY_REGION:
            # The account's Regions are known again.
            counts.pop(f"{target.account_id}/{ANY_REGION}", None)
    return counts


def _dark_gateways(inventory: Inventory) -> dict[str, Gateway]:
    """The gateways whose recovery points could not be read, but for those that a waiver excuses."""
    counting = {failure.gateway_arn for failure in inventory.failures if failure.waived is None}
    return {
        gateway.arn: gateway
        for gateway in inventory.gateways
        if gateway.status is GatewayStatus.FAILED and gateway.arn in counting
    }


def _lasting(inventory: Inventory, failing: Mapping[str, int], confirm: int) -> Iterator[Alert]:
    """What lasts from scan to scan until it is seen to be well."""
    now = inventory.scan.finished_at
    if inventory.scan.outcome is Outcome.FAILED:
        yield Alert(
            kind=AlertKind.SCAN_FAILED, subject="scan", since=now, text="the scan read nothing at all"
        )
    for target in inventory.targets:
        name = f"{target.account_id}/{target.region}"
        if target.status is TargetStatus.FAILED and failing[name] >= confirm:
            yield Alert(
                kind=AlertKind.COVERAGE_LOST,
                subject=name,
                account_id=target.account_id,
                region=target.region,
                since=now,
                text=f"could not be read in {failing[name]} scans in a row",
            )
    for arn, gateway in _dark_gateways(inventory).items():
        if failing[arn] >= confirm:
            yield Alert(
                kind=AlertKind.COVERAGE_LOST,
                subject=arn,
                account_id=gateway.account_id,
                region=gateway.region,
                since=now,
                text=f"the gateway could not be read in {failing[arn]} scans in a row",
            )
    for volume in inventory.volumes:
        if is_breach(volume.verdict):
            yield _of_volume(volume, now)


def _of_volume(volume: Volume, now: datetime) -> Alert:
    kind = _OF_VERDICT[volume.verdict.status]
    point, rpo = volume.recovery_point_time, volume.verdict.rpo_seconds
    since = point + timedelta(seconds=rpo) if point and rpo else now
    point_text = (
        f"its last recovery point is of {point:%Y-%m-%d %H:%M} UTC" if point else "has no recovery point"
    )
    return Alert(
        kind=kind,
        subject=volume.arn,
        account_id=volume.account_id,
        region=volume.region,
        since=since,
        text=point_text,
    )


def _events(changes: Iterable[Change], now: datetime, *, whole: bool = False) -> Iterator[Alert]:
    """What happens once: told, and not open afterwards. `whole`: all of it, however often it says the same."""
    for change in changes:
        kind = _OF_CHANGE.get(change.kind)
        # Of a target that left, its gateways and volumes would say the same a hundred times.
        told_by_target = kind is AlertKind.LEFT_SCOPE and change.what != "target"
        if kind and change.what != "failure" and not (told_by_target and not whole):
            text = f"{change.before} → {change.after}" if change.after else f"was {change.before}"
            yield Alert(
                kind=kind,
                subject=change.key,
                account_id=change.account_id,
                region=change.region,
                since=now,
                text=f"{change.what}: {text}",
            )


class _Well:
    """What an inventory saw to be well."""

    def __init__(self, inventory: Inventory, gone: set[str]) -> None:
        self._gone = gone
        self._outcome = inventory.scan.outcome
        self._volumes = {
            (volume.account_id, volume.region, volume.id)
            for volume in inventory.volumes
            if volume.verdict.status is not VerdictStatus.UNKNOWN
        }
        dark = _dark_gateways(inventory)
        self._gateways = {gateway.arn for gateway in inventory.gateways if gateway.arn not in dark}
        read = [target for target in inventory.targets if target.status in _READ]
        self._targets = {f"{target.account_id}/{target.region}" for target in read}
        # Of an account whose Regions were not known, any Region that is read tells that they are.
        self._targets |= {f"{target.account_id}/{ANY_REGION}" for target in read}

    def closes(self, alert: Alert) -> bool:
        match alert.kind:
            case AlertKind.SCAN_FAILED:
                return self._outcome is not Outcome.FAILED
            case AlertKind.COVERAGE_LOST:
                return alert.subject in self._targets | self._gateways | self._gone
            case AlertKind.BREACH | AlertKind.NO_RECOVERY_POINT:
                volume = alert.subject.rpartition("/")[2]
                known = (alert.account_id, alert.region, volume) in self._volumes
                return known or alert.subject in self._gone
            case _:
                return True
