"""Sorts more lines than memory holds: sorted runs in a temporary file, merged as they are read."""

import heapq
import os
from collections.abc import Iterator
from itertools import islice
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self

RUN_BYTES = 12 << 20
BATCH = 512
"""Lines that are written at once."""
MOST_RUNS = 64
"""Runs that are read at once; more of them are merged to one first."""
BLOCK = 1 << 16
_OVERHEAD = 48
"""Bytes that Python adds to a line in a list."""


class LineSorter:
    """Takes lines without their ends, in any order; `sorted` yields them in that of their bytes."""

    def __init__(self, run_bytes: int = RUN_BYTES) -> None:
        self._run_bytes = run_bytes
        self._held: list[bytes] = []
        self._size = 0
        self._file = TemporaryFile()  # noqa: SIM115 - closed on leaving
        self._runs: list[tuple[int, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, line: bytes) -> None:
        self._held.append(line)
        self._size += len(line) + _OVERHEAD
        if self._size >= self._run_bytes:
            self._spill()

    def sorted(self) -> Iterator[bytes]:
        """All lines; nothing may be added any more."""
        self._held.sort()
        return heapq.merge(*self._read_runs(), self._held) if self._runs else iter(self._held)

    def _spill(self) -> None:
        self._held.sort()
        self._runs.append(self._write(iter(self._held)))
        self._held.clear()
        self._size = 0
        if len(self._runs) >= MOST_RUNS:
            # What they took in the file is not used again.
            self._runs[:] = [self._write(heapq.merge(*self._read_runs()))]

    def _write(self, lines: Iterator[bytes]) -> tuple[int, int]:
        start = self._file.seek(0, os.SEEK_END)
        while batch := list(islice(lines, BATCH)):
            self._file.write(b"\n".join(batch) + b"\n")
        self._file.flush()
        return start, self._file.tell()

    def _read_runs(self) -> list[Iterator[bytes]]:
        return [lines_between(self._file.fileno(), *run) for run in self._runs]


def lines_between(file: int, start: int, end: int) -> Iterator[bytes]:
    """The lines of a file from one offset to another, without their ends; each reader has its own place."""
    rest = b""
    while start < end:
        block = os.pread(file, min(BLOCK, end - start), start)
        if not block:
            raise OSError(f"the temporary file ends at {start}, before {end}")
        start += len(block)
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
    if rest:
        yield rest
