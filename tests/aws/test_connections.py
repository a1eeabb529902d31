"""Connections: what the clients of a Scanner share, and what they must not."""

import asyncio
import resource
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import anyio
import pytest
from aiohttp import web
from botocore.httpsession import get_cert_path

from scanner.aws.connections import (
    FILES_LEFT,
    SPARE_CONNECTIONS,
    Connections,
    Route,
    Trust,
    _open,
    most_connections,
)
from scanner.aws.text import LONGEST_MESSAGE
from scanner.emulator import Emulator
from scanner.inventory.records import FailureKind

from .scans import account, config, fleet, scan, shown


async def _connections() -> Connections:
    return Connections(connect_timeout=1.0, read_timeout=1.0, limit=4)


async def test_a_bundle_of_certificates_is_read_once_for_all_regions() -> None:
    connections = await _connections()
    assert connections.context(Trust()) is connections.context(Trust())


async def test_two_scanners_read_their_own_so_that_a_renewed_bundle_is_seen() -> None:
    assert (await _connections()).context(Trust()) is not (await _connections()).context(Trust())


async def test_every_context_verifies_certificates_and_host_names() -> None:
    """The SDK's own context leaves the host name to others, and there are none."""
    context = (await _connections()).context(Trust())
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.get_ca_certs()


@asynccontextmanager
async def _listening(answer: bytes) -> AsyncIterator[tuple[str, list[asyncio.Task[None]]]]:
    """A server that says `answer` once and then waits until it is left; its URL, and a task for each connection."""
    heard: list[asyncio.Task[None]] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(asyncio.current_task())  # type: ignore[arg-type]
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heard
        async with asyncio.timeout(10):
            await asyncio.gather(*heard)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\n\r\n"])
async def test_a_proxy_that_swallows_a_connection_is_left_after_the_time_for_connecting(
    answer: bytes,
) -> None:
    """Whether it never answers CONNECT, or nobody behind it ever shows a certificate."""
    connections = Connections(connect_timeout=0.2, read_timeout=60, limit=1)
    async with _listening(answer) as (proxy, heard):
        with pytest.raises(aiohttp.ConnectionTimeoutError):
            async with asyncio.timeout(10):
                await connections.send("GET", "https://nobody.example/", {}, None, Route(proxy=proxy))
        assert len(heard) == 1
        await connections.close()


TRUSTS = [Trust(), Trust(bundle=get_cert_path(True)), Trust(proxy_bundle=get_cert_path(True))]


async def test_one_limit_holds_for_all_ways_to_trust_idle_connections_included(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A profile with a bundle of its own must not double the open files of a scan."""
    counts = []

    async def answer(request: web.BaseRequest) -> web.Response:
        counts.append(sum(map(_count, pools)))
        return web.Response()

    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    pools: list[aiohttp.TCPConnector] = []
    make = aiohttp.TCPConnector.__init__

    def note(self: aiohttp.TCPConnector, **options: Any) -> None:
        pools.append(self)
        make(self, **options)

    monkeypatch.setattr(aiohttp.TCPConnector, "__init__", note)
    connections = Connections(connect_timeout=5, read_timeout=5, limit=2)
    asked = [connections.send("GET", url, {}, None, Route(trust)) for trust in TRUSTS * 5]
    assert {reply.status for reply in await asyncio.gather(*asked)} == {200}
    await connections.close()
    await runner.cleanup()
    assert max(counts) == 2


def _count(connector: aiohttp.TCPConnector) -> int:
    return len(connector._acquired) + sum(map(len, connector._conns.values()))


def pool(limit: int) -> Connections:
    return Connections(connect_timeout=1, read_timeout=1, limit=limit)


async def test_all_pools_of_a_process_stay_within_its_limit_of_open_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those of uploads, of alerts and of other Scanners count, too, until they are closed."""
    taken = sum(each.limit for each in _open)
    files = taken + FILES_LEFT + 100
    monkeypatch.setattr("resource.getrlimit", lambda _: (files, files))
    first = pool(most_connections(64) + SPARE_CONNECTIONS)
    second = pool(most_connections(64) + SPARE_CONNECTIONS)
    assert (first.limit, second.limit) == (68, 32)
    assert most_connections(64) == 1
    # Nobody is left without any: what is left for files bears a few.
    third = pool(5)
    assert third.limit == 1
    await first.close()
    assert most_connections(64) == 67 - SPARE_CONNECTIONS
    await asyncio.gather(second.close(), third.close())


def test_without_a_limit_of_open_files_the_wish_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    none = resource.RLIM_INFINITY
    monkeypatch.setattr("resource.getrlimit", lambda _: (none, none))
    assert (most_connections(64), pool(5).limit) == (64, 5)


@pytest.mark.parametrize("way", ["scope", "task"])
async def test_whoever_is_cancelled_while_closing_leaves_no_connection_behind(way: str) -> None:
    """Whoever was trusted on the way to it."""
    connections = await _connections()
    async with _listening(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (url, heard):
        for trust in TRUSTS:
            await connections.send("GET", url, {}, None, Route(trust))
        closing = asyncio.create_task(_close(connections, cancelled=way == "scope"))
        if way == "task":
            await asyncio.sleep(0)
            closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        assert len(heard) == 3


async def _close(connections: Connections, *, cancelled: bool) -> None:
    with anyio.CancelScope() as scope:
        if cancelled:
            scope.cancel()
        await connections.close()


@asynccontextmanager
async def serving(
    answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    """Storage Gateway as `answer` has it."""
    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_STORAGE_GATEWAY", f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        yield
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_no_redirect_is_followed_so_that_no_other_host_sees_a_token(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is what it would answer taken for the service's."""
    seen: list[str] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        seen.append(request.path)
        if request.path == "/elsewhere":
            return web.json_response({"Gateways": []})
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    async with serving(answer, monkeypatch), Emulator(fleet()) as emulator:
        found = await scan(emulator, monkeypatch, config(account()))
    assert [failure.kind for failure in found.failures] == [FailureKind.INVALID_RESPONSE]
    assert set(seen) == {"/"}


async def test_an_answer_without_end_is_left_before_it_fills_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.aws.connections.LONGEST_BODY", 1 << 20)

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        endless = web.StreamResponse()
        await endless.prepare(request)
        with suppress(ConnectionError):
            while True:
                await endless.write(b" " * 65536)
        return endless

    async with serving(answer, monkeypatch), Emulator(fleet()) as emulator:
        found = await scan(emulator, monkeypatch, config(account()))
    (failure,) = found.failures
    assert failure.kind is FailureKind.INVALID_RESPONSE
    assert "longer than 1 MiB" in shown(failure)


@pytest.mark.parametrize("before", [0, LONGEST_MESSAGE - 120])
async def test_a_service_that_quotes_what_was_signed_makes_no_secret_known(
    monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    """Nor the first half of one, where its message is too long to be kept whole."""

    async def answer(request: web.BaseRequest) -> web.Response:
        token = request.headers["X-Amz-Security-Token"]
        quoted = f"{'x' * before}The canonical string should have been x-amz-security-token:{token}"
        body = {"__type": "SignatureDoesNotMatch", "message": quoted}
        return web.json_response(body, status=403)

    async with serving(answer, monkeypatch), Emulator(fleet()) as emulator:
        found = await scan(emulator, monkeypatch, config(account()))
    (failure,) = found.failures
    assert failure.message.endswith("x-amz-security-token:[hidden]")
