"""Gives any test suite the fixture `sgw_emulator`: the embedded service with the demo fleet."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from scanner.emulator import Emulator, Fleet


@pytest.fixture
def sgw_fleet() -> Fleet:
    """The fleet that `sgw_emulator` serves; override this fixture to serve your own."""
    from scanner.emulator import Fleet

    return Fleet.demo()


@pytest.fixture
def sgw_emulator(sgw_fleet: Fleet) -> Iterator[Emulator]:
    """A running emulator, for tests with or without an event loop of their own."""
    # A loop in a thread, so that blocking clients may be used from the test itself.
    from scanner.emulator import Emulator

    emulator = Emulator(sgw_fleet)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="sgw-emulator", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(emulator.start(), loop).result(30)
        yield emulator
    finally:
        asyncio.run_coroutine_threadsafe(emulator.stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()
