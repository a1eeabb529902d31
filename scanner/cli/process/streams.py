"""The process's three streams: whichever is missing or broken, a scan goes on and its exit code stands."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import Any, TextIO, cast

ENDING_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})


class _Tolerant:
    """stderr, whose writes never fail, for nobody could be told."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def standing() -> Iterator[None]:
    """Gives missing streams a place, lets no broken stderr end the process, and shows what cannot be encoded.

    Whether stdout was there, `sys.__stdout__` shows, which stays as it was.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # Otherwise the next file or socket would be taken for the stream.
            os.open(os.devnull, os.O_RDWR)
    before = sys.stdout, sys.stderr
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        sys.stdout = sys.stdout or nowhere
        sys.stderr = cast(TextIO, _Tolerant(sys.stderr or nowhere))
        if isinstance(sys.stdout, TextIOWrapper):
            # A name that this terminal's encoding lacks must not end a scan.
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before


def hold_signals() -> None:
    """Keeps SIGTERM and SIGINT waiting until `release_signals`, while a scan that they may end is set up."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)


def release_signals() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING_SIGNALS)


def leave_signals() -> None:
    """Leaves them to the system, for whatever comes after the command."""
    for number in ENDING_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    release_signals()
