"""Inventories in which something is not as it should be, for the tests of the page."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from scanner.inventory.model import Inventory
from scanner.inventory.records import (
    CallCounts,
    Failure,
    FailureKind,
    FailureScope,
    Gateway,
    GatewayStatus,
    LastKnown,
    SkipReason,
    Target,
    TargetStatus,
    Verdict,
    VerdictStatus,
    Volume,
)
from tests.strategies import NOW, failure_of, gateway, scan_info, volume

ACCOUNT = "000000000001"
OK = Verdict(status=VerdictStatus.OK, age_seconds=60, rpo_seconds=3600)
AT_RISK = Verdict(status=VerdictStatus.AT_RISK, age_seconds=3000, rpo_seconds=3600)
BREACH = Verdict(status=VerdictStatus.BREACH, age_seconds=7200, rpo_seconds=3600)
NONE = Verdict(status=VerdictStatus.NO_RECOVERY_POINT, rpo_seconds=3600)
UNKNOWN = Verdict(status=VerdictStatus.UNKNOWN)
UNRATED = Verdict(status=VerdictStatus.UNRATED, age_seconds=60)


def excused(verdict: Verdict) -> Verdict:
    return verdict.model_copy(update={"waived": "ticket 4711"})


def with_scan(of: Inventory, **changes: Any) -> Inventory:
    return of.model_copy(update={"scan": of.scan.model_copy(update=changes)})


def without_volumes(targets: list[Target], failures: list[Failure]) -> Inventory:
    return Inventory.build(scan_info(), CallCounts(), targets, [], [], failures)


def target(account: str, region: str, status: TargetStatus, reason: SkipReason | None = None) -> Target:
    return Target(account_id=account, region=region, status=status, reason=reason)


def failure(account: str, region: str | None, kind: FailureKind) -> Failure:
    scope = FailureScope.TARGET if region else FailureScope.ACCOUNT
    return Failure(
        scope=scope, account_id=account, region=region, operation="ListGateways", kind=kind, message="no"
    )


def gateways_of(*verdicts: Sequence[Verdict]) -> Inventory:
    """A gateway for each of `verdicts`, with a volume for each of its verdicts; whole."""
    stood: list[Gateway] = []
    found: list[Volume] = []
    for number, each in enumerate(verdicts):
        one = gateway(ACCOUNT, "us-east-1", number, GatewayStatus.SCANNED)
        stood.append(one)
        for extra, verdict in enumerate(each):
            age = verdict.age_seconds
            point = None if age is None else NOW - timedelta(seconds=age)
            changes = {"verdict": verdict, "recovery_point_time": point}
            found.append(volume(one, number * 4096 + extra).model_copy(update=changes))
    of = Target(
        account_id=ACCOUNT,
        region="us-east-1",
        status=TargetStatus.COMPLETE,
        gateways=len(stood),
        volumes=len(found),
    )
    return Inventory.build(scan_info(), CallCounts(), [of], stood, found, [])


def detached(number: int = 0) -> Volume:
    """A volume that no gateway holds."""
    identifier = f"vol-{number:07X}D"
    return Volume(
        arn=f"arn:aws:storagegateway:us-east-1:{ACCOUNT}:volume/{identifier}",
        id=identifier,
        gateway_arn=None,
        account_id=ACCOUNT,
        region="us-east-1",
        attachment_status="DETACHED",
        verdict=UNKNOWN,
    )


def with_detached(of: Inventory, count: int = 1) -> Inventory:
    """`of` and as many volumes more, in its one target."""
    (only,) = of.targets
    more = [detached(number) for number in range(count)]
    targets = [only.model_copy(update={"volumes": only.volumes + count})]
    return Inventory.build(
        of.scan, of.coverage.calls, targets, of.gateways, [*of.volumes, *more], of.failures
    )


def unreachable(*, waived: str | None = None, carried: int = 2, within: bool = True) -> Inventory:
    """A gateway that is well and one that failed, with a volume of each.

    The last points of the failed gateway's volume, and of those of a target that was not read, `carried` in
    all, are known from an earlier scan.
    """
    whole = gateways_of([OK])
    broken = gateway(ACCOUNT, "us-east-1", 999, GatewayStatus.FAILED)
    lost = volume(broken, 999).model_copy(update={"recovery_point_time": None, "verdict": UNKNOWN})
    failed = failure_of(broken, FailureKind.GATEWAY_UNREACHABLE).model_copy(update={"waived": waived})
    denied = target(ACCOUNT, "eu-west-1", TargetStatus.FAILED)
    elsewhere = gateway(ACCOUNT, "eu-west-1", 7, GatewayStatus.FAILED)
    known = [lost, *(volume(elsewhere, number) for number in range(1, carried))]
    last = [
        LastKnown(
            arn=one.arn,
            gateway_arn=one.gateway_arn,
            account_id=one.account_id,
            region=one.region,
            recovery_point_time=NOW - timedelta(hours=2),
            observed_at=NOW - timedelta(hours=1),
            scan_id="scan-0",
            at_most_age_seconds=7200,
            rpo_seconds=86400 if within else 3600,
            within_rpo=within,
        )
        for one in known
    ]
    partial = target(ACCOUNT, "us-east-1", TargetStatus.COMPLETE if waived else TargetStatus.PARTIAL)
    targets = [partial.model_copy(update={"gateways": 2, "volumes": 2})]
    failures = [failed]
    if not waived:
        targets.append(denied)
        failures.append(failure_of(denied, FailureKind.ACCESS_DENIED))
    else:
        last = last[:1]
    return Inventory.build(
        whole.scan,
        CallCounts(),
        targets,
        [*whole.gateways, broken],
        [*whole.volumes, lost],
        failures,
        last,
    )
