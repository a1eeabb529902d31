"""Emulators beside the caller's own code: in a thread, or in a process of their own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from .control import PREFIX
from .fleet import Fleet
from .server import Emulator, environment


@contextmanager
def background(fleet: Fleet | None = None, **options: Any) -> Iterator[Emulator]:
    """An emulator in a thread of its own, for code that blocks; options are those of `Emulator`."""
    emulator = Emulator(fleet, **options)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="sgw-emulator", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(emulator.start(), loop).result(30)
        yield emulator
    finally:
        asyncio.run_coroutine_threadsafe(_end(emulator), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


async def _end(emulator: Emulator) -> None:
    await emulator.stop()
    # Answers that hang would outlive their loop, and Python complain of each.
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


class Remote:
    """An emulator of which only the address is known."""

    def __init__(self, url: str) -> None:
        self.url = url

    def environment(self, region: str = "us-east-1") -> dict[str, str]:
        """What an AWS client needs in its environment to talk to this fleet and nothing else."""
        return environment(self.url, region)

    def stats(self) -> dict[str, Any]:
        """What `Emulator.stats` says there."""
        return self._ask("GET", "stats")

    def reset(self) -> None:
        """Counts from zero again."""
        self._ask("DELETE", "stats")

    def add_fault(self, kind: str, **rule: Any) -> None:
        """Puts a fault in force; raises ValueError if there is none such."""
        self._ask("POST", "faults", {"kind": kind, **rule})

    def clear_faults(self) -> None:
        """From now on nothing goes wrong."""
        self._ask("DELETE", "faults")

    def _ask(self, method: str, what: str, content: Mapping[str, Any] | None = None) -> dict[str, Any]:
        body = None if content is None else json.dumps(content).encode()
        try:
            with urlopen(Request(self.url + PREFIX + what, body, method=method), timeout=30) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except HTTPError as error:
            with error:
                raise ValueError(json.load(error)["message"]) from None


@contextmanager
def spawn(*arguments: str) -> Iterator[Remote]:
    """An emulator in a process of its own, with the arguments of `python -m scanner.emulator`.

    RuntimeError if it did not start; why stands on stderr.
    """
    command = [sys.executable, "-m", "scanner.emulator", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            # One line on its stdout: the address, as soon as clients may come.
            url = process.stdout.readline().strip() if process.stdout is not None else ""
            if not url:
                raise RuntimeError(f"the emulator ended with {process.wait(30)}")
            yield Remote(url)
        finally:
            process.terminate()
