"""The server: it listens where it is told, ends in order, and takes a new configuration."""

import asyncio
import os
import signal
from datetime import timedelta

import pytest
from aiohttp import ClientSession

from scanner import ScannerConfig
from scanner.config import CredentialSettings
from scanner.emulator import Emulator
from scanner.errors import ConfigError
from scanner.serve import Address, State, serve
from tests.aws.scans import account, config, environment, fleet, gateway

HERE = Address("127.0.0.1", 0)


@pytest.mark.parametrize(
    ("text", "host", "port", "loopback"),
    [
        ("127.0.0.1:9753", "127.0.0.1", 9753, True),
        (":80", "127.0.0.1", 80, True),
        ("localhost:1", "localhost", 1, True),
        ("[::1]:1", "::1", 1, True),
        ("0.0.0.0:1", "0.0.0.0", 1, False),
        ("[::]:1", "::", 1, False),
        ("scanner.example:1", "scanner.example", 1, False),
    ],
)
def test_an_address_says_whether_others_reach_it(text: str, host: str, port: int, loopback: bool) -> None:
    address = Address.parse(text)
    assert (address.host, address.port, address.loopback) == (host, port, loopback)


@pytest.mark.parametrize("text", ["", "9753", "host", "host:", "host:x", "host:70000", "::1:80", "[::1]"])
def test_what_is_no_address_is_told_with_its_remedy(text: str) -> None:
    with pytest.raises(ConfigError, match="write it like"):
        Address.parse(text)


async def test_it_scans_answers_reloads_and_ends_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGHUP with a bad configuration leaves the old one; with a good one it scans anew. SIGTERM ends it."""
    async with Emulator(fleet(gateway(1))) as emulator:
        environment(emulator, monkeypatch)
        settings, asked = config(account()), list[str]()
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def reload() -> ScannerConfig:
            asked.append("reload")
            if len(asked) == 1:
                raise ConfigError("scanner.toml: is broken")
            return settings

        state = State(timedelta(hours=1))
        serving = asyncio.create_task(serve(settings, state, HERE, reload=reload, ready=port.set_result))
        base = f"http://127.0.0.1:{await port}"
        async with ClientSession() as session:

            async def scanned() -> str:
                while True:
                    async with session.get(f"{base}/inventory") as answer:
                        if answer.status == 200:
                            found: str = (await answer.json())["scan"]["id"]
                            return found
                    await asyncio.sleep(0.01)

            first = await scanned()
            os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.sleep(0.05)
            assert (asked, await scanned()) == (["reload"], first)
            os.kill(os.getpid(), signal.SIGHUP)
            while await scanned() == first:  # noqa: ASYNC110 - as a client would have to
                await asyncio.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(serving, 5)


async def test_a_new_configuration_that_is_none_to_scan_with_is_refused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It reads well, and names a profile that does not exist: the old one scans on."""
    async with Emulator(fleet(gateway(1))) as emulator:
        environment(emulator, monkeypatch)
        settings = config(account())
        missing = settings.model_copy(update={"credentials": CredentialSettings(profile="nowhere")})
        scans: asyncio.Queue[str] = asyncio.Queue()
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(
            serve(
                settings,
                State(timedelta(hours=1)),
                HERE,
                reload=lambda: missing,
                ready=port.set_result,
                told=lambda inventory: scans.put_nowait(inventory.scan.outcome.value),
            )
        )
        assert await scans.get() == "complete"
        os.kill(os.getpid(), signal.SIGHUP)
        assert await scans.get() == "complete"
        assert "the new configuration is refused, the old one stays" in caplog.text
        assert "nowhere" in caplog.text
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(serving, 5)


async def test_a_port_that_is_taken_is_an_error_with_its_remedy() -> None:
    async with await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0) as taken:
        address = Address("127.0.0.1", taken.sockets[0].getsockname()[1])
        with pytest.raises(ConfigError, match="choose another port"):
            await serve(ScannerConfig(), State(timedelta(hours=1)), address)
