"""Inventories that balance, for hypothesis."""

from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import strategies as st

from scanner.config import ScannerConfig, Selection, select
from scanner.inventory.model import Inventory
from scanner.inventory.records import (
    CallCounts,
    Failure,
    FailureKind,
    FailureScope,
    Gateway,
    GatewayStatus,
    Outcome,
    ScanInfo,
    SkipReason,
    Target,
    TargetStatus,
    Verdict,
    VerdictStatus,
    Volume,
)

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
ACCOUNTS = [f"{n:012d}" for n in range(1, 6)]
REGIONS = ["us-east-1", "eu-west-1", "ap-south-1"]


def scan_info(identifier: str = "scan-1") -> ScanInfo:
    return ScanInfo(
        id=identifier, started_at=NOW, finished_at=NOW, outcome=Outcome.FAILED, scanner_version="0.1.0"
    )


def gateway(account: str, region: str, number: int, status: GatewayStatus) -> Gateway:
    identifier = f"sgw-{number:08X}"
    return Gateway(
        arn=f"arn:aws:storagegateway:{region}:{account}:gateway/{identifier}",
        id=identifier,
        name=f"gateway {number}",
        account_id=account,
        region=region,
        status=status,
        observed_at=NOW,
    )


def volume(of: Gateway, number: int) -> Volume:
    identifier = f"vol-{number:08X}"
    return Volume(
        arn=f"{of.arn}/volume/{identifier}",
        id=identifier,
        gateway_arn=of.arn,
        account_id=of.account_id,
        region=of.region,
        size_bytes=2**40,
        recovery_point_time=NOW,
        verdict=Verdict(status=VerdictStatus.UNRATED, age_seconds=0.0),
    )


def failure_of(where: Gateway | Target, kind: FailureKind = FailureKind.THROTTLED) -> Failure:
    arn = where.arn if isinstance(where, Gateway) else None
    return Failure(
        scope=FailureScope.GATEWAY if arn else FailureScope.TARGET,
        account_id=where.account_id,
        region=where.region,
        gateway_arn=arn,
        operation="ListVolumeRecoveryPoints" if arn else "ListGateways",
        kind=kind,
        message="as injected",
        attempts=1,
    )


@st.composite
def inventories(
    draw: st.DrawFn, keys: list[tuple[str, str]] | None = None, name: str = "scan-1"
) -> Inventory:
    """Any balanced inventory, or one over just the targets in `keys`."""
    if keys is None:
        every = [(account, region) for account in ACCOUNTS for region in REGIONS]
        keys = draw(st.lists(st.sampled_from(every), unique=True, max_size=6))
    targets, gateways, volumes, failures = [], [], [], []
    for account, region in keys:
        status = draw(st.sampled_from(TargetStatus))
        fates = draw(st.lists(st.sampled_from(GatewayStatus), max_size=3))
        if status in (TargetStatus.FAILED, TargetStatus.SKIPPED):
            fates = []
        if status is TargetStatus.COMPLETE:
            fates = [fate for fate in fates if fate is not GatewayStatus.FAILED]
        mine = [gateway(account, region, number, fate) for number, fate in enumerate(fates)]
        found = [
            volume(one, number * 16 + extra)
            for number, one in enumerate(mine)
            if one.status is GatewayStatus.SCANNED
            for extra in range(draw(st.integers(0, 2)))
        ]
        target = Target(
            account_id=account,
            region=region,
            status=status,
            reason=SkipReason.EXCLUDED if status is TargetStatus.SKIPPED else None,
            gateways=len(mine),
            volumes=len(found),
        )
        failures += [failure_of(one) for one in mine if one.status is GatewayStatus.FAILED]
        if status in (TargetStatus.FAILED, TargetStatus.PARTIAL):
            failures.append(failure_of(target))
        targets.append(target)
        gateways += mine
        volumes += found
    return Inventory.build(scan_info(name), CallCounts(attempted=9), targets, gateways, volumes, failures)


def selected(
    config: ScannerConfig, accounts: Sequence[str] = (), regions: Sequence[str] = ()
) -> ScannerConfig:
    """`config` as `--account` and `--region` select of it."""
    return select(config, Selection(tuple(accounts), tuple(regions)))
