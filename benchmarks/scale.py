"""What it costs to make one inventory of a large fleet's parts, beside folding them in memory.

    python -m benchmarks.scale [TARGETS]

The parts are NDJSON as sixteen shards write it while they scan: accounts of 34 Regions in the order in which they end,
5 % of the targets with gateways, 2 % failed. Every run has a process of its own; memory is the peak of that process,
Python and imports included. On a busy machine compare the CPU seconds.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scanner.config.shards import in_shard
from scanner.inventory.events import (
    FailureSeen,
    GatewayEnded,
    ScanEnded,
    TargetEnded,
    TargetPlanned,
    records_in,
)
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
    Shard,
    Target,
    TargetStatus,
    Verdict,
    VerdictStatus,
    Volume,
)
from scanner.inventory.scan_id import new_scan_id
from scanner.output import NdjsonWriter
from scanner.output.inventories import merge_inventories
from scanner.summary.statistics import Statistics

TARGETS, FOLDED = 1_000_000, 100_000
SHARDS, REGIONS = 16, [f"xx-region-{number}" for number in range(1, 35)]
SECONDS, MEGABYTES = 8.0, 80.0
"""What merging a million targets into NDJSON may take."""
NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


def events_of(
    account: str, region: str, chance: random.Random
) -> Iterator[GatewayEnded | FailureSeen | TargetEnded]:
    """What a scan tells of one target."""
    status, gateways, volumes = TargetStatus.COMPLETE, 0, 0
    if chance.random() < 0.02:
        status = TargetStatus.FAILED
        yield FailureSeen(
            Failure(
                scope=FailureScope.TARGET,
                account_id=account,
                region=region,
                operation="ListGateways",
                kind=FailureKind.ACCESS_DENIED,
                code="AccessDeniedException",
                message="User is not authorized to perform: storagegateway:ListGateways",
                attempts=1,
            )
        )
    elif chance.random() < 0.05:
        gateways, volumes = 1, 4
        arn = f"arn:aws:storagegateway:{region}:{account}:gateway/sgw-{chance.randrange(16**8):08X}"
        of: dict[str, str] = {"account_id": account, "region": region}
        yield GatewayEnded(
            Gateway(
                arn=arn,
                id=arn[-12:],
                name="files",
                type="CACHED",
                status=GatewayStatus.SCANNED,
                observed_at=NOW,
                **of,
            ),
            tuple(
                Volume(
                    arn=f"{arn}/volume/vol-{number:08X}",
                    id=f"vol-{number:08X}",
                    gateway_arn=arn,
                    size_bytes=2**40,
                    recovery_point_time=NOW - timedelta(hours=1),
                    verdict=Verdict(
                        status=VerdictStatus.OK, age_seconds=3600, rpo_seconds=86400, rule="default"
                    ),
                    **of,
                )
                for number in range(volumes)
            ),
        )
    yield TargetEnded(
        Target(
            account_id=account,
            account_name=f"team {account[-5:]}",
            region=region,
            status=status,
            gateways=gateways,
            volumes=volumes,
            volumes_listed=True if gateways else None,
        )
    )


def write_parts(folder: Path, targets: int) -> list[str]:
    """Writes the parts of a fleet, the same each time, and returns their names."""
    places = []
    for index in range(1, SHARDS + 1):
        shard, chance = Shard(index=index, count=SHARDS), random.Random(index)
        place = folder / f"part-{index}.ndjson"
        statistics = Statistics()
        with place.open("wb") as stream:
            writer = NdjsonWriter(stream)
            for number in range(targets // len(REGIONS)):
                account = f"{111100000000 + number:012d}"
                if in_shard(shard, account):
                    for region in chance.sample(REGIONS, len(REGIONS)):
                        statistics.add(TargetPlanned(account, None, region))
                        for event in events_of(account, region, chance):
                            statistics.add(event)
                            for record in records_in(event):
                                writer.write(record)
            scan = ScanInfo(
                id=new_scan_id(),
                started_at=NOW,
                finished_at=NOW,
                outcome=Outcome.PARTIAL,
                scanner_version="0.1.0",
                shard=shard,
            )
            statistics.add(ScanEnded(scan, CallCounts()))
            writer.write(statistics.coverage())
            writer.write(scan)
        places.append(str(place))
    return places


def merge(how: str, folder: str) -> None:
    """Merges the parts in `folder`; prints what that took."""
    parts = sorted(str(place) for place in Path(folder).glob("part-*"))
    began, cpu = time.perf_counter(), time.process_time()
    if how == "fold":
        Inventory.merge([Inventory.read(part) for part in parts]).write(f"{folder}/fold.ndjson")
    else:
        merge_inventories(parts, f"{folder}/whole{how}")
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    # Not getrusage's, which counts what the parent process held when it forked.
    peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "megabytes": peak}))


def measured(how: str, folder: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.scale", "--merge", how, folder]
    taken: dict[str, float] = json.loads(subprocess.check_output(command, text=True))
    return taken


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--merge"]:
        merge(arguments[1], arguments[2])
        return 0
    targets = int(arguments[0]) if arguments else TARGETS
    missed = False
    print(f"{'merge':10}{'targets':>11}{'seconds':>9}{'CPU s':>8}{'peak MB':>9}")
    for count, ways in (
        (min(targets, FOLDED), ("fold", ".ndjson")),
        (targets, (".ndjson", ".json", ".csv", ".parquet", ".prom")),
    ):
        with tempfile.TemporaryDirectory() as folder:
            write_parts(Path(folder), count)
            for how in ways:
                taken = measured(how, folder)
                print(
                    f"{how:10}{count:11,}{taken['seconds']:9.2f}{taken['cpu']:8.2f}{taken['megabytes']:9.1f}",
                    flush=True,
                )
                if how == ".ndjson":
                    share = count / TARGETS
                    missed |= taken["cpu"] > SECONDS * max(share, 0.1) or taken["megabytes"] > MEGABYTES
            if "fold" in ways:
                same = (
                    Path(f"{folder}/fold.ndjson").read_bytes() == Path(f"{folder}/whole.ndjson").read_bytes()
                )
                print("the merge is the fold, byte for byte" if same else "the merge differs from the fold")
                missed |= not same
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
