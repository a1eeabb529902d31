"""How fast one throttled target is read: sgw-scanner beside the retry modes of boto3 and aiobotocore.

    python -m benchmarks.pace

The target admits 20 calls a second and 20 at once; 220 calls wait (three pages of gateways, then a call
for each gateway), 64 at once: at best 10.0 s. Each contender has an emulator of its own with a full
bucket, in a process of its own. Then the same ways of pacing meet simulated buckets, and whole fleets.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.config import Config
from botocore.exceptions import ClientError

from benchmarks import pace_buckets, pace_fleets
from scanner import Scanner, ScannerConfig

REGION, RATE, BURST, GATEWAYS, AT_ONCE = "us-east-1", 20, 20, 217, 64
CALLS = GATEWAYS + 3  # pages of 100
IDEAL = (CALLS - BURST) / RATE
FLEET = f"""
[generate]
accounts = 1
regions = ["{REGION}"]
gateways_per_target = {GATEWAYS}
volumes_per_gateway = 4
types = {{ CACHED = 1 }}
seed = 1

[[throttle]]
rate = {RATE}
burst = {BURST}
"""
MODES: dict[str, dict[str, Any]] = {
    "legacy (default)": {"mode": "legacy"},
    "standard": {"mode": "standard"},
    "standard, 8 attempts": {"mode": "standard", "total_max_attempts": 8},
    "adaptive": {"mode": "adaptive"},
    "adaptive, 8 attempts": {"mode": "adaptive", "total_max_attempts": 8},
}


@dataclass
class Tally:
    """What became of the calls of one contender."""

    sent: int = 0
    throttled: int = 0
    lost: int = 0

    def answered(self, retries: int, *, lost: bool) -> None:
        self.sent += 1 + retries
        self.throttled += retries + lost
        self.lost += lost


@contextmanager
def emulator(fleet: str) -> Iterator[str]:
    """The address of an emulator in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fleet.toml")
        path.write_text(fleet)
        command = [sys.executable, "-m", "scanner.emulator", "--fleet", str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                yield process.stdout.readline().strip()
            finally:
                process.terminate()


def client_settings(url: str) -> dict[str, str]:
    return {
        "endpoint_url": url,
        "region_name": REGION,
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }


def retries_of(answer: dict[str, Any]) -> int:
    count: int = answer["ResponseMetadata"].get("RetryAttempts", 0)
    return count


def with_boto3(retries: dict[str, Any], url: str) -> Tally:
    """As a user would: a paginator, then a pool of threads."""
    tally = Tally()
    client = boto3.client(
        "storagegateway", config=Config(retries=retries, max_pool_connections=AT_ONCE), **client_settings(url)
    )

    def read(arn: str) -> tuple[int, bool]:
        try:
            return retries_of(client.list_volume_recovery_points(GatewayARN=arn)), False
        except ClientError as error:
            return retries_of(error.response), True

    arns = []
    for page in client.get_paginator("list_gateways").paginate():
        tally.answered(retries_of(page), lost=False)
        arns += [gateway["GatewayARN"] for gateway in page["Gateways"]]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for count, lost in pool.map(read, arns):
            tally.answered(count, lost=lost)
    return tally


def with_aiobotocore(retries: dict[str, Any], url: str) -> Tally:
    """The same with tasks and a semaphore."""

    async def main() -> Tally:
        tally, slots = Tally(), asyncio.Semaphore(AT_ONCE)
        config = AioConfig(retries=retries, max_pool_connections=AT_ONCE)
        async with get_session().create_client(
            "storagegateway", config=config, **client_settings(url)
        ) as client:

            async def read(arn: str) -> None:
                async with slots:
                    try:
                        answer = await client.list_volume_recovery_points(GatewayARN=arn)
                        tally.answered(retries_of(answer), lost=False)
                    except ClientError as error:
                        tally.answered(retries_of(error.response), lost=True)

            arns = []
            async for page in client.get_paginator("list_gateways").paginate():
                tally.answered(retries_of(page), lost=False)
                arns += [gateway["GatewayARN"] for gateway in page["Gateways"]]
            await asyncio.gather(*(read(arn) for arn in arns))
        return tally

    return asyncio.run(main())


def with_scanner(per_target: int, url: str) -> Tally:
    """Through the public library."""
    config = ScannerConfig.model_validate(
        {"scan": {"regions": [REGION], "max_concurrency": 64, "max_concurrency_per_target": per_target}}
    )

    async def main() -> Tally:
        async with Scanner(config) as scanner:
            inventory = await scanner.scan()
        calls = inventory.coverage.calls
        return Tally(calls.attempted, calls.throttled, CALLS - (calls.attempted - calls.throttled))

    settings = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    with patch.dict(os.environ, settings):
        return asyncio.run(main())


def contenders() -> Iterator[tuple[str, Callable[[str], Tally]]]:
    for name, retries in MODES.items():
        yield f"boto3, {name}", lambda url, retries=retries: with_boto3(retries, url)
    for name, retries in MODES.items():
        yield f"aiobotocore, {name}", lambda url, retries=retries: with_aiobotocore(retries, url)
    yield "sgw-scanner, 64 at once", lambda url: with_scanner(AT_ONCE, url)
    yield "sgw-scanner, 8 at once (default)", lambda url: with_scanner(8, url)


def on_the_emulator() -> None:
    """Prints a line for each contender."""
    print(f"One target on the emulator: {RATE} calls/s, burst {BURST}, {CALLS} calls; ideal {IDEAL:.1f} s")
    head = f"{'':34} {'lost':>5} {'seconds':>8} {'× ideal':>8} {'sent':>5} {'% throttled':>12}"
    print(head, "-" * len(head), sep="\n")
    for name, work in contenders():
        with emulator(FLEET) as url:
            started = time.perf_counter()
            tally = work(url)
            seconds = time.perf_counter() - started
        share = 100 * tally.throttled / tally.sent
        print(
            f"{name:34} {tally.lost:5} {seconds:8.2f} {seconds / IDEAL:8.2f} {tally.sent:5} {share:12.1f}",
            flush=True,
        )


def main() -> None:
    """Prints all tables: on the emulator, over simulated buckets, with many targets at once."""
    on_the_emulator()
    pace_buckets.main()
    pace_fleets.main()


if __name__ == "__main__":
    main()
