"""Long runs that look for what tests of seconds do not meet; not part of `make bench`.

    python -m benchmarks.soak [FLEETS [SIGNATURES [KILLS]]]

Random fleets with random faults, ends and interruptions, one to three scans at once, in virtual time, each held against
the truth; signatures of many accounts whose sessions rotate, each verified by the emulator's own code; and processes
killed while they write, after which a file is whole, and the old one or the new one.
"""

import asyncio
import hashlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
from multidict import CIMultiDict

from benchmarks.served import verdict
from scanner.aws.credentials.credentials import Credentials
from scanner.aws.signature import Signable, sign
from scanner.emulator.protocol.errors import AuthenticationError
from scanner.emulator.protocol.sigv4 import check_signature, read_signature
from scanner.engine.calls.scheduler import Limits
from scanner.engine.scan import Scan
from scanner.inventory.collect import Collector
from scanner.inventory.events import Event
from scanner.inventory.model import Inventory
from scanner.inventory.records import FailureKind, TargetStatus
from scanner.output.atomic_files import atomic
from scanner.service.errors import CallFailed
from scanner.service.protocol import TargetKey
from tests.engine.simulated import config
from tests.test_every_volume import Truth
from tests.virtual import run

REGIONS = ("us-east-1", "eu-west-1")
FLEETS, SIGNATURES, KILLS = 10_000, 1_000_000, 1_000
RETRIED = (FailureKind.THROTTLED, FailureKind.TIMEOUT, FailureKind.NETWORK, FailureKind.SERVER_ERROR)
PIECES = 200


class Troubled(Truth):
    """A random fleet, any of whose calls takes its time and may fail, for good or once."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed=seed)
        self.dice = random.Random(seed)
        self.share = self.dice.choice([0.0, 0.02, 0.2])

    async def _trouble(self) -> None:
        await anyio.sleep(self.dice.expovariate(20))
        if self.dice.random() < self.share:
            kind = self.dice.choice(RETRIED)
            raise CallFailed.of(
                kind, "as injected", retryable=True, connected=kind is not FailureKind.NETWORK
            )

    async def list_gateways(self, place: TargetKey, marker: str | None) -> Any:
        await self._trouble()
        return await super().list_gateways(place, marker)

    async def list_volumes(self, place: TargetKey, marker: str | None) -> Any:
        await self._trouble()
        return await super().list_volumes(place, marker)

    async def list_recovery_points(self, place: TargetKey, gateway_arn: str) -> Any:
        await self._trouble()
        return await super().list_recovery_points(place, gateway_arn)


def scans_of(seed: int) -> tuple[Troubled, list[Inventory], int]:
    """A random fleet, the inventories of one to three scans of it at once, and how many were cancelled."""
    dice = random.Random(~seed)
    service, found, cancelled = Troubled(seed), list[Inventory](), 0
    asked = config(
        dice.randint(1, 4),
        REGIONS,
        list_volumes=dice.choice(["with_gateways", "always"]),
        details=dice.choice([(), ("volumes",), ("gateway", "tags")]),
        **({"deadline": f"{dice.randint(1, 3000)}ms"} if dice.random() < 0.2 else {}),
    )
    asked = asked.model_copy(update={"policy": asked.policy.model_copy(update={"rpo": timedelta(hours=2)})})
    limits = Limits(anyio.CapacityLimiter(dice.choice([1, 4, 64])), 8)

    async def one() -> None:
        nonlocal cancelled
        collector = Collector()

        async def emit(event: Event) -> None:
            collector.add(event)

        scan = Scan(asked, service, limits, "1", emit)
        task = asyncio.create_task(scan.run())
        how = dice.random()
        if how < 0.2:
            await anyio.sleep(dice.random())
            if how < 0.1:
                task.cancel()
                await asyncio.wait([task])
                cancelled += task.cancelled()
                return
            scan.interrupt()
        await task
        found.append(collector.inventory())

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(dice.randint(1, 3)):
                group.start_soon(one)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert not limits.slots.borrowed_tokens

    run(main())
    return service, found, cancelled


def faults_of(truth: Troubled, whole: Inventory) -> list[str]:
    """What is missing or wrong in an inventory, and is not excused by its target.

    A target may be incomplete only where a fault was injected, or the scan was ended.
    """
    status = {target.key: target.status for target in whole.targets}
    ended = whole.scan.deadline_reached or whole.scan.interrupted
    injected = {(place.account_id, place.region) for place, _ in truth.broken}
    wrong = [
        f"{key} is {said.value} without a fault"
        for key, said in status.items()
        if said is not TargetStatus.COMPLETE and not ended and not truth.share and key not in injected
    ]
    if not ended:
        wrong += [f"{place} was not planned" for place in truth.held if (*place,) not in status]
    shown = Counter((v.account_id, v.region, v.id) for v in whole.volumes)
    verdicts = {(v.account_id, v.region, v.id): v.verdict.status.value for v in whole.volumes}
    wrong += [f"{key} stands {count} times" for key, count in shown.items() if count > 1]
    for place, volumes in truth.held.items():
        complete = status.get((place.account_id, place.region)) is TargetStatus.COMPLETE
        for name in volumes:
            said, true = verdicts.get((*place, name)), truth.verdict(place, name)
            if name in truth.moved[place]:
                continue
            if said != true and (complete or said not in (None, "unknown")):
                wrong.append(f"{place} {name} is {said}, and truly {true}")
    return wrong


def fleets(count: int) -> tuple[int, list[str]]:
    scans, wrong = 0, []
    for seed in range(count):
        truth, inventories, _ = scans_of(seed)
        scans += len(inventories)
        wrong += [f"fleet {seed}: {fault}" for whole in inventories for fault in faults_of(truth, whole)]
    return scans, wrong


def signatures(count: int, accounts: int = 500) -> int:
    """Signs for accounts whose sessions rotate; says how many the emulator's code does not accept."""
    dice, mismatches = random.Random(1), 0
    where, moment = Signable.of("https://storagegateway.us-east-1.amazonaws.com/"), datetime.now(UTC)
    sessions: dict[int, Credentials] = {}
    for number in range(count):
        account = dice.randrange(accounts)
        if account not in sessions or dice.random() < 0.01:
            secret = hashlib.sha256(f"{account} {number}".encode()).hexdigest()
            sessions[account] = Credentials(f"ASIA{account:016d}", secret, f"token {number}")
        credentials = sessions[account]
        body = b'{"Limit":100}'
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": "StorageGateway_20130630.ListGateways",
        }
        signed = sign(headers, body, credentials, where, "us-east-1", "storagegateway", moment)
        mismatches += not accepted(signed, body, credentials.secret_key)
    return mismatches


