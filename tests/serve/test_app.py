"""What a reader is answered: always from the last scan that read something, never by starting one."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from scanner.inventory.model import Inventory
from scanner.inventory.records import Outcome
from scanner.serve import State, application
from scanner.serve.app import accepts_gzip
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
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await client.get("/inventory", headers={"If-None-Match": known})
        assert (again.status, await again.read()) == (304, b"")
    await state.take(recent(inventory(1, 1)))
    assert (await client.get("/inventory", headers={"If-None-Match": tag})).status == 200


async def test_the_two_encodings_of_an_answer_have_tags_of_their_own(
    client: "TestClient[Any, Any]", state: State
) -> None:
    """A cache in between must not take one for the other; a reader may come back with either."""
    await state.take(recent(inventory()))
    plain, compressed = [
        (await client.get("/metrics", headers={"Accept-Encoding": encoding})).headers["ETag"]
        for encoding in ("", "gzip")
    ]
    assert plain != compressed
    headers = {"Accept-Encoding": "gzip", "If-None-Match": plain}
    assert (await client.get("/metrics", headers=headers)).status == 304


@pytest.mark.parametrize(
    ("header", "compressed"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP;q=0.5", True),
        ("deflate, gzip", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("identity", False),
        ("x-gzipped", False),
    ],
)
def test_an_answer_is_compressed_where_the_reader_takes_it(header: str, compressed: bool) -> None:
    assert accepts_gzip(header) is compressed


async def test_head_is_answered_with_the_length_and_without_the_body(
    client: "TestClient[Any, Any]", state: State
) -> None:
    await state.take(recent(inventory()))
    whole = await (await client.get("/page", headers={"Accept-Encoding": ""})).read()
    answer = await client.head("/page", headers={"Accept-Encoding": ""})
    assert (answer.headers["Content-Length"], await answer.read()) == (str(len(whole)), b"")


async def test_a_first_scan_that_read_nothing_is_served_and_not_ready(
    client: "TestClient[Any, Any]", state: State
) -> None:
    """Its failures say why; there is nothing better to serve."""
    whole = recent(inventory())
    scan = whole.scan.model_copy(update={"outcome": Outcome.FAILED})
    await state.take(whole.model_copy(update={"scan": scan}))
    assert (await client.get("/inventory")).status == 200
    ready = await client.get("/readyz")
    assert (ready.status, await ready.text()) == (503, "no scan has read anything yet\n")


async def test_a_reader_that_takes_nothing_is_let_go(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.serve.app.SLOWEST", 0.1)
    await state.take(recent(inventory()))
    assert state.last
    large = replace(state.last.documents["/inventory"], plain=bytes(64 << 20))
    state.last = replace(state.last, documents={"/inventory": large})
    async with TestServer(application(state, loopback=True)) as server:
        assert server.port
        _, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1 << 10)
        writer.write(b"GET /inventory HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert server.handler
        while not server.handler.connections:  # noqa: ASYNC110 - aiohttp tells nobody
            await asyncio.sleep(0)
        while server.handler.connections:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()


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
