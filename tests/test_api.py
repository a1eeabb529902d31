"""The library inside somebody else's event loop."""

import asyncio
import gc
import time
import warnings
from pathlib import Path

import pytest

import scanner
from scanner import Inventory, Scanner, ScannerConfig
from scanner.config.settings import CredentialSettings
from scanner.emulator import Emulator, Fault, Fleet, Key
from scanner.errors import ScannerError
from scanner.inventory.collect import Collector
from scanner.inventory.events import ScanEnded, ScanStarted
from tests.cli.conftest import TWO, fleet, place

__all__ = ["place"]
EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"


@pytest.fixture
def sgw_fleet() -> Fleet:
    return fleet()


@pytest.fixture
def config(place: Path) -> ScannerConfig:
    return ScannerConfig.load(place / "scanner.toml")


def test_every_public_name_exists() -> None:
    for name in scanner.__all__:
        assert getattr(scanner, name) is not None
    with pytest.raises(AttributeError, match="Scaner"):
        _ = scanner.Scaner


async def test_a_scan_is_an_inventory(config: ScannerConfig) -> None:
    async with Scanner(config) as scanning:
        inventory = await scanning.scan()
    assert isinstance(inventory, Inventory)
    assert inventory.coverage.volumes.known == 3


async def test_a_stream_folds_to_the_same_inventory(config: ScannerConfig) -> None:
    collector, kinds = Collector(), []
    async with Scanner(config) as scanning:
        async with scanning.stream() as events:
            async for event in events:
                collector.add(event)
                kinds.append(type(event))
        whole = await scanning.scan()
    assert kinds[0] is ScanStarted
    assert kinds[-1] is ScanEnded
    assert collector.inventory().targets == whole.targets
    assert [volume.arn for volume in collector.inventory().volumes] == [
        volume.arn for volume in whole.volumes
    ]


async def test_a_scan_may_be_interrupted_in_order(config: ScannerConfig, sgw_emulator: Emulator) -> None:
    sgw_emulator.faults.add(Fault("hang", account=TWO))
    collector = Collector()
    async with Scanner(config) as scanning, scanning.stream() as events:
        async for event in events:
            collector.add(event)
            if isinstance(event, ScanStarted):
                asyncio.get_running_loop().call_later(1, events.interrupt)
    inventory = collector.inventory()
    assert inventory.scan.interrupted
    assert {failure.kind.value for failure in inventory.failures} == {"interrupted"}


async def test_two_scans_at_once_share_the_limits_and_the_credentials(
    config: ScannerConfig, sgw_emulator: Emulator
) -> None:
    async with Scanner(config) as scanning:
        one, two = await asyncio.gather(scanning.scan(), scanning.scan())
    assert one.targets == two.targets
    assumed = sum(count for key, count in sgw_emulator.requests.items() if key[1] == "AssumeRole")
    assert assumed == 2


async def test_a_reader_that_leaves_early_ends_the_scan(config: ScannerConfig) -> None:
    async with Scanner(config) as scanning:
        async with scanning.stream() as events:
            async for _ in events:
                break
        assert len(asyncio.all_tasks()) == 1


async def test_cancelling_takes_less_than_a_second_and_leaves_nothing(
    config: ScannerConfig, sgw_emulator: Emulator
) -> None:
    sgw_emulator.faults.add(Fault("hang"))
    asyncio.get_running_loop().set_debug(True)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        async with Scanner(config) as scanning:
            task = asyncio.create_task(scanning.scan())
            await asyncio.sleep(0.5)
            began = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - began < 1
            assert len(asyncio.all_tasks()) == 1
        gc.collect()


async def test_an_error_of_the_readers_own_comes_out_as_it_is(config: ScannerConfig) -> None:
    """So that the caller's `except` finds it."""
    async with Scanner(config) as scanning:
        with pytest.raises(ZeroDivisionError):
            async with scanning.stream() as events:
                async for _ in events:
                    raise ZeroDivisionError
        assert len(asyncio.all_tasks()) == 1


