"""A scan on the command line: outputs, signals, progress, logs and summary around the library's stream."""

import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from scanner.api import EventStream, Scanner
from scanner.aws.buckets import S3Bucket
from scanner.cli.lock import hold, lock_path
from scanner.cli.logs import EventLog, logger
from scanner.cli.progress import progress
from scanner.cli.summary import exit_code, print_summary
from scanner.config import ScannerConfig
from scanner.engine.events import Event, FailureSeen, GatewayEnded, TargetEnded
from scanner.engine.fold import Fold
from scanner.errors import ConfigError, OutputError
from scanner.model import Inventory
from scanner.output import NdjsonWriter, Output, check_outputs, object_arguments, open_output, save

INCOMPLETE = 3


@dataclass
class Run:
    """One scan as the command line makes it."""

    config: ScannerConfig
    places: Sequence[str]
    quiet: bool = False
    verbose: bool = False
    log_format: str = "text"
    silent: bool = False
    outputs: tuple[Output, ...] = ()
    failed_outputs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.log_format not in ("text", "json"):
            raise ConfigError(f"--log-format: {self.log_format!r} is neither text nor json")
        self.outputs = check_outputs(self.places)
        self.log = logger(self.log_format, quiet=self.quiet or self.silent, verbose=self.verbose)

    def locked(self, config_file: Path | None) -> int:
        """Scans while holding the lock; returns the exit code. Raises LockError if another scan holds it."""
        with hold(lock_path(self.config.lock, config_file)):
            return self.go()

    def go(self) -> int:
        """Scans; returns the exit code."""
        return exit_code(self.scanned(), failed_outputs=bool(self.failed_outputs))

    def scanned(self) -> Inventory:
        return anyio.run(self._scan, backend_options={"use_uvloop": _has_uvloop()})

    async def _scan(self) -> Inventory:
        async with S3Bucket.all_of(self.outputs, self.config.credentials.profile) as buckets:
            for output in self.outputs:
                if output.bucket and output.key:
                    await buckets[output.bucket].check(output.key)
            inventory = await self._read()
            for output in self.outputs:
                if output.format.suffix == ".ndjson" and not output.bucket:
                    continue
                bucket = buckets[output.bucket] if output.bucket else None
                with self._noted(output):
                    await save(inventory, output, bucket, object_arguments(output))
        if not self.quiet:
            on_stdout = any(output.place == "-" for output in self.outputs)
            print_summary(inventory, self.config, sys.stderr if on_stdout else sys.stdout)
        return inventory

    async def _read(self) -> Inventory:
        fold, log = Fold(), EventLog(self.log, verbose=self.verbose)
        with ExitStack() as files, progress(not self.quiet) as show:
            writers = [
                NdjsonWriter(files.enter_context(open_output(output)))
                for output in self.outputs
                if output.format.suffix == ".ndjson" and not output.bucket
            ]
            readers: list[Callable[[Event], None]] = [fold.add, log.tell, show]
            readers += [_lines(writer) for writer in writers]
            async with Scanner(self.config) as scanner, scanner.stream() as events, _signals(events):
                async for event in events:
                    for reader in readers:
                        reader(event)
            inventory = fold.inventory()
            for writer in writers:
                writer.write(inventory.coverage)
                writer.write(inventory.scan)
        return inventory

    def _noted(self, output: Output) -> "_Noted":
        return _Noted(self, output)


class _Noted:
    """An output that cannot be written is told at once; the others are still written."""

    def __init__(self, run: Run, output: Output) -> None:
        self._run, self._output = run, output

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, OutputError):
            return False
        self._run.failed_outputs.append(self._output.place)
        print(f"sgw-scanner: {error}", file=sys.stderr)  # noqa: T201
        return True


def _lines(writer: NdjsonWriter) -> Callable[[Event], None]:
    def write(event: Event) -> None:
        match event:
            case TargetEnded(target):
                writer.write(target)
            case FailureSeen(failure):
                writer.write(failure)
            case GatewayEnded(gateway, volumes):
                writer.write(gateway)
                for volume in volumes:
                    writer.write(volume)
            case _:
                pass

    return write


@asynccontextmanager
async def _signals(events: EventStream) -> AsyncIterator[None]:
    """The first SIGTERM or SIGINT ends the scan in order, a second one the process."""
    async with anyio.create_task_group() as group:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:

            async def listen() -> None:
                asked = False
                async for number in received:
                    if asked:
                        signal.signal(number, signal.SIG_DFL)
                        os.kill(os.getpid(), number)
                    asked = True
                    text = f"sgw-scanner: {number.name}: ending in order; once more ends at once"
                    print(text, file=sys.stderr)  # noqa: T201
                    events.interrupt()

            group.start_soon(listen)
            yield
            group.cancel_scope.cancel()


def _has_uvloop() -> bool:
    from importlib.util import find_spec

    return find_spec("uvloop") is not None
