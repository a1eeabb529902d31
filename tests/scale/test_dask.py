"""Dask's own scheduler and workers against the emulator: what one process finds, and nobody's credentials mixed up."""

import logging
import os
import pickle
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scanner import Inventory, Scanner, ScannerConfig
from scanner.emulator import Account, Emulator, Fault, Fleet, Role
from scanner.inventory.events import TargetEnded
from scanner.scale import scan_on, stream_on
from scanner.scale.task import Task
from tests.aws.scans import HUB, calls, environment, gateway
from tests.scale.test_coordinator import content

SECRET = "very-external-id-42"
REGIONS = ("us-east-1", "eu-west-1")
IDS = [f"{333300000000 + number}" for number in range(12)]
HANGING = IDS[5]
CONFIG = "[scan]\nregions = ['us-east-1', 'eu-west-1']\n[policy]\nrpo = '24h'\n" + "".join(
    f"[[accounts]]\nid = '{id}'\nrole = 'scan'\nexternal_id = '{SECRET}'\n" for id in IDS
)


@pytest.fixture
def sgw_fleet() -> Fleet:
    """Twelve accounts, each with a gateway in one of two Regions."""
    role = Role("scan", trust=(HUB,), external_id=SECRET)
    members = [
        Account(
            id,
            f"team {id[-2:]}",
            REGIONS,
            [gateway(number, REGIONS[number % 2], volumes=2)],
            [role],
            ou="Workloads",
        )
        for number, id in enumerate(IDS)
    ]
    return Fleet([Account(HUB, "hub", REGIONS), *members])


@pytest.fixture
def settings(tmp_path: Path, sgw_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> ScannerConfig:
    environment(sgw_emulator, monkeypatch)
    (tmp_path / "scanner.toml").write_text(CONFIG)
    return ScannerConfig.load(tmp_path / "scanner.toml")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Dask tells of lost workers at length."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@asynccontextmanager
async def cluster(workers: int, *, processes: bool = False) -> AsyncIterator[Any]:
    import distributed

    names: Any = distributed
    options = {"threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "asynchronous": True}
    async with (
        names.LocalCluster(n_workers=workers, processes=processes, **options) as local,
        names.Client(local, asynchronous=True, set_as_default=False) as client,
    ):
        yield client


async def one_machine(settings: ScannerConfig, emulator: Emulator) -> Inventory:
    async with Scanner(settings) as scanner:
        whole = await scanner.scan()
    assert whole.coverage.targets.complete == 24
    emulator.reset()
    return whole


def same(one: Inventory, other: Inventory) -> bool:
    """But for the moments at which they were read."""
    return timeless(one) == timeless(other)


def timeless(whole: Inventory) -> dict[str, Any]:
    body = content(whole)
    for volume in body["volumes"]:
        del volume["recovery_point_time"], volume["verdict"]["age_seconds"]
    for one in body["gateways"]:
        del one["observed_at"]
    return body


@pytest.mark.parametrize("workers", [1, 2])
async def test_workers_find_what_one_process_finds(
    workers: int, settings: ScannerConfig, sgw_emulator: Emulator
) -> None:
    expected = await one_machine(settings, sgw_emulator)
    async with cluster(workers) as client:
        with await scan_on(client, settings, accounts_per_task=5) as whole:
            assert same(whole.load(), expected)
    assert calls(sgw_emulator, "AssumeRole") == 12
    assert sgw_emulator.mismatches == 0


async def test_an_organization_is_walked_once_and_its_accounts_keep_their_place(
    sgw_emulator: Emulator, settings: ScannerConfig, tmp_path: Path
) -> None:
    """Its external id, too, is the worker's own."""
    text = (
        f"[scan]\nregions = {list(REGIONS)}\n[organization]\nrole = 'scan'\nexternal_id = '{SECRET}'\n"
        "include_management_account = false\n"
    )
    (tmp_path / "organization.toml").write_text(text)
    settings = ScannerConfig.load(tmp_path / "organization.toml")
    async with Scanner(settings) as scanner:
        expected = await scanner.scan()
    walk = calls(sgw_emulator, "ListAccountsForParent")
    sgw_emulator.reset()
    async with cluster(2) as client:
        with await scan_on(client, settings, accounts_per_task=4) as whole:
            found = whole.load()
    assert same(found, expected)
    assert {target.ou_path for target in found.targets} == {"Root/Workloads"}
    assert calls(sgw_emulator, "ListAccountsForParent") == walk > 0


async def test_a_worker_that_is_killed_costs_nothing_but_its_task(
    settings: ScannerConfig, sgw_emulator: Emulator
) -> None:
    """It hangs in one account while the other worker scans all the rest, and is killed then."""
    expected = await one_machine(settings, sgw_emulator)
    sgw_emulator.faults.add(Fault("hang", account=HANGING, operation="ListGateways", times=1))
    async with cluster(2, processes=True) as client:
        pids = await client.run(os.getpid)
        ended = 0
        async with stream_on(client, settings, 3) as events:
            async for event in events:
                ended += isinstance(event, TargetEnded)
                if ended == 18:
                    (victim,) = [worker for worker, keys in (await client.processing()).items() if keys]
                    os.kill(pids[victim], signal.SIGKILL)
                    ended += 100
            with events.inventory() as whole:
                assert same(whole.load(), expected)
    assert 12 <= calls(sgw_emulator, "AssumeRole") <= 12 + 3
    assert sgw_emulator.mismatches == 0


async def test_no_secret_is_in_a_task_of_the_scheduler(
    settings: ScannerConfig, sgw_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Task] = []
    async with cluster(1) as client:
        submit = client.submit

        def listen(work: Any, task: Task, **more: Any) -> Any:
            seen.append(task)
            return submit(work, task, **more)

        monkeypatch.setattr(client, "submit", listen)
        (await scan_on(client, settings)).close()
    assert len(seen) == 1
    assert SECRET.encode() not in pickle.dumps(seen)
    assert repr(seen[0]) == f"<Task 1 of {seen[0].scan_id}: 12 accounts>"


async def test_the_deadline_of_a_cluster_is_that_of_a_scan(
    settings: ScannerConfig, sgw_emulator: Emulator
) -> None:
    sgw_emulator.faults.add(Fault("hang", account=HANGING, operation="ListGateways"))
    scan = settings.scan.model_copy(update={"deadline": timedelta(seconds=1)})
    async with cluster(1) as client:
        with await scan_on(client, settings.selecting(settings.selection, {}, scan=scan)) as whole:
            assert whole.scan.deadline_reached
            assert whole.coverage.targets.planned == 24
            assert whole.coverage.targets.complete == 22