def accepted(signed: Mapping[str, str], body: bytes, secret: str) -> bool:
    headers = CIMultiDict(signed)
    try:
        check_signature(read_signature(headers), secret, "POST", "/", headers, body)
    except AuthenticationError:
        return False
    return True


WRITE = """
import sys
from scanner.output.atomic_files import atomic
n = 0
while True:
    n += 1
    with atomic(sys.argv[1]) as stream:
        for _ in range(200):
            stream.write(b"%020d" % n + b"x" * 4076)
    print(n, flush=True)
"""


def kills(count: int) -> tuple[int, int, int]:
    """Kills a process that writes a file over and over.

    Says how many met a write, how often the file was torn or older than what was told, and how many are left.
    """
    dice, met, torn = random.Random(2), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "file.bin")
        for _ in range(count):
            command = [sys.executable, "-c", WRITE, str(file)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout
                process.stdout.readline()
                time.sleep(dice.random() * 0.02)
                process.send_signal(signal.SIGKILL)
                told = [1, *(int(line) for line in process.stdout)][-1]
            met += len(list(Path(folder).iterdir())) > 1
            content = file.read_bytes()
            numbers = {content[at : at + 20] for at in range(0, len(content), 4096)}
            torn += len(content) != PIECES * 4096 or len(numbers) != 1 or int(min(numbers)) < told
        with atomic(file) as stream:
            stream.write(b"last")
        return met, torn, len(list(Path(folder).iterdir())) - 1


def main() -> None:
    counts = [int(text) for text in sys.argv[1:]]
    asked = [*counts, *(FLEETS, SIGNATURES, KILLS)[len(counts) :]]
    began = time.perf_counter()
    scans, wrong = fleets(asked[0])
    print(
        f"{asked[0]:,} fleets, {scans:,} scans ended, {len(wrong)} faults ({time.perf_counter() - began:.0f} s)"
    )
    for fault in wrong[:10]:
        print(f"  {fault}")
    began = time.perf_counter()
    mismatches = signatures(asked[1])
    print(
        f"{asked[1]:,} signatures of 500 accounts, {mismatches} mismatches ({time.perf_counter() - began:.0f} s)"
    )
    began = time.perf_counter()
    met, torn, left = kills(asked[2])
    print(
        f"{asked[2]:,} kills, {met:,} of them in the middle of a write, {torn} torn or lost files, {left} files left"
        f" ({time.perf_counter() - began:.0f} s)"
    )
    verdict(
        {
            "every scan equals the truth, less what its faults justify": not wrong,
            "every signature is accepted": not mismatches,
            "no file is torn or lost, and none is left by who was killed": not torn and not left,
            "one kill of ten met a write": met >= asked[2] // 10,
        }
    )


if __name__ == "__main__":
    main()
