"""What happens during a scan, as log lines on stderr."""

import logging
import sys
from typing import Any

import structlog

from scanner.engine.events import CallRetried, Event, FailureSeen, ScanEnded, ScanStarted, TargetEnded

MOST_FAILURES = 20
"""Failures logged one by one at the default level; the summary and the inventory hold all of them."""


def logger(format: str, *, quiet: bool, verbose: bool) -> Any:
    """A logger of this run's own: neither structlog's nor logging's global state is touched."""
    level = logging.ERROR if quiet else logging.DEBUG if verbose else logging.INFO
    renderer = (
        structlog.processors.JSONRenderer()
        if format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    )
    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )


class EventLog:
    """Reads the events of one scan and logs those worth a line."""

    def __init__(self, log: Any, *, verbose: bool) -> None:
        self._log = log
        self._verbose = verbose
        self._failures = 0

    def tell(self, event: Event) -> None:
        match event:
            case ScanStarted(scan_id):
                self._log = self._log.bind(scan_id=scan_id)
                self._log.info("scan started")
            case FailureSeen(failure):
                self._failures += 1
                facts: dict[str, Any] = {
                    "account": failure.account_id,
                    "region": failure.region,
                    "gateway": failure.gateway_arn,
                    "operation": failure.operation,
                    "kind": failure.kind.value,
                    "code": failure.code,
                    "attempt": failure.attempts,
                    "request_id": failure.request_id,
                    "message": failure.message,
                }
                if self._verbose or self._failures <= MOST_FAILURES:
                    self._log.warning("not read", **_known(facts))
                elif self._failures == MOST_FAILURES + 1:
                    self._log.warning("more could not be read; see the summary, or --verbose")
            case CallRetried():
                facts = {
                    "account": event.account_id,
                    "region": event.region,
                    "gateway": event.gateway_arn,
                    "operation": event.operation,
                    "kind": event.kind.value,
                    "code": event.code,
                    "attempt": event.attempt,
                    "request_id": event.request_id,
                    "delay": None if event.delay is None else round(event.delay, 3),
                }
                self._log.debug("tried again", **_known(facts))
            case TargetEnded(target):
                self._log.debug(
                    "target ended",
                    account=target.account_id,
                    region=target.region,
                    status=target.status.value,
                    gateways=target.gateways,
                    volumes=target.volumes,
                )
            case ScanEnded(scan, calls):
                self._log.info("scan ended", outcome=scan.outcome.value, calls=calls.attempted)
            case _:
                pass


def _known(facts: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in facts.items() if value is not None}
