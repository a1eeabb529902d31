"""A scan on the command line: outputs, signals, progress, logs and summary around the library's stream."""

import sys
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

import anyio
import typer

from scanner.cli.beat import USAGE, Beat
from scanner.cli.events import events_of
from scanner.cli.keeping import Keeping
from scanner.cli.process.collector import spared_collector
from scanner.cli.process.lock import hold, lock_paths
from scanner.cli.process.signals import GRACE, Signals
from scanner.cli.process.streams import NAME, stdout_is_closed
from scanner.cli.terminal.logs import EventLog, Loudness, log_end, logging_to_stderr, make_reporter
from scanner.cli.terminal.progress import progress
from scanner.cli.terminal.summary import print_summary
from scanner.config.settings import ScannerConfig
from scanner.errors import OutputError, ScannerError
from scanner.inventory.model import Inventory
from scanner.inventory.scan_id import new_scan_id
from scanner.inventory.spooled import SpooledInventory
from scanner.output.destination import fill_in
from scanner.output.outputs import Outputs
from scanner.summary.statistics import Statistics, exit_code

if TYPE_CHECKING:
    from scanner.history.since import Since

EXCUSED = (1, 3)
"""Exit codes of a scan that has done its work, which `--exit-zero` makes 0."""
LOST = 3
"""Of a scan whose findings are not where they were to be, which `--exit-zero` does not excuse."""


@dataclass(frozen=True)
class Run:
    """One scan as the command line makes it."""

    config: ScannerConfig
    destinations: tuple[str, ...]
    loudness: Loudness = Loudness.NORMAL
    log_format: Literal["text", "json"] = "text"
    quiet: bool = False
    exit_zero: bool = False
    scan_id: str | None = None
    dask: str | None = None
    """The address of a Dask scheduler, whose workers scan."""

    def locked(self, config_file: Path | None) -> int:
        """Scans while holding the lock; returns the exit code. Raises LockError if another scan holds it."""
        with hold(*lock_paths(self.config.lock, config_file)):
            return self.go()

    def go(self) -> int:
        """Scans, writes, prints; returns the exit code."""
        with logging_to_stderr(self.log_format, self.loudness) as log:
            beat = Beat.of(self.config)
            try:
                beat.code = self._run(beat, log)
            except ScannerError:
                beat.code = USAGE
                raise
            finally:
                beat.end()
        return beat.code

    def _run(self, beat: Beat, log: Any) -> int:
        uvloop = find_spec("uvloop") is not None
        with spared_collector():
            say = make_reporter(log, self.log_format)
            scan_id = self.scan_id or new_scan_id()
            destinations = tuple(fill_in(each, scan_id) for each in self.destinations)
            outputs = Outputs(destinations, self.config, say)
            keeping = Keeping(self.config, say)
            statistics = anyio.run(
                self._beaten,
                scan_id,
                beat,
                outputs,
                keeping,
                log,
                backend_options={"use_uvloop": uvloop},
            )
        failed = outputs.failed or keeping.failed
        code = exit_code(statistics, failed_outputs=failed)
        shown = self._shown_code(code, failed)
        if self.log_format == "text" and not (self.quiet and shown == 0):
            failed = not self._print(statistics, outputs, shown, keeping.since) or failed
        beat.tell(statistics, self.config.policy, failed_outputs=failed)
        code = self._shown_code(exit_code(statistics, failed_outputs=failed), failed)
        if self.log_format == "json":
            log_end(log, statistics, outputs.written, outputs.unwritten, code)
        return code

    def _print(
        self, statistics: Statistics, outputs: Outputs, code: int, since: "Since | None" = None
    ) -> bool:
        """Prints the summary; says whether that was possible."""
        stream = sys.stderr if outputs.on_stdout else sys.stdout
        if stream is sys.stdout and stdout_is_closed():
            # Nobody asked for it.
            return True
        try:
            print_summary(
                statistics, self.config.policy, stream, outputs.written, code, since, outputs.unwritten
            )
        except OutputError as error:
            cause = str(error).removeprefix(f"{NAME}: ")
            typer.echo(f"sgw-scanner: the summary could not be printed: {cause}", err=True)
            return False
        return True

    def _summary_of(self, stream: TextIO) -> Literal["none", "apart", "below"]:
        """Whether a summary tells everything again that the log tells, and on the same terminal."""
        if self.log_format == "json":
            return "none"
        return "below" if stream.isatty() and sys.stderr.isatty() else "apart"

    def _shown_code(self, code: int, failed_outputs: bool) -> int:
        if not (self.exit_zero and code in EXCUSED):
            return code
        return LOST if failed_outputs else 0

    async def _beaten(
        self, scan_id: str, beat: Beat, outputs: Outputs, keeping: Keeping, log: Any
    ) -> Statistics:
        async with beat.started():
            return await self._scan(scan_id, outputs, keeping, log)

    async def _scan(self, scan_id: str, outputs: Outputs, keeping: Keeping, log: Any) -> Statistics:
        signals = Signals(make_reporter(log, self.log_format))
        deadline = self.config.scan.deadline
        with ExitStack() as open_files, signals.handled():
            async with outputs.opened(), keeping.opened():
                with signals.bounded(0) as scope:
                    if deadline:
                        scope.deadline = min(scope.deadline, anyio.current_time() + deadline.total_seconds())
                    await keeping.prove()
                    await outputs.prove()
                if scope.cancelled_caught:
                    raise OutputError("the buckets did not answer before the scan was to end; scan again")
                collected = outputs.need_inventory or keeping.wanted
                statistics, found = await self._read(scan_id, signals, outputs, log, collected=collected)
                spooled: SpooledInventory | None = None
                if isinstance(found, SpooledInventory):
                    spooled = open_files.enter_context(found)
                    # A history takes all at once.
                    found = spooled.load() if keeping.wanted else None
                inventory = await keeping.carry(found)
                statistics.last_known = inventory.last_known if inventory else ()
                outputs.write(statistics.last_known)
                outputs.write((statistics.coverage(), statistics.scan))
                outputs.finish()
                with signals.bounded(GRACE) as scope:
                    if statistics.scan.deadline_reached:
                        scope.deadline = anyio.current_time() + GRACE
                    await keeping.append(inventory)
                    past = await keeping.past(inventory) if outputs.pages else None
                    await outputs.save(inventory or spooled, past)
                if scope.cancelled_caught:
                    outputs.given_up()
                    keeping.given_up()
                with signals.bounded(GRACE):
                    await keeping.tell(inventory, outputs.reports)
        return statistics

    async def _read(
        self, scan_id: str, signals: Signals, outputs: Outputs, log: Any, *, collected: bool
    ) -> tuple[Statistics, Inventory | SpooledInventory | None]:
        statistics = Statistics()
        summary = self._summary_of(sys.stderr if outputs.on_stdout else sys.stdout)
        tell = EventLog(log, every_failure=self.loudness is Loudness.VERBOSE, summary=summary).tell
        with progress(not self.quiet and self.log_format == "text") as show:
            async with events_of(self.config, scan_id, self.dask, collected=collected) as events:
                signals.end(events)
                async for event in events:
                    tell(event)
                    show(event)
                    statistics.add(event)
                    outputs.add(event)
                return statistics, await events.inventory()
