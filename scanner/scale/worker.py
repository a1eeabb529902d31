"""What runs on a worker: the scan of a task's accounts, which ends as one part of the whole."""

import asyncio
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO

import anyio

from scanner import __version__
from scanner.api import EventStream, Scanner
from scanner.errors import ScannerError
from scanner.inventory.events import records_in
from scanner.inventory.records import FailureKind
from scanner.output.ndjson import NdjsonWriter
from scanner.scale.task import Task
from scanner.service.secrets import hidden
from scanner.summary.statistics import Statistics


@dataclass(frozen=True)
class Refusal:
    """Why a worker cannot scan what it was asked; nothing was sent."""

    kind: FailureKind
    message: str
    remedy: str | None = None


_running: dict[str, set[tuple[asyncio.AbstractEventLoop, EventStream]]] = {}
_interrupted: set[str] = set()


def scan_task(task: Task) -> bytes | Refusal:
    """The accounts of `task` as compressed NDJSON, which `merge` and `replay` read."""
    if task.version != __version__:
        return Refusal(
            FailureKind.INVALID_REQUEST,
            f"the worker has sgw-scanner {__version__}, and the scan is of {task.version}",
            f"install sgw-scanner {task.version} on every worker",
        )
    uvloop = find_spec("uvloop") is not None
    try:
        return anyio.run(_scan, task, backend_options={"use_uvloop": uvloop})
    except ScannerError as error:
        return Refusal(FailureKind.CREDENTIALS, hidden(f"the worker cannot scan: {error}"))


def version_here() -> str:
    return __version__


def interrupt(scan_id: str) -> None:
    """Ends the tasks of a scan that run on this worker, in order, and those that begin later."""
    _interrupted.add(scan_id)
    for loop, events in _running.get(scan_id, set()).copy():
        loop.call_soon_threadsafe(events.interrupt)


async def _scan(task: Task) -> bytes:
    config = task.config_here()
    part, statistics = BytesIO(), Statistics()
    writer = NdjsonWriter(part)
    async with (
        Scanner(config) as scanner,
        scanner.stream(task.scan_id, task.planned_here(config)) as events,
    ):
        with _interruptible(task.scan_id, events):
            async for event in events:
                statistics.add(event)
                for record in records_in(event):
                    writer.write(record)
    writer.write(statistics.coverage())
    writer.write(statistics.scan)
    return zlib.compress(part.getbuffer(), 1)


@contextmanager
def _interruptible(scan_id: str, events: EventStream) -> Iterator[None]:
    entry = asyncio.get_running_loop(), events
    _running.setdefault(scan_id, set()).add(entry)
    if scan_id in _interrupted:
        events.interrupt()
    try:
        yield
    finally:
        _running[scan_id].discard(entry)
