"""Inventories for the tests of outputs: a small mixed fleet, and one with hostile names."""

from datetime import timedelta
from io import BytesIO

from scanner.inventory.contents import Contents
from scanner.inventory.model import Inventory
from scanner.inventory.records import (
    CallCounts,
    FailureKind,
    Gateway,
    GatewayStatus,
    LastKnown,
    Target,
    TargetStatus,
    Verdict,
    VerdictStatus,
    Volume,
)
from scanner.output import format_of
from tests.strategies import NOW, failure_of, gateway, scan_info, volume

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    '=HYPERLINK("http://evil.example","x")',
    "+1+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "'quoted",
    "＝1+1",
    "\x1b[31mred\x1b]0;title\x07",
    "line\nbreak\r\nand more",
    "\u2028\u2029 separators",
    'both "quotes" and \\ backslash \\n',
    "\u202etxt.exe\u200f",
    "a,b;c|d",
    "x;=cmd|' /C calc'!A0",
    'x;"=1";\'-1',
    "x\t=1\r\n+1",
    "{{ 7 * 7 }} ${7} %s {}",
    "<!-- --> ]]> &amp; &lt;",
    "\x00 nul",
    "x" * 255,
    "Ж日本語العربية😀" * 18,
    " ",
]
STATUSES = list(VerdictStatus)


def verdict(status: VerdictStatus, number: int = 1) -> Verdict:
    age = None if status is VerdictStatus.NO_RECOVERY_POINT else 1000.5 * number
    rpo = None if status is VerdictStatus.UNRATED else 3600.0
    waived = "ticket 4711" if status is VerdictStatus.BREACH and number % 4 == 0 else None
    return Verdict(
        status=status, age_seconds=age, rpo_seconds=rpo, rule="default" if rpo else None, waived=waived
    )


def rated(of: Gateway, number: int) -> Volume:
    status = STATUSES[number % len(STATUSES)]
    point = None if status is VerdictStatus.NO_RECOVERY_POINT else NOW - timedelta(seconds=1000.5 * number)
    return volume(of, number).model_copy(
        update={
            "verdict": verdict(status, number),
            "recovery_point_time": point,
            "usage_bytes": None if number % 3 else 2**39,
        }
    )


def inventory(gateways: int = 3, volumes: int = 8, *, whole: bool = True) -> Inventory:
    """One account in two Regions; not `whole`: a third Region failed, and one gateway of the second."""
    account = "000000000001"
    found: list[Gateway] = []
    read: list[Volume] = []
    targets: list[Target] = []
    failures = []
    for region in ("us-east-1", "eu-west-1"):
        mine = [gateway(account, region, number, GatewayStatus.SCANNED) for number in range(gateways)]
        own = [rated(one, n * 100 + number) for n, one in enumerate(mine) for number in range(volumes)]
        broken = (
            [] if whole or region == "us-east-1" else [gateway(account, region, 999, GatewayStatus.FAILED)]
        )
        failures += [failure_of(one, FailureKind.GATEWAY_UNREACHABLE) for one in broken]
        targets.append(
            Target(
                account_id=account,
                account_name="prod",
                ou_path="Root/Workloads/Prod",
                region=region,
                status=TargetStatus.PARTIAL if broken else TargetStatus.COMPLETE,
                gateways=gateways + len(broken),
                volumes=len(own),
            )
        )
        found += mine + broken
        read += own
    if not whole:
        targets.append(
            Target(
                account_id=account,
                account_name="prod",
                ou_path="Root/Workloads/Prod",
                region="ap-south-1",
                status=TargetStatus.FAILED,
            )
        )
        failures.append(failure_of(targets[-1], FailureKind.ACCESS_DENIED))
    calls = CallCounts(attempted=9, retried=2, throttled=1)
    return Inventory.build(scan_info(), calls, targets, found, read, failures)


def remembering(fleet: Inventory) -> Inventory:
    """`fleet`, of which an earlier scan knew a volume in breach in the Region that failed."""
    lost = gateway("000000000001", "ap-south-1", 7, GatewayStatus.SCANNED)
    return fleet.model_copy(update={"last_known": (last_known(volume(lost, 7)),)})


def last_known(of: Volume, verdict: VerdictStatus = VerdictStatus.BREACH) -> LastKnown:
    """What a scan two hours ago knew of a volume whose point was a day and an hour old then."""
    return LastKnown(
        arn=of.arn,
        gateway_arn=of.gateway_arn,
        account_id=of.account_id,
        region=of.region,
        recovery_point_time=NOW - timedelta(hours=27),
        observed_at=NOW - timedelta(hours=2),
        scan_id="scan-0",
        at_most_age_seconds=27 * 3600.0,
        rpo_seconds=86400.0,
        within_rpo=False,
        verdict=verdict,
    )


def judged(*verdicts: Verdict, region: str = "us-east-1", account: str = "000000000001") -> Inventory:
    """One gateway with a volume for each of `verdicts`; whole."""
    one = gateway(account, region, 1, GatewayStatus.SCANNED)
    volumes = []
    for number, each in enumerate(verdicts):
        age = each.age_seconds
        point = None if age is None else NOW - timedelta(seconds=age)
        changes = {"verdict": each, "recovery_point_time": point}
        volumes.append(volume(one, number).model_copy(update=changes))
    target = Target(
        account_id=account, region=region, status=TargetStatus.COMPLETE, gateways=1, volumes=len(volumes)
    )
    return Inventory.build(scan_info(), CallCounts(), [target], [one], volumes, [])


def sized(sizes: dict[str, int]) -> Inventory:
    """An account for each of `sizes`, by its id, with a volume of that size."""
    parts = []
    for account, size in sizes.items():
        of = judged(Verdict(status=VerdictStatus.OK, age_seconds=1, rpo_seconds=9), account=account)
        (only,) = of.volumes
        parts.append(of.model_copy(update={"volumes": (only.model_copy(update={"size_bytes": size}),)}))
    return Inventory.merge(parts)


def hostile(text: str) -> Inventory:
    """`text` wherever other people's text may stand."""
    base = inventory(1, 3, whole=False)
    return base.model_copy(
        update={
            "targets": tuple(
                one.model_copy(update={"account_name": text, "ou_path": text}) for one in base.targets
            ),
            "gateways": tuple(
                one.model_copy(update={"name": text, "tags": {text: text}}) for one in base.gateways
            ),
            "volumes": tuple(
                one.model_copy(
                    update={
                        "tags": {text: text},
                        "attachment_status": text,
                        "verdict": one.verdict.model_copy(update={"rule": text, "waived": text}),
                    }
                )
                for one in base.volumes
            ),
            "failures": tuple(
                one.model_copy(update={"message": text, "code": text, "operation": text})
                for one in base.failures
            ),
        }
    )


def written(of: Contents, suffix: str) -> bytes:
    stream = BytesIO()
    format_of(f"x{suffix}").write(of, stream)
    assert not stream.closed
    return stream.getvalue()
