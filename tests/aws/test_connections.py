"""Connections: what the clients of a Scanner share, and what they must not."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web

from scanner.aws.connections import Connections
from scanner.aws.text import LONGEST_MESSAGE
from scanner.emulator import Emulator
from scanner.inventory.records import FailureKind

from .scans import account, config, fleet, scan, shown


async def _connections() -> Connections:
    return Connections(connect_timeout=1.0, read_timeout=1.0, limit=4)


async def test_a_bundle_of_certificates_is_read_once_for_all_regions() -> None:
    connections = await _connections()
    assert connections.context(None, None) is connections.context(None, None)


async def test_two_scanners_read_their_own_so_that_a_renewed_bundle_is_seen() -> None:
    assert (await _connections()).context(None, None) is not (await _connections()).context(None, None)


async def test_every_context_verifies_certificates_and_host_names() -> None:
    """The SDK's own context leaves the host name to others, and there are none."""
    context = (await _connections()).context(None, None)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.get_ca_certs()


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
