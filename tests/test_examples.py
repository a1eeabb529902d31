"""The examples of the documents, run as a user would run them."""

import asyncio
import gc
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from aiohttp.test_utils import TestClient, TestServer
from starlette.requests import ClientDisconnect

from scanner import Inventory
from scanner.emulator import Emulator, Fault, Fleet
from tests.cli.conftest import fleet, place

__all__ = ["place"]
EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"


@pytest.fixture
def sgw_fleet() -> Fleet:
    return fleet()


@pytest.fixture(autouse=True)
def configured(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SGW_SCANNER_CONFIG", str(place / "scanner.toml"))


def scans() -> "set[asyncio.Task[Any]]":
    return {task for task in asyncio.all_tasks() if task.get_name() == "sgw-scanner scan"}


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
    """503 with Retry-After before the first scan, the last one afterwards."""
    app = example("service").app
    transport = httpx.ASGITransport(app=app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport) as client:
        answer = await client.get("http://service/inventory")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
        while app.state.inventory is None:  # noqa: ASYNC110 - as a client would have to
            await asyncio.sleep(0.01)
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
        while not (watching := scans()):  # noqa: ASYNC110 - it is the scan of the lifespan
            await asyncio.sleep(0)
        try:
            await asyncio.wait_for(app(scope, receive, send), 5)
        except ClientDisconnect:
            assert version == "2.4"
        gc.collect()
        left = scans() - watching
        assert not left or not (await asyncio.wait(left, timeout=1))[1]


async def test_the_aiohttp_service_answers_below_its_path(place: Path) -> None:
    async with TestClient(TestServer(example("aiohttp_service").service())) as client:
        assert (await client.get("/backups/healthz")).status == 200
        while (answer := await client.get("/backups/inventory")).status == 503:
            await answer.read()
            await asyncio.sleep(0.01)
        assert Inventory.model_validate_json(await answer.read()).coverage.volumes.known == 3
    assert not scans()


async def test_the_plain_service_acts_on_what_needs_action(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SGW_SCANNER_POLICY__RPO", "1s")
    service = asyncio.create_task(example("plain_service").main())
    told = ""
    while "act on arn:aws:storagegateway:" not in told:
        await asyncio.sleep(0.01)
        told += capsys.readouterr().out
    service.cancel()
    with pytest.raises(asyncio.CancelledError):
        await service
    assert not scans()


class Remaining:
    """Lambda's context: so much time is left."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)


@pytest.fixture
def handler() -> Iterator[ModuleType]:
    module = example("lambda_handler")
    yield module
    for scanning in module.SCANNERS:
        module.LOOP.run_until_complete(scanning.__aexit__(None, None, None))
    module.LOOP.close()


def test_the_lambda_keeps_its_scanner_and_renews_what_expired_while_it_was_frozen(
    handler: ModuleType, place: Path, sgw_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = place / "inventory.json"
    monkeypatch.setenv("INVENTORY", str(where))
    assert handler.handler({}, Remaining(60)) == {"outcome": "complete", "need_action": 0, "known": 3}
    assert Inventory.read(str(where)).coverage.volumes.known == 3
    assumed = assumptions(sgw_emulator)
    # While it was frozen, every session came to its end.
    sgw_emulator.faults.add(Fault("expired_token", operation="ListGateways", times=1))
    assert handler.handler({}, Remaining(60))["outcome"] == "complete"
    assert len(handler.SCANNERS) == 1
    assert assumptions(sgw_emulator) > assumed


def test_the_lambda_ends_its_scan_in_order_before_its_time_is_up(
    handler: ModuleType, place: Path, sgw_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "MARGIN", 0.0)
    sgw_emulator.faults.add(Fault("hang", operation="ListVolumeRecoveryPoints"))
    where = place / "inventory.json"
    monkeypatch.setenv("INVENTORY", str(where))
    assert handler.handler({}, Remaining(0.3))["outcome"] != "complete"
    whole = Inventory.read(str(where))
    assert whole.scan.interrupted
    assert {failure.kind.value for failure in whole.failures} == {"interrupted"}


def assumptions(emulator: Emulator) -> int:
    return sum(count for key, count in emulator.requests.items() if key[1] == "AssumeRole")
