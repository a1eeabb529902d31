"""A scan that is cut into tasks is the scan of one machine, whatever becomes of its workers."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from distributed.client import FutureCancelledError
from distributed.scheduler import KilledWorker

from scanner.config.settings import ScannerConfig
from scanner.errors import ConfigError
from scanner.inventory.model import Inventory
from scanner.inventory.records import FailureKind, Outcome, TargetStatus
from scanner.scale import scan_on, stream_on
from scanner.scale.task import Task
from scanner.scale.worker import Refusal
from tests.engine.simulated import SimulatedService, config, inventory_of
from tests.engine.test_shards import fault
from tests.scale.clusters import Answer, Client, Work, simulated
from tests.virtual import run

REGIONS = ("us-east-1", "eu-west-1")
FLEET: dict[str, Any] = {"gateways": 2, "volumes": 2, "regions": REGIONS, "fault": fault}
SETTINGS = config(12, REGIONS)


def content(whole: Inventory) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(whole.model_dump_json())
    del body["scan"], body["coverage"]["calls"]
    return body


async def scanned(
    client: Client, settings: ScannerConfig = SETTINGS, accounts_per_task: int = 5
) -> Inventory:
    with await scan_on(client, settings, accounts_per_task) as whole:
        return whole.load()


def on(work: Work, settings: ScannerConfig = SETTINGS, **options: Any) -> tuple[Inventory, Client]:
    """Three tasks, in virtual time."""
    client = Client(work, **options)
    whole, _ = run(scanned(client, settings))
    return whole, client


ONE_MACHINE = run(inventory_of(SETTINGS, SimulatedService(**FLEET)))[0]


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_on_however_many_workers_it_is_the_scan_of_one_machine(workers: int) -> None:
    """Two of the accounts cannot be entered, and a gateway here and there fails."""
    whole, client = on(simulated(**FLEET), workers={f"tcp://{n}:1": 1 for n in range(workers)})
    assert content(whole) == content(ONE_MACHINE)
    assert whole.coverage.calls == ONE_MACHINE.coverage.calls
    assert [len(task.accounts) for task in client.tasks] == [5, 5, 2]
    assert client.under_way == 0


def failing(error: Exception, *, times: int = 9) -> Work:
    """Workers that lose the second task so many times."""
    scan = simulated(**FLEET)

    async def work(task: Task, nth: int) -> Answer:
        if task.number == 2 and nth <= times:
            await anyio.sleep(1)
            raise error
        return await scan(task, nth)

    return work


LOST = FutureCancelledError("key", "lost connection to the scheduler")


def test_a_task_that_is_lost_is_done_anew_and_counts_once() -> None:
    whole, client = on(failing(LOST, times=2))
    assert content(whole) == content(ONE_MACHINE)
    assert [task.number for task in client.tasks].count(2) == 3


WORKER: Any = SimpleNamespace(address="tcp://one:1")


@pytest.mark.parametrize(
    "error, tries", [(LOST, 3), (OSError("no route"), 3), (KilledWorker("key", WORKER, 3), 1)]
)
def test_a_task_that_is_lost_for_good_fails_and_is_no_hole(error: Exception, tries: int) -> None:
    whole, client = on(failing(error))
    assert [task.number for task in client.tasks].count(2) == tries
    assert whole.coverage.targets.planned == 24
    lost = [target for target in whole.targets if target.status is TargetStatus.FAILED]
    told = [failure for failure in whole.failures if failure.operation == "Task"]
    assert {failure.account_id for failure in told} == {f"{number:012d}" for number in range(6, 11)}
    assert {failure.kind for failure in told} == {FailureKind.NETWORK}
    assert all(failure.remedy for failure in told)
    assert len(lost) == 10 + 2
    assert whole.scan.outcome is Outcome.PARTIAL


def test_a_defect_of_a_worker_is_no_lost_task() -> None:
    with pytest.raises(BaseExceptionGroup) as raised:
        on(failing(KeyError("a defect")))
    assert raised.group_contains(KeyError)


def test_a_refusal_is_told_with_its_remedy_once_nobody_else_took_the_task() -> None:
    async def refuse(task: Task, nth: int) -> Answer:
        return Refusal(FailureKind.INVALID_REQUEST, "the worker has sgw-scanner 0.0.9", "install another")

    whole, client = on(refuse)
    assert len(client.tasks) == 9
    assert {(failure.kind, failure.remedy) for failure in whole.failures} == {
        (FailureKind.INVALID_REQUEST, "install another")
    }
    assert whole.scan.outcome is Outcome.FAILED


def test_the_calls_in_flight_are_shared_out_among_the_workers() -> None:
    _, client = on(simulated(**FLEET), config(12, REGIONS, max_concurrency=7), workers={"a": 2, "b": 1})
    assert {task.slots for task in client.tasks} == {2}
    assert client.most_slots <= 7
    _, client = on(simulated(**FLEET), config(12, REGIONS, max_concurrency=2), workers={"a": 4})
    assert client.most_slots <= 2


def stuck(task: Task, nth: int) -> Any:
    return anyio.sleep(10**6)


def test_at_the_deadline_what_is_unfinished_fails_and_workers_know_how_long_they_have() -> None:
    whole, client = on(stuck, config(12, REGIONS, deadline="60s"))
    assert [task.deadline for task in client.tasks] == [pytest.approx(60, abs=0.1)] * 2
    assert {failure.kind for failure in whole.failures} == {FailureKind.DEADLINE}
    assert whole.scan.deadline_reached
    assert whole.coverage.targets.failed == 24
    assert not client.interrupted


def test_a_signal_ends_the_tasks_of_all_workers_in_order() -> None:
    """What they have read by then is in the inventory; the rest is interrupted."""
    scan = simulated(**FLEET)
    client = Client(lambda task, nth: scan(task, nth) if task.number == 1 else stuck(task, nth))

    async def interrupted() -> Inventory:
        async with stream_on(client, SETTINGS, 5, "scan-1") as events:
            async for _ in events:
                asyncio.get_running_loop().call_later(30, events.interrupt)
            with events.inventory() as whole:
                return whole.load()

    whole, seconds = run(interrupted())
    assert client.interrupted[0] == "scan-1"
    assert seconds < 60
    assert whole.scan.interrupted
    assert whole.coverage.targets.planned == 24
    assert (whole.coverage.targets.complete, whole.coverage.targets.partial) == (6, 2)
    assert {f.kind for f in whole.failures if f.operation == "Task"} == {FailureKind.INTERRUPTED}


def test_leaving_early_ends_what_the_workers_do() -> None:
    client = Client(stuck)

    async def leave() -> None:
        async with stream_on(client, SETTINGS, 5, "scan-1"):
            await anyio.sleep(1)

    run(leave())
    assert client.interrupted == ["scan-1"]
    assert client.under_way == 0


def test_a_scan_whose_workers_are_all_gone_does_not_wait_for_ever() -> None:
    client = Client(stuck)

    async def lose_all() -> Inventory:
        asyncio.get_running_loop().call_later(5, client.workers.clear)
        return await scanned(client)

    whole, seconds = run(lose_all())
    assert 60 < seconds < 120
    assert {failure.message for failure in whole.failures} == {"no worker is left"}


def test_a_worker_with_another_version_or_none_is_refused_by_name_before_any_call() -> None:
    for version, told in ("0.0.9", "0.0.9 instead of"), (ImportError("scanner"), "none that works"):
        client = Client(stuck, versions={"tcp://10.0.0.7:4000": version})
        with pytest.raises(ConfigError, match=rf"10\.0\.0\.7:4000 has another sgw-scanner .* {told}"):
            run(scanned(client))
        assert not client.tasks


def test_a_cluster_without_workers_is_told() -> None:
    with pytest.raises(ConfigError, match="has no workers; start some"):
        run(scanned(Client(stuck, workers={})))


def test_a_client_that_blocks_is_refused() -> None:
    with pytest.raises(TypeError, match="asynchronous=True"):
        run(scanned(Client(stuck, asynchronous=False)))
