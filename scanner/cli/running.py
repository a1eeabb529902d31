"""A scan on the command line: outputs, signals, progress, logs and summary around the library's stream."""

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import anyio
import typer

from scanner.api import Scanner
from scanner.cli.digest import Digest, Gathering
from scanner.cli.lock import hold, lock_path
from scanner.cli.logs import EventLog, Loudness, logging_to_stderr
from scanner.cli.outputs import Outputs
from scanner.cli.progress import progress
from scanner.cli.signals import Signals
from scanner.cli.summary import exit_code, print_summary
from scanner.config import ScannerConfig
from scanner.engine.events import FailureSeen
from scanner.engine.fold import Fold


@dataclass(frozen=True)
class Run:
    """One scan as the command line makes it."""

    config: ScannerConfig
    outputs: Outputs
    loudness: Loudness = Loudness.NORMAL
    log_format: Literal["text", "json"] = "text"
    summary: bool = True

    def locked(self, config_file: Path | None) -> int:
        """Scans while holding the lock; returns the exit code. Raises LockError if another scan holds it."""
        with hold(lock_path(self.config.lock, config_file)):
            return self.go()

    def go(self) -> int:
        """Scans, writes, prints; returns the exit code."""
        uvloop = find_spec("uvloop") is not None
        digest = anyio.run(self._scan, backend_options={"use_uvloop": uvloop})
        failed = self.outputs.failed
        if self.summary:
            stream = sys.stderr if self.outputs.on_stdout else sys.stdout
            try:
                print_summary(digest, self.config.policy, stream)
            except BrokenPipeError:
                raise
            except OSError as error:
                typer.echo(f"sgw-scanner: the summary could not be printed: {error.strerror}", err=True)
                failed = True
        return exit_code(digest, failed_outputs=failed)

    async def _scan(self) -> Digest:
        signals = Signals()
        fold = Fold() if self.outputs.need_inventory else None
        with signals.heard():
            async with self.outputs.opened(self.config.credentials.profile):
                digest = await self._read(signals, fold)
                self.outputs.write((digest.coverage(), digest.scan))
                self.outputs.finish()
                if fold:
                    await self.outputs.save(fold.inventory())
        return digest

    async def _read(self, signals: Signals, fold: Fold | None) -> Digest:
        digest, gathering = Digest(), Gathering()
        with (
            logging_to_stderr(self.log_format, self.loudness) as log,
            progress(self.summary) as show,
        ):
            tell = EventLog(log, every_failure=self.loudness is Loudness.VERBOSE).tell
            async with Scanner(self.config) as scanner, scanner.stream() as events:
                signals.end(events)
                async for event in events:
                    tell(event)
                    show(event)
                    digest.add(event)
                    if fold:
                        fold.add(event)
                    if found := gathering.add(event):
                        digest.found(found)
                        self.outputs.write(found.records())
                    elif isinstance(event, FailureSeen):
                        self.outputs.write((event.failure,))
        return digest
