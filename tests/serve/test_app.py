"""What a reader is answered: always from the last scan that read something, never by starting one."""

import gzip
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from scanner.inventory.model import Inventory
from scanner.inventory.records import Outcome
from scanner.serve import State, application
from tests.output.fleet import inventory

EVERY = timedelta(minutes=15)


def recent(whole: Inventory) -> Inventory:
    now = datetime.now(UTC)
    return whole.model_copy(update={"scan": whole.scan.model_copy(update={"finished_at": now})})


@pytest.fixture
def state() -> State:
    return State(EVERY)


@pytest.fixture
async def client(state: State) -> AsyncIterator["TestClient[Any, Any]"]:
    async with TestClient(TestServer(application(state, loopback=True)), auto_decompress=False) as client:
        yield client


async def test_before_the_first_scan_everything_but_life_is_503(client: "TestClient[Any, Any]") -> None:
    """It says when to come again."""
    for path in ("/metrics", "/inventory", "/page", "/readyz"):
        answer = await client.get(path)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
    assert (await client.get("/healthz")).status == 200
    assert "has not ended yet" in await (await client.get("/")).text()


async def test_metrics_inventory_and_page_are_those_of_the_last_scan(
    client: "TestClient[Any, Any]", state: State
) -> None:
    whole = recent(inventory())
    await state.take(whole)
    metrics = await (await client.get("/metrics", headers={"Accept-Encoding": ""})).text()
    families = {family.name for family in text_string_to_metric_families(metrics)}
    assert {"sgw_breaches", "sgw_volume_recovery_point_age_seconds"} <= families
    answer = await client.get("/inventory", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(await answer.read())) == json.loads(whole.model_dump_json())
    page = await (await client.get("/page", headers={"Accept-Encoding": ""})).text()
    assert page.startswith("<!doctype html>")
    assert (await client.get("/readyz")).status == 200


async def test_who_has_it_already_is_told_so(client: "TestClient[Any, Any]", state: State) -> None:
    await state.take(recent(inventory()))
    tag = (await client.get("/inventory")).headers["ETag"]
    again = await client.get("/inventory", headers={"If-None-Match": tag})
    assert (again.status, await again.read()) == (304, b"")
    await state.take(recent(inventory(1, 1)))
    assert (await client.get("/inventory", headers={"If-None-Match": tag})).status == 200


async def test_a_scan_that_read_nothing_replaces_none_and_is_marked(
    client: "TestClient[Any, Any]", state: State
) -> None:
    whole = recent(inventory())
    await state.take(whole)
    scan = whole.scan.model_copy(update={"outcome": Outcome.FAILED, "id": "failed"})
    await state.take(whole.model_copy(update={"scan": scan}))
    answer = await client.get("/inventory", headers={"Accept-Encoding": ""})
    assert json.loads(await answer.read())["scan"]["id"] == whole.scan.id
    assert "X-Sgw-Stale-Since" in answer.headers


async def test_an_old_answer_is_served_and_not_ready(client: "TestClient[Any, Any]", state: State) -> None:
    await state.take(inventory())
    assert (await client.get("/metrics")).status == 200
    assert (await client.get("/readyz")).status == 503


async def test_series_of_each_volume_can_be_left_out(client: "TestClient[Any, Any]", state: State) -> None:
    state.each_volume = False
    await state.take(recent(inventory()))
    metrics = await (await client.get("/metrics", headers={"Accept-Encoding": ""})).text()
    assert "sgw_breaches{" in metrics
    assert "volume_id" not in metrics


async def test_only_get_is_answered_and_only_under_a_name_of_this_machine(
    client: "TestClient[Any, Any]",
) -> None:
    """A page on the Internet may have given its own name this machine's address."""
    assert (await client.post("/metrics")).status == 405
    assert (await client.get("/healthz", headers={"Host": "evil.example"})).status == 421
    assert (await client.get("/healthz", headers={"Host": "evil.example:80"})).status == 421
    for name in ("localhost", "localhost:9753", "127.0.0.1:1", "[::1]:1", "[::1]"):
        assert (await client.get("/healthz", headers={"Host": name})).status == 200
