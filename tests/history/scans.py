"""Scans of a small fleet at chosen moments, for the tests of the history."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from scanner.inventory.model import Inventory
from scanner.inventory.records import (
    CallCounts,
    FailureKind,
    Gateway,
    GatewayStatus,
    Outcome,
    ScanInfo,
    SkipReason,
    Target,
    TargetStatus,
    VerdictStatus,
    Volume,
)
from tests.strategies import failure_of, gateway, volume

START = datetime(2024, 11, 1, 3, tzinfo=UTC)
ONE, TWO = "000000000001", "000000000002"
REGION = "us-east-1"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
RPO = timedelta(hours=24)


@dataclass(frozen=True)
class Seen:
    """One account in us-east-1 as a scan saw it: ages of the volumes by number (None: no point)."""

    account: str = ONE
    ages: Mapping[int, timedelta | None] = field(default_factory=lambda: {1: HOUR})
    status: TargetStatus = TargetStatus.COMPLETE
    gateway: GatewayStatus = GatewayStatus.SCANNED
    waived: str | None = None


def rated(of: Gateway, number: int, moment: datetime, age: timedelta | None, waived: str | None) -> Volume:
    status = VerdictStatus.OK if age and age <= RPO else VerdictStatus.BREACH
    if age is None:
        status = VerdictStatus.NO_RECOVERY_POINT
    verdict = {
        "status": status,
        "age_seconds": age.total_seconds() if age else None,
        "rpo_seconds": RPO.total_seconds(),
        "rule": "default",
        "waived": waived,
    }
    plain = volume(of, number)
    return plain.model_copy(
        update={
            "recovery_point_time": moment - age if age else None,
            "verdict": plain.verdict.model_copy(update=verdict),
        }
    )


def unknown(of: Gateway, number: int) -> Volume:
    plain = volume(of, number)
    verdict = {"status": VerdictStatus.UNKNOWN, "age_seconds": None, "rpo_seconds": RPO.total_seconds()}
    return plain.model_copy(
        update={"recovery_point_time": None, "verdict": plain.verdict.model_copy(update=verdict)}
    )


def scan(days: float = 0, seen: Iterable[Seen] = (Seen(),), id: str | None = None) -> Inventory:
    """What a scan so many days after `START` found."""
    moment = START + days * DAY
    targets, gateways, volumes, failures = [], [], [], []
    for each in seen:
        read = each.status in (TargetStatus.COMPLETE, TargetStatus.PARTIAL)
        one = gateway(each.account, REGION, 1, each.gateway)
        found = []
        if read:
            gateways.append(one)
        if read and each.gateway is GatewayStatus.SCANNED:
            found = [rated(one, number, moment, age, each.waived) for number, age in each.ages.items()]
        elif read and each.gateway is GatewayStatus.FAILED:
            found = [unknown(one, number) for number in each.ages]
            failures.append(failure_of(one, FailureKind.GATEWAY_UNREACHABLE))
        target = Target(
            account_id=each.account,
            account_name=f"account {each.account[-1]}",
            region=REGION,
            status=each.status,
            reason=SkipReason.EXCLUDED if each.status is TargetStatus.SKIPPED else None,
            gateways=int(read),
            volumes=len(found),
        )
        if each.status is TargetStatus.FAILED:
            failures.append(failure_of(target))
        targets.append(target)
        volumes += found
    info = ScanInfo(
        id=id or f"{int(days * 1000):08d}-0000-7000-8000-000000000000",
        started_at=moment,
        finished_at=moment + timedelta(minutes=1),
        outcome=Outcome.FAILED,
        scanner_version="0.1.0",
    )
    return Inventory.build(info, CallCounts(attempted=9), targets, gateways, volumes, failures)
