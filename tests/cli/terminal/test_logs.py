"""The log: one form for every line, every fact a place, and no flood."""

import json
import logging
import warnings
from collections.abc import Iterable
from typing import Literal

import pytest

from scanner.cli.terminal.logs import EventLog, Loudness, log_scan, logging_to_stderr
from scanner.inventory.events import CallRetried, Event, FailureSeen, ScanEnded, ScanStarted, TargetEnded
from scanner.inventory.records import CallCounts, FailureKind, GatewayStatus, Outcome, Target, TargetStatus
from tests.output.fleet import inventory
from tests.strategies import NOW, failure_of, gateway, scan_info

FAILURE = failure_of(gateway("000000000001", "us-east-1", 1, GatewayStatus.FAILED))
RETRIED = CallRetried(
    "000000000001", "us-east-1", None, "ListGateways", FailureKind.THROTTLED, "Slow", "r-1", 2, 0.12345
)


def ended(outcome: Outcome) -> ScanEnded:
    return ScanEnded(scan_info().model_copy(update={"outcome": outcome}), CallCounts(attempted=7))


def logged(
    capsys: pytest.CaptureFixture[str],
    events: Iterable[Event],
    loudness: Loudness = Loudness.NORMAL,
) -> list[dict[str, object]]:
    with logging_to_stderr("json", loudness) as log:
        tell = EventLog(log, every_failure=loudness is Loudness.VERBOSE).tell
        for event in events:
            tell(event)
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.parametrize(
    ("outcome", "need_action", "level"),
    [(Outcome.COMPLETE, 0, "info"), (Outcome.COMPLETE, 1, "warning"), (Outcome.PARTIAL, 0, "warning")],
)
def test_of_many_scans_each_has_one_line(
    capsys: pytest.CaptureFixture[str], outcome: Outcome, need_action: int, level: str
) -> None:
    whole = inventory()
    coverage = whole.coverage.model_copy(
        update={"volumes": whole.coverage.volumes.model_copy(update={"need_action": need_action})}
    )
    scan = whole.scan.model_copy(update={"outcome": outcome})
    with logging_to_stderr("json", Loudness.NORMAL) as log:
        log_scan(log, whole.model_copy(update={"scan": scan, "coverage": coverage}))
    (line,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert (line["level"], line["scan_id"], line["need_action"]) == (level, scan.id, need_action)


def test_every_line_has_the_scan_and_what_it_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    events: list[Event] = [ScanStarted("scan-9", NOW), RETRIED, FailureSeen(FAILURE), ended(Outcome.PARTIAL)]
    lines = logged(capsys, events, Loudness.VERBOSE)
    assert {line["scan_id"] for line in lines} == {"scan-9"}
    assert [line["event"] for line in lines] == ["scan started", "tried again", "not read"]
    _, retried, failed = lines
    about = {key: retried[key] for key in ("account", "region", "operation", "attempt", "request_id")}
    assert about == {
        "account": "000000000001",
        "region": "us-east-1",
        "operation": "ListGateways",
        "attempt": 2,
        "request_id": "r-1",
    }
    assert (retried["level"], retried["delay"]) == ("debug", 0.123)
    assert (failed["level"], failed["gateway"]) == ("warning", FAILURE.gateway_arn)


def test_every_line_names_the_trace_that_the_scan_is_a_part_of(capsys: pytest.CaptureFixture[str]) -> None:
    events: list[Event] = [ScanStarted("scan-9", NOW, "7" * 32, "8" * 16), FailureSeen(FAILURE)]
    lines = logged(capsys, events, Loudness.VERBOSE)
    assert {(line["trace_id"], line["span_id"]) for line in lines} == {("7" * 32, "8" * 16)}


def test_a_healthy_fleet_of_a_thousand_targets_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    targets = (
        TargetEnded(Target(account_id=f"{n:012d}", region="us-east-1", status=TargetStatus.COMPLETE))
        for n in range(1000)
    )
    retries = (RETRIED for _ in range(1000))
    events: list[Event] = [ScanStarted("scan-9", NOW), *targets, *retries, ended(Outcome.COMPLETE)]
    assert [line["event"] for line in logged(capsys, events)] == ["scan started"]


def test_a_flood_of_failures_is_told_once_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    events: list[Event] = [*[FailureSeen(FAILURE)] * 1000, ended(Outcome.PARTIAL)]
    first, count = logged(capsys, events)
    assert (first["event"], first["message"]) == ("not read", "as injected")
    assert (count["event"], count["count"]) == ("not read, in all", 1000)


def test_verbose_tells_each_failure_and_each_target(capsys: pytest.CaptureFixture[str]) -> None:
    target = Target(account_id="000000000001", region="us-east-1", status=TargetStatus.COMPLETE)
    lines = logged(
        capsys, [FailureSeen(FAILURE), FailureSeen(FAILURE), TargetEnded(target)], Loudness.VERBOSE
    )
    assert [line["event"] for line in lines] == ["not read", "not read", "target ended"]


def test_quiet_tells_only_why_nothing_could_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert logged(capsys, [FailureSeen(FAILURE), ended(Outcome.PARTIAL)], Loudness.QUIET) == []
    lines = logged(capsys, [FailureSeen(FAILURE), ended(Outcome.FAILED)], Loudness.QUIET)
    assert [(line["event"], line["level"]) for line in lines] == [("not read", "error")]


@pytest.mark.parametrize("loudness", [Loudness.NORMAL, Loudness.QUIET])
@pytest.mark.parametrize(("summary", "lines"), [("below", 0), ("apart", 1)])
def test_what_the_summary_tells_is_not_logged_again(
    capsys: pytest.CaptureFixture[str], loudness: Loudness, summary: Literal["below", "apart"], lines: int
) -> None:
    """Below the log on one terminal nothing is; elsewhere each failure is, but not again at the end."""
    events: list[Event] = [FailureSeen(FAILURE), ended(Outcome.FAILED)]
    with logging_to_stderr("text", loudness) as log:
        tell = EventLog(log, every_failure=False, summary=summary).tell
        for event in events:
            tell(event)
    told = capsys.readouterr().err.splitlines()
    assert len(told) == (lines if loudness is Loudness.NORMAL else 0)


def test_hostile_text_moves_nothing_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = FAILURE.model_copy(update={"message": "\x1b[31m\nfake line\u202e", "code": "\x1b]0;t\x07"})
    for form in ("text", "json"):
        with logging_to_stderr(form, Loudness.NORMAL) as log:
            EventLog(log, every_failure=True).tell(FailureSeen(hostile))
        line = capsys.readouterr().err
        assert line.count("\n") == 1
        assert "\x1b" not in line
        assert "\u202e" not in line


def test_what_libraries_log_has_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to_stderr("json", Loudness.NORMAL):
        logging.getLogger("some.package").warning("pool of %s is full", "eu")
        logging.getLogger("some.package").info("not worth a line")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old", DeprecationWarning, stacklevel=1)
    first, second = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (first["event"], first["logger"]) == ("pool of eu is full", "some.package")
    assert second["logger"] == "py.warnings"
    logging.getLogger("some.package").warning("afterwards")
    assert "afterwards" not in [line for line in capsys.readouterr().err.splitlines() if line[:1] == "{"]
