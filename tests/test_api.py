"""The library inside somebody else's event loop."""

import asyncio
import gc
import importlib.util
import time
import warnings
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from starlette.requests import ClientDisconnect

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


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_the_script_of_the_examples_prints_what_it_promises(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inventory = await example("script").main(str(place / "scanner.toml"))
    assert inventory.coverage.volumes.known == 3
    assert "3 volumes of 3 gateways; scan complete" in capsys.readouterr().out


async def test_the_service_of_the_examples_answers(place: Path) -> None:
    app = example("service").app
    transport = httpx.ASGITransport(app=app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport) as client:
        found = Inventory.model_validate_json((await client.get("http://service/inventory")).content)
        assert found.coverage.volumes.known == 3
        assert (await client.get("http://service/events")).text.splitlines()[-1] == "ScanEnded"


@pytest.mark.parametrize("version", ["2.3", "2.4"])
async def test_a_client_that_goes_away_ends_the_scan_of_the_service(
    version: str, place: Path, sgw_emulator: Emulator
) -> None:
    """However its server tells of it: by a message, or by refusing to send (ASGI 2.4)."""
    sgw_emulator.faults.add(Fault("hang", operation="ListVolumeRecoveryPoints"))
    app = example("service").app
    gone = asyncio.Event()

    async def receive() -> dict[str, object]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, object]) -> None:
        if b"GatewaysListed" in bytes(message.get("body", b"")):  # type: ignore[call-overload]
            gone.set()
        if gone.is_set() and version == "2.4":
            raise OSError("the client has gone away")

    scope: dict[str, object] = {"type": "http", "asgi": {"spec_version": version}, "method": "GET"}
    scope |= {"path": "/events", "query_string": b"", "headers": [], "http_version": "1.1"}
    async with app.router.lifespan_context(app):
        try:
            await asyncio.wait_for(app(scope, receive, send), 5)
        except ClientDisconnect:
            assert version == "2.4"
        gc.collect()
        left = [task for task in asyncio.all_tasks() if task.get_name() == "sgw-scanner scan"]
        assert not left or not (await asyncio.wait(left, timeout=1))[1]


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


def test_without_asyncio_the_error_says_what_is_needed() -> None:
    opening = Scanner().__aenter__()
    with pytest.raises(RuntimeError, match="needs asyncio"):
        opening.send(None)
