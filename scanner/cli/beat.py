"""The heartbeat of a scan on the command line: a ping beside its start, and one with its exit status."""

import io
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal

import anyio

from scanner.cli.process.crash import innermost
from scanner.cli.terminal.summary import print_summary
from scanner.config.settings import ScannerConfig
from scanner.policy.rules import Policy
from scanner.summary.statistics import Statistics, exit_code

if TYPE_CHECKING:
    from scanner.notify.heartbeat import Heartbeat

USAGE, DEFECT = 2, 70


class Beat:
    """Pings, if the configuration asks for it. `code` is the exit code that the scan has come to so far."""

    def __init__(self, heartbeat: "Heartbeat | None", counts: Literal["exit", "scan"]) -> None:
        self.code = DEFECT
        self._heartbeat = heartbeat
        self._counts = counts
        self._status: int | None = None
        self._summary = ""

    @classmethod
    def of(cls, config: ScannerConfig) -> "Beat":
        """Raises ConfigError for an address that is none."""
        if not config.notify.ping_url:
            return cls(None, config.notify.ping_status)
        # Imported here, for most scans ping nobody.
        from scanner.notify.addresses import heartbeat_of

        return cls(heartbeat_of(config, os.environ), config.notify.ping_status)

    @asynccontextmanager
    async def started(self) -> AsyncIterator[None]:
        """Says beside the scan that it has begun; a peer that hangs holds up nothing."""
        try:
            async with anyio.create_task_group() as group:
                if self._heartbeat:
                    group.start_soon(self._heartbeat.started)
                yield
                group.cancel_scope.cancel()
        except ExceptionGroup as errors:
            # The ping raises nothing, so this is the scan's own error, which its callers tell by its class.
            raise innermost(errors) from None

    def tell(self, statistics: Statistics, policy: Policy, *, failed_outputs: bool) -> None:
        """What goes along with the last ping: the summary, and whether a breach counts."""
        if self._heartbeat:
            printed = io.StringIO()
            print_summary(statistics, policy, printed)
            self._summary = printed.getvalue()
            if self._counts == "scan":
                self._status = exit_code(statistics, failed_outputs=failed_outputs, breaches=False)

    def end(self) -> None:
        """Sends the last ping."""
        if self._heartbeat:
            status = self.code if self._status is None else self._status
            anyio.run(self._heartbeat.ended, status, self._summary)
