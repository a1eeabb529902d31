"""A name that is not resolved keeps no other from being resolved."""

import asyncio
import socket
import threading
from typing import Any

import pytest

from scanner.aws.resolver import Resolver


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Names that begin with `dead` are not resolved until the event is set."""
    answer = threading.Event()
    resolve = socket.getaddrinfo

    def getaddrinfo(host: str, *options: Any, **more: Any) -> Any:
        if host.startswith("dead"):
            answer.wait(20)
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return resolve(host, *options, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return answer


async def test_many_names_that_are_not_resolved_hold_up_no_other(silent: threading.Event) -> None:
    """The event loop has a handful of threads for look-ups, and these would take all of them."""
    resolver = Resolver(0.2)
    dead = [asyncio.create_task(resolver.resolve(f"dead-{number}", 443)) for number in range(60)]
    found = await resolver.resolve("localhost", 443)
    assert found[0]["port"] == 443
    failed = await asyncio.gather(*dead, return_exceptions=True)
    silent.set()
    assert all(
        isinstance(error, OSError) and "was not resolved within 0.2 s" in str(error) for error in failed
    )


async def test_a_name_is_looked_up_once_however_many_wait_for_it(silent: threading.Event) -> None:
    resolver = Resolver(0.05)
    before = threading.active_count()
    waiting = [resolver.resolve("dead-region", 443) for _ in range(20)]
    await asyncio.gather(*waiting, return_exceptions=True)
    await asyncio.gather(resolver.resolve("dead-region", 443), return_exceptions=True)
    assert threading.active_count() <= before + 1
    silent.set()


async def test_a_name_that_does_not_exist_is_told_as_such() -> None:
    with pytest.raises(OSError, match=r"nowhere|not known|resolution|resolved"):
        await Resolver(5).resolve("nowhere.invalid", 443)