async def test_leaving_a_scanner_ends_the_streams_that_nobody_left(
    config: ScannerConfig, sgw_emulator: Emulator
) -> None:
    sgw_emulator.faults.add(Fault("hang"))
    async with Scanner(config) as scanning:
        stream = scanning.stream()
        await stream.__aenter__()
        assert len(asyncio.all_tasks()) == 2
    assert len(asyncio.all_tasks()) == 1


async def test_outside_of_its_block_a_scanner_says_what_to_do() -> None:
    with pytest.raises(RuntimeError, match="async with Scanner"):
        await Scanner().scan()


async def test_session_tags_go_with_every_role(
    config: ScannerConfig, sgw_fleet: Fleet, sgw_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only who may tag sessions gets in with tags, so they were sent."""
    assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    sgw_fleet.accounts[0].keys.append(Key("AKIAEXAMPLE", "secret", policy=(assume,)))
    sgw_emulator.refresh()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    tagged = config.model_copy(update={"credentials": CredentialSettings(session_tags={"team": "storage"})})
    for asked, outcome in ((config, "complete"), (tagged, "failed")):
        async with Scanner(asked) as scanning:
            inventory = await scanning.scan()
        assert inventory.scan.outcome.value == outcome
    assert all("sts:TagSession" in failure.message for failure in inventory.failures)


async def test_leaving_a_scanner_ends_its_scans_and_says_so(config: ScannerConfig) -> None:
    """No session is left behind, and nothing is told as a failure of the network."""
    scanning = Scanner(config)
    await scanning.__aenter__()
    scan = asyncio.create_task(scanning.scan())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await scanning.__aexit__(None, None, None)
    with pytest.raises(ScannerError, match="was left while it scanned"):
        await scan


async def test_a_check_that_is_cancelled_ends_as_a_cancellation(
    config: ScannerConfig, sgw_emulator: Emulator
) -> None:
    """The Scanner was not left, and is not said to have been."""
    sgw_emulator.faults.add(Fault("hang"))
    async with Scanner(config) as scanning:
        check = asyncio.create_task(scanning.check())
        await asyncio.sleep(0.1)
        check.cancel()
        with pytest.raises(asyncio.CancelledError):
            await check


async def test_a_reader_hears_that_the_scanner_was_left_and_takes_it_for_no_end(
    config: ScannerConfig, sgw_emulator: Emulator
) -> None:
    sgw_emulator.faults.add(Fault("hang"))
    scanning = Scanner(config)
    await scanning.__aenter__()
    async with scanning.stream() as events:
        await anext(events)
        reading = asyncio.create_task(anext(events))
        await asyncio.sleep(0)
        await scanning.__aexit__(None, None, None)
        with pytest.raises(ScannerError, match="was left while it scanned"):
            await reading
        with pytest.raises(ScannerError, match="was left while it scanned"):
            await anext(events)


async def test_a_scanner_that_is_open_is_not_opened_again() -> None:
    async with Scanner() as scanning:
        with pytest.raises(RuntimeError, match="is open already"):
            await scanning.__aenter__()


def test_a_scanner_belongs_to_the_loop_that_entered_it(config: ScannerConfig) -> None:
    """Its connections do: in another loop they would hang, or break in the middle of a call."""
    scanning = Scanner(config)
    with asyncio.Runner() as runner:
        runner.run(scanning.__aenter__())
        with asyncio.Runner() as other, pytest.raises(RuntimeError, match="belongs to another event loop"):
            other.run(scanning.scan())
        assert runner.run(scanning.scan()).coverage.volumes.known == 3
        runner.run(scanning.__aexit__(None, None, None))


def test_without_asyncio_the_error_says_what_is_needed() -> None:
    opening = Scanner().__aenter__()
    with pytest.raises(RuntimeError, match="needs asyncio"):
        opening.send(None)
