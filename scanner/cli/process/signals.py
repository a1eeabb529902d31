"""SIGTERM and SIGINT: the first one ends a scan in order, the second the process."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import anyio

from scanner.cli.process.streams import ENDING_SIGNALS, release_signals

GRACE = 10.0
"""Seconds that uploads have after a signal; files on this machine are written by then."""


class Interruptible(Protocol):
    def interrupt(self) -> None:
        """Ends the scan in order."""
        ...


class Signals:
    """Listens while a scan and its outputs are under way; only inside of an event loop."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._asked = False
        self._events: Interruptible | None = None
        self._scopes: list[tuple[anyio.CancelScope, float]] = []

    @contextmanager
    def handled(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in ENDING_SIGNALS:
            loop.add_signal_handler(number, self._came, signal.Signals(number))
        release_signals()
        try:
            yield
        finally:
            for number in ENDING_SIGNALS:
                loop.remove_signal_handler(number)
                # The loop would leave SIGINT to Python, which makes an exception of it while all ends. A
                # first signal has nothing left to end but the summary: the scan's own exit code stands.
                signal.signal(number, signal.SIG_DFL if self._asked else _once)

    def end(self, events: Interruptible) -> None:
        """From now on a signal ends this stream; one that has come already does so at once."""
        self._events = events
        if self._asked:
            events.interrupt()

    @contextmanager
    def bounded(self, grace: float) -> Iterator[anyio.CancelScope]:
        """A scope that ends `grace` seconds after a signal, or after its own beginning if one has come."""
        with anyio.CancelScope() as scope:
            if self._asked:
                scope.deadline = anyio.current_time() + grace
            self._scopes.append((scope, grace))
            try:
                yield scope
            finally:
                self._scopes.remove((scope, grace))

    def _came(self, number: signal.Signals) -> None:
        if self._asked:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self._asked = True
        self._report(f"{number.name}: ending in order; a second one ends at once")
        if self._events:
            self._events.interrupt()
        # The loop calls this outside of any task, where anyio may not know which loop is running.
        now = asyncio.get_running_loop().time()
        for scope, grace in self._scopes:
            scope.deadline = min(scope.deadline, now + grace)


def _once(number: int, frame: object) -> None:
    for each in ENDING_SIGNALS:
        signal.signal(each, signal.SIG_DFL)
