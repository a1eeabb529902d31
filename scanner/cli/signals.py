"""SIGTERM and SIGINT: the first one ends a scan in order, the second the process."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from scanner.api import EventStream

HEARD = (signal.SIGTERM, signal.SIGINT)


class Signals:
    """Listens while a scan and its outputs are under way; only inside of an event loop."""

    def __init__(self) -> None:
        self._asked = False
        self._events: EventStream | None = None

    @contextmanager
    def heard(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in HEARD:
            loop.add_signal_handler(number, self._came, number)
        try:
            yield
        finally:
            for number in HEARD:
                loop.remove_signal_handler(number)

    def end(self, events: EventStream) -> None:
        """From now on a signal ends this stream; one that has come already does so at once."""
        self._events = events
        if self._asked:
            events.interrupt()

    def _came(self, number: signal.Signals) -> None:
        if self._asked:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self._asked = True
        typer.echo(f"sgw-scanner: {number.name}: ending in order; a second one ends at once", err=True)
        if self._events:
            self._events.interrupt()
