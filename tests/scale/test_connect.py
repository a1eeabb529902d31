"""Which schedulers a scan may be given to, and what is told of those that are none."""

import asyncio

import pytest

from scanner.errors import ConfigError
from scanner.scale import check_address, connected


@pytest.mark.parametrize(
    "address", ["tls://scheduler:8786", "tcp://127.0.0.1:8786", "tcp://[::1]:1", "tcp://localhost:8786"]
)
def test_a_scheduler_is_named_by_its_address(address: str) -> None:
    check_address(address)


@pytest.mark.parametrize(
    "address", ["tcp://10.0.0.7:8786", "tcp://scheduler.example.com:8786", "tcp://0.0.0.0:1"]
)
def test_without_encryption_only_this_machine_is_allowed(address: str) -> None:
    with pytest.raises(ConfigError, match="runs code on its workers, with their credentials; use tls://"):
        check_address(address)
    check_address(address, insecure=True)


@pytest.mark.parametrize(
    "address", ["", "scheduler", "scheduler:8786", "http://x:1", "tcp://x", "tcp://u:p@x:1"]
)
def test_what_is_no_address_is_told_with_one_that_is(address: str) -> None:
    with pytest.raises(ConfigError, match="write tls://host:8786"):
        check_address(address, insecure=True)


def test_without_the_extra_the_command_that_installs_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.scale.connect.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r'pip install "sgw-scanner\[dask\]"'):
        check_address("tcp://127.0.0.1:1")


async def test_where_nobody_listens_it_is_told(unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.scale.connect.CONNECT_SECONDS", 0.2)
    with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{unused_tcp_port}: nobody listens there; start"):
        async with connected(f"tcp://127.0.0.1:{unused_tcp_port}"):
            await asyncio.sleep(0)
