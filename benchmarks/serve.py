"""200 scrapes at once while `serve` scans 20,000 volumes; and the memory of one Scanner over 1,000 scans.

python -m benchmarks.serve [scrapes|weeks]
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median

from benchmarks.fleet import ROLE, account_ids
from benchmarks.served import REGIONS, Served, Spec, served, verdict
from scanner import Scanner, ScannerConfig

LARGE = Spec(accounts=20, regions=5, gateways=10, volumes=20)
SMALL = Spec(accounts=5, regions=3, gateways=3, volumes=5)
SCANS = 1000
AT_ONCE = 200
ROUNDS = 5
BURSTS = 20


@contextmanager
def serving(emulator: Served, spec: Spec) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """`sgw-scanner serve` over the fleet, scanning without a pause, and its port."""
    names = json.dumps(emulator.environment[REGIONS].split()[: spec.regions])
    accounts = "".join(f'[[accounts]]\nid = "{each}"\nrole = "{ROLE}"\n' for each in account_ids(spec))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "scanner.toml")
        config.write_text(f"[scan]\nregions = {names}\n{accounts}")
        command = [sys.executable, "-m", "scanner", "serve", "--listen", "127.0.0.1:0", "--every", "1s"]
        with subprocess.Popen(
            [*command, "-c", str(config)],
            env={**kept, **emulator.environment},
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr
            try:
                found = re.search(r":(\d+)$", process.stderr.readline().strip())
                assert found
                yield process, int(found[1])
            finally:
                process.terminate()


async def scrape(port: int, path: str) -> tuple[int, float, int]:
    """Status, seconds and bytes of one answer, as Prometheus asks for it."""
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    writer.write(request.encode())
    status, size = int((await reader.readline()).split()[1]), 0
    while part := await reader.read(1 << 18):
        size += len(part)
    writer.close()
    return status, time.perf_counter() - began, size


async def bursts(port: int) -> tuple[list[float], int, int]:
    while (await scrape(port, "/metrics"))[0] != 200:  # noqa: ASYNC110 - as a client would have to
        await asyncio.sleep(0.1)
    seconds, failed, size = list[float](), 0, 0
    for number in range(BURSTS):
        answers = await asyncio.gather(*(scrape(port, "/metrics") for _ in range(AT_ONCE)))
        seconds += (taken for _, taken, _ in answers)
        failed += sum(status != 200 for status, _, _ in answers)
        size = answers[0][2]
        # At another moment of the scan each time.
        await asyncio.sleep(0.3 + number % 7 / 10)
    return sorted(seconds), failed, size


def scrapes() -> None:
    high, lost = list[float](), 0
    with served(LARGE) as emulator, serving(emulator, LARGE) as (_, port):
        for _ in range(ROUNDS):
            before = emulator.counts().get("ListVolumeRecoveryPoints", 0)
            seconds, failed, size = asyncio.run(bursts(port))
            scans = (emulator.counts()["ListVolumeRecoveryPoints"] - before) / 1000
            high.append(seconds[int(len(seconds) * 0.99)])
            lost += failed
            print(
                f"{len(seconds)} scrapes of {size:,} bytes during {scans:.1f} scans: median {median(seconds):.3f} s,"
                f" p99 {high[-1]:.3f} s, longest {seconds[-1]:.3f} s",
                flush=True,
            )
    kept = median(high) <= 0.3
    verdict(
        {f"p99 of {AT_ONCE} scrapes at once within 0.3 s (median of rounds)": kept, "all answered": not lost}
    )


def resident() -> float:
    """Megabytes of memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def watched(scans: int) -> list[float]:
    """The memory after each of so many scans of one Scanner, with nothing in between."""
    sizes = list[float]()
    config = ScannerConfig.model_validate(
        {
            "scan": {"regions": os.environ[REGIONS].split()[: SMALL.regions]},
            "accounts": [{"id": each, "role": ROLE} for each in account_ids(SMALL)],
        }
    )
    async with Scanner(config) as scanner, aclosing(scanner.watch(timedelta(microseconds=1))) as inventories:
        async for inventory in inventories:
            assert inventory.scan.outcome.value == "complete", inventory.failures[:1]
            sizes.append(resident())
            if len(sizes) == scans:
                return sizes
    return sizes


def weeks() -> None:
    with served(SMALL) as emulator:
        os.environ.update(emulator.environment)
        sizes = asyncio.run(watched(SCANS))
    early, late = median(sizes[100:200]), median(sizes[-100:])
    print(f"{SCANS} scans of one Scanner: {early:.1f} MB after 100 to 200, {late:.1f} MB after the last 100")
    verdict({"memory over 1,000 scans grows by less than 2 %": late <= 1.02 * early})


if __name__ == "__main__":
    for part in (scrapes, weeks):
        if part.__name__ in (sys.argv[1:] or ("scrapes", "weeks")):
            part()
