"""A fleet served by a process of its own, and jobs measured in processes of their own.

python -m benchmarks.served '{"accounts": 40, ...}'     serves; each line on stdin is answered by the counts
"""

import asyncio
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REGIONS = "BENCHMARK_REGIONS"
"""The variable that names the Regions of the fleet."""


@dataclass(frozen=True)
class Spec:
    """A generated fleet: `gateways` stand in each target, `spread` are strewn over all of them."""

    accounts: int
    regions: int
    gateways: int
    volumes: int
    spread: int = 0


@dataclass(frozen=True)
class Served:
    """The serving process, as its clients see it."""

    process: "subprocess.Popen[str]"
    environment: dict[str, str]

    def counts(self) -> dict[str, int]:
        """Requests since the start by operation, and `mismatches`: those signed for another account."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        counted: dict[str, int] = json.loads(self.process.stdout.readline())
        return counted


@contextmanager
def served(spec: Spec) -> Iterator[Served]:
    """Serves a fleet for as long as the block lasts."""
    command = [sys.executable, "-m", "benchmarks.served", json.dumps(vars(spec))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield Served(process, json.loads(process.stdout.readline()))
        finally:
            process.stdin.close()


def measured(module: str, job: str, spec: Spec, served: Served) -> dict[str, Any]:
    """What `reporting` printed for one job of `module`, in a process that sees the fleet and no other AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    finished = subprocess.run(
        [sys.executable, "-m", module, job, json.dumps(vars(spec))],
        env={**kept, **served.environment},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    result: dict[str, Any] = json.loads(finished.stdout)
    return result


def reporting(job: Callable[[Spec], dict[str, Any]], spec: Spec) -> None:
    """Runs `job`, and prints what it returns along with the cost of the whole process, start included."""
    # aiobotocore imports httpx wherever it is installed; here the tests need it, where sgw-scanner runs nothing does.
    sys.modules["httpx"] = None  # type: ignore[assignment]
    began = time.perf_counter()
    found = job(spec)
    wall = time.perf_counter() - began
    print(json.dumps({**found, "wall": wall, "cpu": cpu(), "peak": peak()}))


def cpu() -> float:
    """Seconds of CPU that this process has taken so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak() -> int:
    """The most memory this process ever held, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # getrusage would tell the parent's peak, if that was greater.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def verdict(checks: dict[str, bool]) -> None:
    """Prints every promise as kept or missed; raises SystemExit when one is missed."""
    for promise, kept in checks.items():
        print(f"  {'kept  ' if kept else 'MISSED'} {promise}")
    if not all(checks.values()):
        raise SystemExit(1)


async def _serve(spec: Spec) -> None:
    from scanner.emulator import Emulator, Fleet, Organization
    from scanner.emulator.fleets import generate_gateway, region_names

    fleet = Fleet.generate(spec.accounts, spec.regions, 7, spec.gateways, spec.volumes, types={"CACHED": 1})
    fleet.organization = Organization(page_size=20)
    chance, taken, names = random.Random(7), set[str](), region_names(spec.regions)
    for number in range(spec.spread):
        account = chance.choice(fleet.accounts)
        account.gateways.append(
            generate_gateway(chance, chance.choice(names), number, "CACHED", spec.volumes, taken)
        )
    async with Emulator(fleet) as emulator:
        print(
            json.dumps({**emulator.environment(), REGIONS: " ".join(region_names(spec.regions))}), flush=True
        )
        while await asyncio.to_thread(sys.stdin.readline):
            counted = Counter[str]()
            for (_, operation, _, _), times in emulator.requests.items():
                counted[operation] += times
            print(json.dumps({**counted, "mismatches": emulator.mismatches}), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(Spec(**json.loads(sys.argv[1]))))
