"""An emulator in a thread, beside the caller's own code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..fleets.fleet import Fleet
from .emulator import Emulator

# Seconds; a thread that takes longer is stuck.
_PATIENCE = 30


@contextmanager
def background(fleet: Fleet | None = None, **options: Any) -> Iterator[Emulator]:
    """An emulator in a thread of its own, for code that blocks; options are those of `Emulator`."""
    emulator = Emulator(fleet, **options)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="sgw-emulator", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(emulator.start(), loop).result(_PATIENCE)
        yield emulator
    finally:
        asyncio.run_coroutine_threadsafe(_end(emulator), loop).result(_PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_PATIENCE)
        loop.close()


async def _end(emulator: Emulator) -> None:
    await emulator.stop()
    # Responses that hang would outlive their loop, and Python warn of each.
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
