"""How long rating and each format take for a large fleet, and what memory they need.

    python -m benchmarks.outputs [VOLUMES] [FORMAT...]

Every format runs in a process of its own; its memory is the growth of the peak over what the process
held when the fleet stood ready.
"""

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scanner.model import Inventory
from scanner.output import FORMATS, NdjsonWriter, open_output, parse_output
from scanner.policy import Match, Policy, Rater, Rule
from scanner.records import (
    CallCounts,
    Failure,
    FailureKind,
    FailureScope,
    Gateway,
    GatewayStatus,
    Outcome,
    ScanInfo,
    Target,
    TargetStatus,
    Volume,
)

VOLUMES = 150_000
PER_GATEWAY = 10
REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2", "ap-northeast-1")
NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
POLICY = Policy(
    rpo=timedelta(hours=24),
    rules=tuple(
        Rule(name=f"tier-{n}", rpo=timedelta(hours=n), match=Match(gateways=(f"db{n}-*",)))
        for n in range(1, 21)
    ),
)
LIMITS = {".json": 3.0, ".ndjson": 3.0, ".parquet": 2.0, ".csv": 3.0, ".html": 5.0, "rating": 1.0}
"""Seconds for 150,000 volumes; what has none is measured for comparison only."""


def gateways(count: int, chance: random.Random) -> Iterable[Gateway]:
    for number in range(count):
        region, account = REGIONS[number % 6], f"{111122220000 + number // 6 % 60:012d}"
        identifier = f"sgw-{chance.randrange(16**8):08X}"
        yield Gateway(
            arn=f"arn:aws:storagegateway:{region}:{account}:gateway/{identifier}",
            id=identifier,
            name=f"{chance.choice(('db1', 'db4', 'files', 'lab', 'archive'))}-{number}",
            account_id=account,
            region=region,
            type="CACHED",
            status=GatewayStatus.SCANNED,
            observed_at=NOW,
        )


def rated(of: Gateway, rater: Rater, chance: random.Random) -> Volume:
    identifier = f"vol-{chance.randrange(16**8):08X}"
    # Most points are minutes old, some hours, a few days: what a fleet with some trouble looks like.
    point = NOW - timedelta(seconds=chance.lognormvariate(8.5, 1.6)) if chance.random() > 0.004 else None
    verdict = rater.verdict(
        volume_arn=f"{of.arn}/volume/{identifier}",
        volume_id=identifier,
        volume_tags=None,
        recovery_point_time=point,
        gateway_arn=of.arn,
        gateway_id=of.id,
        gateway_name=of.name,
        gateway_tags=None,
        account_id=of.account_id,
        account_name="",
        region=of.region,
        account_rpo=None,
        observed_at=NOW,
    )
    size = chance.choice((1, 2, 4, 8, 16, 32)) * 2**39
    return Volume(
        arn=f"{of.arn}/volume/{identifier}",
        id=identifier,
        gateway_arn=of.arn,
        account_id=of.account_id,
        region=of.region,
        size_bytes=size,
        usage_bytes=chance.randrange(size),
        recovery_point_time=point,
        verdict=verdict,
    )


