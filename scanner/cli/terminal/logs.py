"""What happens during a scan, as log lines on stderr."""

import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Any, Literal

import structlog

from scanner.iam.remedies import remedy_of
from scanner.inventory.events import (
    CallRetried,
    Event,
    FailureSeen,
    FieldsDropped,
    ScanEnded,
    ScanStarted,
    TargetEnded,
)
from scanner.inventory.model import Inventory
from scanner.inventory.records import Failure, FailureKind, Outcome
from scanner.output.text import printable
from scanner.service.secrets import hidden
from scanner.summary.statistics import Statistics

Facts = MutableMapping[str, Any]


class Loudness(Enum):
    """How much is logged, as the least level of a line."""

    QUIET = logging.ERROR
    NORMAL = logging.INFO
    VERBOSE = logging.DEBUG


class _Stderr:
    """Where lines go: looked up for each, as a progress bar puts itself in front of stderr for a while."""

    def msg(self, line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    debug = info = warning = error = critical = msg


class _Bridge(logging.Handler):
    """Passes on what libraries log, so that every line has the one form that was asked for."""

    def __init__(self, log: Any) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.log(record.levelno, record.getMessage(), logger=record.name)


@contextmanager
def logging_to_stderr(format: Literal["text", "json"], loudness: Loudness) -> Iterator[Any]:
    """Yields a logger of this run's own, and takes in what libraries log meanwhile."""
    text = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    log = structlog.wrap_logger(
        _Stderr(),
        processors=[
            structlog.processors.add_log_level,
            _without_secrets,
            structlog.processors.TimeStamper(fmt=_stamp(format), utc=True),
            *((structlog.processors.JSONRenderer(),) if format == "json" else (_made_printable, text)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(loudness.value),
        cache_logger_on_first_use=False,
    )
    bridge, root = _Bridge(log), logging.getLogger()
    root.addHandler(bridge)
    logging.captureWarnings(True)
    try:
        yield log
    finally:
        logging.captureWarnings(False)
        root.removeHandler(bridge)


def _stamp(format: Literal["text", "json"]) -> str:
    """How the time of a line is written: whoever watches a terminal knows the day."""
    return "%H:%M:%SZ" if format == "text" and sys.stderr.isatty() else "iso"


def make_reporter(log: Any, format: Literal["text", "json"]) -> Callable[[str], None]:
    """A function that reports to the user what does not belong to the scan, as a plain line or as a log entry."""

    def report(message: str) -> None:
        if format == "json":
            log.error(message)
        else:
            sys.stderr.write(f"sgw-scanner: {printable(hidden(message))}\n")

    return report


def _made_printable(log: Any, method: str, facts: Facts) -> Facts:
    return {key: printable(value) if isinstance(value, str) else value for key, value in facts.items()}


def _without_secrets(log: Any, method: str, facts: Facts) -> Facts:
    return {key: hidden(value) if isinstance(value, str) else value for key, value in facts.items()}


class EventLog:
    """Reads the events of one scan and logs those worth a line.

    However many failures there are, only the first of each kind and operation has a line of its own, unless
    `every_failure`; the end of the scan counts the others. `summary` tells what the reader is told after the scan
    anyway: with "below" on the same terminal, so that a failure needs no line at all; with "apart" elsewhere.
    """

    def __init__(
        self, log: Any, *, every_failure: bool, summary: Literal["none", "apart", "below"] = "none"
    ) -> None:
        self._log = log
        self._every_failure = every_failure
        self._summary = summary
        self._failures: Counter[tuple[FailureKind, str, str]] = Counter()
        self._examples: dict[tuple[FailureKind, str, str], Failure] = {}

    def tell(self, event: Event) -> None:
        match event:
            case ScanStarted(scan_id):
                traced = _known({"trace_id": event.trace_id, "span_id": event.span_id})
                self._log = self._log.bind(scan_id=scan_id, **traced)
                if self._summary != "below":
                    self._log.info("scan started")
            case FailureSeen():
                self._failed(event)
            case FieldsDropped(arn, operation, fields):
                self._log.warning(
                    "broken fields left out", arn=arn, operation=operation, fields=", ".join(fields)
                )
            case CallRetried():
                self._retried(event)
            case TargetEnded(target):
                self._log.debug(
                    "target ended",
                    account=target.account_id,
                    region=target.region,
                    status=target.status.value,
                    gateways=target.gateways,
                    volumes=target.volumes,
                )
            case ScanEnded():
                self._ended(event)
            case _:
                pass

    def _failed(self, event: FailureSeen) -> None:
        failure = event.failure
        group = failure.kind, failure.operation, remedy_of(failure)
        self._failures[group] += 1
        self._examples.setdefault(group, failure)
        first = self._failures[group] == 1 and self._summary != "below"
        if self._every_failure or first:
            facts = {
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
            self._log.warning("not read", **_known(facts))

    def _retried(self, event: CallRetried) -> None:
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

    def _ended(self, event: ScanEnded) -> None:
        outcome = event.scan.outcome
        if self._summary == "below":
            return
        for (kind, operation, remedy), count in sorted(self._failures.items()):
            # A scan that read nothing says why even if only errors are asked for.
            if outcome is Outcome.FAILED and self._summary == "none":
                first = self._examples[kind, operation, remedy]
                facts = {"account": first.account_id, "region": first.region, "message": first.message}
                facts |= {"operation": operation, "kind": kind.value, "remedy": remedy}
                self._log.error("not read", count=count, **_known(facts))
            elif count > 1:
                self._log.warning("not read, in all", operation=operation, kind=kind.value, count=count)


def log_end(
    log: Any, statistics: Statistics, written: Sequence[str], unwritten: Sequence[str], code: int
) -> None:
    """Logs the last line of a scan, with all that its summary tells in numbers.

    `written` are the places of the outputs, `unwritten` those where writing failed.
    """
    scan, coverage = statistics.scan, statistics.coverage()
    # An error unless all is well: with --quiet nothing else would be printed.
    level = log.error if code else log.info
    level(
        "scan ended",
        scan_id=scan.id,
        outcome=scan.outcome.value,
        deadline_reached=scan.deadline_reached,
        interrupted=scan.interrupted,
        seconds=round((scan.finished_at - scan.started_at).total_seconds(), 3),
        coverage=coverage.model_dump(mode="json"),
        outputs=list(written),
        not_written=list(unwritten),
        exit_code=code,
    )


def log_failure(log: Any, cause: str, code: int) -> None:
    """Logs the last line of a command that came to no end of its own."""
    log.error("scan ended", error=cause, exit_code=code)


def log_scan(log: Any, inventory: Inventory) -> None:
    """Logs one line for one of many scans; a warning unless all was read and all is well."""
    scan, coverage = inventory.scan, inventory.coverage
    well = scan.outcome is Outcome.COMPLETE and not coverage.volumes.need_action
    (log.info if well else log.warning)(
        "scan ended",
        scan_id=scan.id,
        outcome=scan.outcome.value,
        seconds=round((scan.finished_at - scan.started_at).total_seconds(), 3),
        volumes=coverage.volumes.known,
        need_action=coverage.volumes.need_action,
        targets_not_read=coverage.targets.failed + coverage.targets.partial,
    )


def _known(facts: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in facts.items() if value is not None}
