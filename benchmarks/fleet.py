"""The same fleet read by sgw-scanner, and as one would with aioboto3 and with boto3.

    python -m benchmarks.fleet

Each way runs in a process of its own and is charged for all of it, from the interpreter's start on. The
cost of one call is measured apart, on clients that already stand.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

from benchmarks.served import REGIONS, Spec, cpu, measured, reporting, served, verdict

FLEET = Spec(accounts=40, regions=17, gateways=2, volumes=8)
CROWD = Spec(accounts=200, regions=17, gateways=5, volumes=1)
ROLE = "sgw-scanner"
AT_ONCE = 64
ROUNDS = 7
THREADS = 20


def account_ids(spec: Spec) -> list[str]:
    return [f"{111100000000 + number:012d}" for number in range(spec.accounts)]


def regions(spec: Spec) -> tuple[str, ...]:
    """The Regions of the fleet that is served. To import the emulator for them would be measured, too."""
    return tuple(os.environ[REGIONS].split())[: spec.regions]


def role_of(account_id: str) -> dict[str, str]:
    return {"RoleArn": f"arn:aws:iam::{account_id}:role/{ROLE}", "RoleSessionName": "benchmark"}


def keys_of(assumed: dict[str, Any]) -> dict[str, str]:
    found = assumed["Credentials"]
    return {
        "aws_access_key_id": found["AccessKeyId"],
        "aws_secret_access_key": found["SecretAccessKey"],
        "aws_session_token": found["SessionToken"],
    }


def with_scanner(spec: Spec, at_once: int = AT_ONCE, list_volumes: str = "never") -> dict[str, Any]:
    """One scan; `call_ms` is what it costs for each call, with all that is made of the answers.

    The others list no volumes, so neither does it unless that is asked for.
    """
    import uvloop

    from scanner import Scanner, ScannerConfig

    config = ScannerConfig.model_validate(
        {
            "accounts": [{"id": account_id, "role": ROLE} for account_id in account_ids(spec)],
            "scan": {
                "regions": regions(spec),
                "max_concurrency": at_once,
                "list_volumes": list_volumes,
            },
        }
    )

    async def scan() -> dict[str, Any]:
        async with Scanner(config) as scanner:
            before = cpu()
            coverage = (await scanner.scan()).coverage
        calls = coverage.calls.attempted
        spent = (cpu() - before) / calls * 1000
        return {"volumes": coverage.volumes.known, "calls": calls, "call_ms": spent}

    return uvloop.run(scan())


def with_aioboto3(spec: Spec) -> dict[str, Any]:
    import aioboto3

    async def scan() -> dict[str, Any]:
        slots = asyncio.Semaphore(AT_ONCE)
        base = aioboto3.Session()

        async def read_region(session: Any, region: str) -> tuple[int, int]:
            volumes, calls = 0, 0
            async with slots, session.client("storagegateway", region_name=region) as client:
                async for page in client.get_paginator("list_gateways").paginate():
                    calls += 1
                    for gateway in page["Gateways"]:
                        answer = await client.list_volume_recovery_points(GatewayARN=gateway["GatewayARN"])
                        volumes += len(answer["VolumeRecoveryPointInfos"])
                        calls += 1
            return volumes, calls

        async def read_account(sts: Any, account_id: str) -> list[tuple[int, int]]:
            session = aioboto3.Session(**keys_of(await sts.assume_role(**role_of(account_id))))
            return await asyncio.gather(*(read_region(session, region) for region in regions(spec)))

        async with base.client("sts") as sts:
            found = await asyncio.gather(*(read_account(sts, one) for one in account_ids(spec)))
        counts = [count for account in found for count in account]
        return {"volumes": sum(count[0] for count in counts), "calls": sum(count[1] for count in counts)}

    return asyncio.run(scan())


def with_boto3(spec: Spec) -> dict[str, Any]:
    import boto3

    def read_account(account_id: str) -> tuple[int, int]:
        volumes, calls = 0, 0
        session = boto3.Session(**keys_of(sts.assume_role(**role_of(account_id))))
        for region in regions(spec):
            client = session.client("storagegateway", region_name=region)
            for page in client.get_paginator("list_gateways").paginate():
                calls += 1
                for gateway in page["Gateways"]:
                    answer = client.list_volume_recovery_points(GatewayARN=gateway["GatewayARN"])
                    volumes += len(answer["VolumeRecoveryPointInfos"])
                    calls += 1
        return volumes, calls

    sts = boto3.client("sts")
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(read_account, account_ids(spec)))
    return {"volumes": sum(count[0] for count in found), "calls": sum(count[1] for count in found)}


def stock_call(spec: Spec) -> dict[str, Any]:
    """The cost of a call with aioboto3 as it comes: one client that stands, as many calls at once."""
    import aioboto3

    async def ask() -> dict[str, Any]:
        async with aioboto3.Session().client("storagegateway") as client:
            gateway = (await client.list_gateways())["Gateways"][0]["GatewayARN"]
            return await cost_of(lambda: client.list_volume_recovery_points(GatewayARN=gateway), spec)

    return asyncio.run(ask())


def own_call(spec: Spec) -> dict[str, Any]:
    """The same through the scanner's own source, under the command line's conditions.

    Its answers are records with times and sizes.
    """
    import uvloop

    from scanner import ScannerConfig
    from scanner.aws.storage_gateway import AwsService
    from scanner.cli.process.collector import spared_collector
    from scanner.service.protocol import TargetKey

    account_id, region = account_ids(spec)[0], regions(spec)[0]
    account = {"id": account_id, "role": "sgw-scanner", "regions": [region]}
    config = ScannerConfig.model_validate({"accounts": [account]})

    async def ask() -> dict[str, Any]:
        async with AwsService(config, "sgw-scanner") as source:
            for step in source.sign_in_steps(config.accounts[0]):
                await source.sign_in(step)
            place = TargetKey(account_id, region)
            gateway = (await source.list_gateways(place, None)).gateways[0].arn
            assert gateway
            with spared_collector():
                return await cost_of(lambda: source.list_recovery_points(place, gateway), spec)

    return uvloop.run(ask())


async def cost_of(call: Callable[[], Awaitable[Any]], spec: Spec) -> dict[str, Any]:
    """Milliseconds of CPU for one of many calls at once: the median of several rounds."""
    calls, slots, found = spec.accounts * spec.regions * spec.gateways, asyncio.Semaphore(AT_ONCE), []

    async def once() -> None:
        async with slots:
            await call()

    await asyncio.gather(*(once() for _ in range(AT_ONCE)))
    for _ in range(ROUNDS):
        before = cpu()
        await asyncio.gather(*(once() for _ in range(calls)))
        found.append((cpu() - before) / calls * 1000)
    return {"calls": calls, "call_ms": median(found)}


def crowd(spec: Spec) -> dict[str, Any]:
    return with_scanner(spec, at_once=spec.accounts)


def listing(spec: Spec) -> dict[str, Any]:
    return with_scanner(spec, list_volumes="with_gateways")


WAYS: dict[str, tuple[str, Callable[[Spec], dict[str, Any]]]] = {
    "scanner": ("sgw-scanner, without ListVolumes", with_scanner),
    "listing": ("sgw-scanner, as by default", listing),
    "aioboto3": ("aioboto3, a session for each account", with_aioboto3),
    "boto3": (f"boto3, {THREADS} threads", with_boto3),
}
JOBS = {
    **{name: job for name, (_, job) in WAYS.items()},
    "own": own_call,
    "stock": stock_call,
    "crowd": crowd,
}


def main() -> None:
    with served(FLEET) as emulator:
        found = {name: measured("benchmarks.fleet", name, FLEET, emulator) for name in WAYS}
        ours_call, stock = (
            measured("benchmarks.fleet", name, FLEET, emulator)["call_ms"] for name in ("own", "stock")
        )
    with served(CROWD) as emulator:
        many = measured("benchmarks.fleet", "crowd", CROWD, emulator)
        counts = emulator.counts()
    ours = found["scanner"]
    print(
        "{accounts} accounts x {regions} Regions x {gateways} gateways x {volumes} volumes".format(
            **vars(FLEET)
        )
    )
    print(f"{'':38}{'CPU s':>8}{'x ours':>8}{'peak MB':>9}{'wall s':>8}{'calls':>8}{'volumes':>9}")
    for name, (title, _) in WAYS.items():
        one = found[name]
        print(
            f"{title:38}{one['cpu']:8.2f}{one['cpu'] / ours['cpu']:8.1f}{one['peak'] / 1e6:9.1f}"
            f"{one['wall']:8.2f}{one['calls']:8,}{one['volumes']:9,}"
        )
    print(
        f"CPU for each call, clients standing, median of {ROUNDS}: {ours_call:.3f} ms ours, {stock:.3f} ms"
        f" stock aioboto3 ({ours_call / stock:.2f} of it)\n"
        f"in the whole scan {ours['call_ms']:.3f} ms: its clients, verdicts and the inventory included"
    )
    print(
        f"{CROWD.accounts} accounts at once: {many['calls']:,} calls, {counts['mismatches']} mismatches;"
        f" CPU {many['cpu']:.2f} s, peak {many['peak'] / 1e6:.1f} MB"
    )
    verdict(
        {
            "the same volumes by every way that lists none": len(
                {found[name]["volumes"] for name in WAYS if name != "listing"}
            )
            == 1,
            "CPU at most 1/12 of aioboto3's": ours["cpu"] <= found["aioboto3"]["cpu"] / 12,
            "CPU at most 1/7 of boto3's": ours["cpu"] <= found["boto3"]["cpu"] / 7,
            "peak memory at most 90 MB": ours["peak"] <= 90e6,
            "CPU for each call at most 0.4 of aioboto3's": ours_call <= 0.4 * stock,
            "20,000 requests of 200 accounts, none signed for another": (
                many["calls"] >= 20_000 and counts["mismatches"] == 0
            ),
        }
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        reporting(JOBS[sys.argv[1]], Spec(**json.loads(sys.argv[2])))
    else:
        main()
