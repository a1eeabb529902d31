"""How long rating and each format take for a large fleet, and what memory they need.

    python -m benchmarks.outputs [VOLUMES] [FORMAT...]

Every run has a process of its own; its memory is the growth of the peak over what the process held when
the fleet stood ready. `stream` is NDJSON as a scan writes it, with no fleet in memory at all; `inventory` is
the fleet itself, and its memory that of the whole process. Limits are CPU seconds: time by the clock is told
for comparison.
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
from statistics import median

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
    Target,
    TargetStatus,
    Volume,
)
from scanner.output import FORMATS, NdjsonWriter, open_output, parse_output
from scanner.policy.rater import Rater
from scanner.policy.rules import Match, Policy, Rule

VOLUMES = 150_000
RUNS = 3
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
LIMITS = {
    ".json": 3.0,
    ".ndjson": 3.0,
    ".parquet": 2.0,
    ".csv": 3.0,
    ".html": 5.0,
    "stream": 3.0,
    "rating": 0.8,
}
"""CPU seconds for 150,000 volumes; what has none is measured for comparison only."""
MOST_MEMORY = 260e6
"""What a process may hold at most with the inventory of 150,000 volumes."""


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


class Watch:
    """Adds up the time spent in its blocks: by the clock, and of the processor."""

    def __init__(self) -> None:
        self.seconds = self.cpu = 0.0

    def __enter__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._began[0]
        self.cpu += time.process_time() - self._began[1]


def rate(inventory: Inventory, watch: Watch) -> None:
    """Rates every volume of `inventory`, in the order a scan would read them."""
    rater = Rater(POLICY)
    by_arn = {gateway.arn: gateway for gateway in inventory.gateways}
    with watch:
        for volume in inventory.volumes:
            of = by_arn[volume.gateway_arn or ""]
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


def peak() -> int:
    """The most memory this process ever held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def stream(volumes: int, place: str, watch: Watch) -> None:
    """NDJSON as a scan writes it: no inventory, each record forgotten once it is written."""
    chance, rater = random.Random(7), Rater(POLICY)
    with open_output(parse_output(place)) as opened:
        writer = NdjsonWriter(opened)
        for gateway in gateways(volumes // PER_GATEWAY, chance):
            found = [rated(gateway, rater, chance) for _ in range(PER_GATEWAY)]
            with watch:
                writer.write(gateway)
                for volume in found:
                    writer.write(volume)


def measure(what: str, volumes: int) -> dict[str, float]:
    watch = Watch()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(f"{folder}/out{what if what in FORMATS else '.ndjson'}")
        if what == "inventory":
            with watch:
                fleet(volumes)
            return {"seconds": watch.seconds, "cpu": watch.cpu, "memory": peak(), "bytes": 0}
        inventory = None if what == "stream" else fleet(volumes)
        before = peak()
        if inventory is None:
            stream(volumes, str(place), watch)
        elif what == "rating":
            rate(inventory, watch)
        else:
            output = parse_output(str(place))
            with watch, open_output(output) as opened:
                output.format.write(inventory, opened)
        size = place.stat().st_size if place.exists() else 0
    return {"seconds": watch.seconds, "cpu": watch.cpu, "memory": peak() - before, "bytes": size}


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--one"]:
        print(json.dumps(measure(arguments[1], int(arguments[2]))))
        return
    volumes = int(arguments[0]) if arguments else VOLUMES
    print(f"{volumes:,} volumes, medians of {RUNS} runs")
    print(f"{'what':10}{'seconds':>9}{'limit':>7}{'CPU s':>8}{'file MB':>9}{'memory MB':>11}")
    kept = {}
    for what in arguments[1:] or ("inventory", "rating", "stream", *FORMATS):
        command = [sys.executable, "-m", "benchmarks.outputs", "--one", what, str(volumes)]
        runs = [json.loads(subprocess.check_output(command, text=True)) for _ in range(RUNS)]
        middle = {name: median(run[name] for run in runs) for name in runs[0]}
        limit = LIMITS.get(what, float("nan"))
        print(
            f"{what:10}{middle['seconds']:9.2f}{limit:7.1f}{middle['cpu']:8.2f}"
            f"{middle['bytes'] / 1e6:9.1f}{middle['memory'] / 1e6:11.1f}",
            flush=True,
        )
        if what in LIMITS:
            kept[f"{what} takes at most {limit} s"] = middle["cpu"] <= limit
        if what == "inventory":
            kept[f"the inventory takes at most {MOST_MEMORY / 1e6:.0f} MB"] = middle["memory"] <= MOST_MEMORY
    if volumes == VOLUMES:
        # Here, for what it imports would count as memory of each run.
        from benchmarks.served import verdict

        verdict(kept)


if __name__ == "__main__":
    main(sys.argv[1:])
