"""Connections to the server are bounded, and none is held by a reader that asks nothing."""

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest
from aiohttp import web

from scanner.serve import State, application
from scanner.serve.connections import MOST, Connections, most_connections


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Of a server that takes two connections at once."""
    connections = Connections(2)
    app = application(State(timedelta(minutes=15)), loopback=True)
    app.middlewares.insert(0, connections.note)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    made = runner.server
    assert made
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: connections.protocol(made), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await runner.cleanup()


async def opened(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return reader, writer


async def closed(writer: asyncio.StreamWriter) -> None:
    """Closes a connection, whatever its other end has done to it."""
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def test_one_connection_too_many_is_told_to_come_again(port: int) -> None:
    """And gets in once another has gone."""
    held = [await opened(port) for _ in range(2)]
    for reader, _ in held:
        assert (await reader.readline()).split()[1] == b"200"
    reader, writer = await opened(port)
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 1" in answer
    await closed(writer)
    await closed(held.pop()[1])
    while True:
        reader, writer = await opened(port)
        status = (await reader.readline()).split()[1]
        await closed(writer)
        if status == b"200":
            break
    await closed(held.pop()[1])


async def test_a_connection_that_asks_nothing_is_closed(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.serve.connections.IDLE", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await asyncio.wait_for(reader.read(), 5) == b""
    await closed(writer)


@pytest.mark.parametrize(
    ("files", "most"), [(256, 64), (1 << 20, MOST), (resource.RLIM_INFINITY, MOST), (2, 1)]
)
def test_connections_leave_the_scan_its_files(files: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    assert most_connections() == most
