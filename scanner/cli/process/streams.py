"""The process's three streams: whichever is missing or broken, a scan goes on and its exit code stands."""

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import Any, TextIO, cast

from scanner.errors import OutputError

NAME = "standard output"
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


class _Answering:
    """stdout, whose failures are errors that name it: what a command prints there is what it was called for."""

    def __init__(self, stream: TextIO, *, closed: bool) -> None:
        self._stream = stream
        self._closed = closed
        self._unsure = False

    def write(self, text: str) -> int:
        if not text:
            # Typer tries with nothing, even as bytes, what kind of stream this is, and passes over an error.
            return len("" + text)
        if self._closed:
            raise OutputError(f"{NAME} is closed; leave it open, or send it to a file")
        self._unsure = True
        with self._named():
            return self._stream.write(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        # What others wrote past this stream, they flushed themselves, and told of.
        if self._unsure:
            with self._named():
                self._stream.flush()
            self._unsure = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            # What is left in its buffer would be refused again when the process ends.
            self._unsure = False
            abandon(self._stream)
            raise OutputError(f"{NAME}: {error.strerror}") from error


def abandon(stream: TextIO) -> None:
    """Lets whatever is still written to `stream` lead nowhere."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _settle(stream: TextIO) -> None:
    # What is left in the buffer of a full one would end the process with an exit code of Python's own.
    try:
        stream.flush()
    except OSError:
        abandon(stream)


def stdout_is_closed() -> bool:
    """Whether the process was started without one."""
    return sys.__stdout__ is None


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
        out = sys.stdout or nowhere
        sys.stderr = cast(TextIO, _Tolerant(sys.stderr or nowhere))
        if isinstance(out, TextIOWrapper):
            # A name that this terminal's encoding lacks must not end a scan.
            out.reconfigure(errors="backslashreplace")
        sys.stdout = cast(TextIO, _Answering(out, closed=before[0] is None))
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before
            _settle(out)


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