def fleet(volumes: int = VOLUMES) -> Inventory:
    """A fleet of `volumes` over 60 accounts, the same each time; one Region was denied."""
    chance = random.Random(7)
    rater = Rater(POLICY)
    stood = list({one.arn: one for one in gateways(max(volumes // PER_GATEWAY, 1), chance)}.values())
    read = {
        one.arn: one for of in stood for one in (rated(of, rater, chance) for _ in range(PER_GATEWAY))
    }.values()
    listed: dict[tuple[str, str], list[int]] = {}
    for gateway in stood:
        listed.setdefault((gateway.account_id, gateway.region), [0, 0])[0] += 1
    for volume in read:
        listed[volume.account_id, volume.region][1] += 1
    targets = [
        Target(
            account_id=account,
            account_name=f"team-{account[-2:]}",
            region=region,
            status=TargetStatus.COMPLETE,
            gateways=counts[0],
            volumes=counts[1],
        )
        for (account, region), counts in listed.items()
    ]
    denied = Target(
        account_id="111122220000", account_name="team-00", region="sa-east-1", status=TargetStatus.FAILED
    )
    failure = Failure(
        scope=FailureScope.TARGET,
        account_id=denied.account_id,
        region=denied.region,
        operation="ListGateways",
        kind=FailureKind.ACCESS_DENIED,
        code="AccessDeniedException",
        message="User is not authorized to perform: storagegateway:ListGateways",
        attempts=1,
    )
    info = ScanInfo(
        id="01990000-0000-7000-8000-000000000000",
        started_at=NOW - timedelta(minutes=4),
        finished_at=NOW,
        outcome=Outcome.PARTIAL,
        scanner_version="0.1.0",
    )
    calls = CallCounts(attempted=len(stood) + len(targets))
    return Inventory.build(info, calls, [*targets, denied], stood, read, [failure])


def rating(inventory: Inventory) -> float:
    """Seconds to rate every volume of `inventory`, in the order a scan would read them."""
    rater = Rater(POLICY)
    by_arn = {gateway.arn: gateway for gateway in inventory.gateways}
    began = time.perf_counter()
    for volume in inventory.volumes:
        of = by_arn[volume.gateway_arn]
        rater.verdict(
            volume_arn=volume.arn,
            volume_id=volume.id,
            volume_tags=None,
            recovery_point_time=volume.recovery_point_time,
            gateway_arn=of.arn,
            gateway_id=of.id,
            gateway_name=of.name,
            gateway_tags=None,
            account_id=of.account_id,
            account_name="team",
            region=of.region,
            account_rpo=None,
            observed_at=NOW,
        )
    return time.perf_counter() - began


def peak() -> int:
    """The most memory this process ever held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def streamed(volumes: int, place: str) -> dict[str, float]:
    """NDJSON as a scan writes it: no inventory, each record forgotten once it is written."""
    chance, rater = random.Random(7), Rater(POLICY)
    idle, spent = peak(), 0.0
    with open_output(parse_output(place)) as stream:
        writer = NdjsonWriter(stream)
        for gateway in gateways(volumes // PER_GATEWAY, chance):
            found = [rated(gateway, rater, chance) for _ in range(PER_GATEWAY)]
            began = time.perf_counter()
            writer.write(gateway)
            for volume in found:
                writer.write(volume)
            spent += time.perf_counter() - began
        began = time.perf_counter()
    return {"seconds": spent + time.perf_counter() - began, "memory": peak() - idle}


def measure(what: str, volumes: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        place = f"{folder}/out{what if what in FORMATS else '.ndjson'}"
        if what == "stream":
            return {**streamed(volumes, place), "bytes": Path(place).stat().st_size}
        inventory = fleet(volumes)
        if what == "rating":
            return {"seconds": rating(inventory), "memory": 0, "bytes": 0}
        before, began = peak(), time.perf_counter()
        output = parse_output(place)
        with open_output(output) as stream:
            output.format.write(inventory, stream)
        seconds = time.perf_counter() - began
        return {"seconds": seconds, "memory": peak() - before, "bytes": Path(place).stat().st_size}


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--one"]:
        print(json.dumps(measure(arguments[1], int(arguments[2]))))
        return
    volumes = int(arguments[0]) if arguments else VOLUMES
    print(f"{volumes:,} volumes\n{'what':10}{'seconds':>9}{'limit':>7}{'file MB':>9}{'memory MB':>11}")
    for what in arguments[1:] or ("rating", "stream", *FORMATS):
        command = [sys.executable, "-m", "benchmarks.outputs", "--one", what, str(volumes)]
        result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(
            f"{what:10}{result['seconds']:9.2f}{LIMITS.get(what, float('nan')):7.1f}"
            f"{result['bytes'] / 1e6:9.1f}{result['memory'] / 1e6:11.1f}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
