"""The check as the command line makes it: what is wrong by account and cause, then the totals; or JSON."""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import anyio
from rich.table import Table
from rich.text import Text

from scanner.api import Scanner
from scanner.cli.keeping import Keeping
from scanner.cli.terminal.console import console_for, count_of, show, unbroken
from scanner.cli.terminal.failures import print_failures
from scanner.cli.terminal.logs import Loudness, logging_to_stderr, make_reporter
from scanner.cli.terminal.progress import progress
from scanner.config.settings import ScannerConfig
from scanner.errors import OutputError
from scanner.iam.remedies import REASONS, remedy_of
from scanner.inventory.events import Event
from scanner.inventory.model import Inventory
from scanner.inventory.records import Failure, FailureScope, Outcome, Target, TargetStatus
from scanner.notify.addresses import heartbeat_of
from scanner.output import check_output, open_output
from scanner.output.outputs import Outputs
from scanner.output.text import printable, region_name
from scanner.summary.statistics import Statistics

EXITS = {
    0: "a scan can read all of them",
    3: "a scan would be incomplete",
    4: "a scan could read nothing",
}


def run_check(config: ScannerConfig, destination: str | None, *, verbose: bool = False) -> int:
    """Checks every target; prints what is wrong, or writes JSON to `destination`; returns the exit code.

    `verbose`: every target is printed, too.
    """
    output = check_output(destination) if destination else None
    if output and (output.format.suffix != ".json" or output.bucket):
        raise OutputError(f"{destination}: a check is written as JSON, to FILE.json or -")
    statistics = Statistics()
    inventory = anyio.run(_checked, config, statistics)
    rows = [_row(inventory, target) for target in inventory.targets]
    works = Counter(row["works"] for row in rows)
    # As a scan would end: 4 only if it could read nothing at all.
    code = 4 if inventory.scan.outcome is Outcome.FAILED else 3 if works[False] else 0
    if output:
        totals = {"works": works[True], "fails": works[False], "skipped": works[None], "exit_code": code}
        with open_output(output) as stream:
            stream.write(json.dumps({"totals": totals, "targets": rows}, indent=2).encode() + b"\n")
    if destination != "-":
        _print(rows, statistics, code, verbose=verbose)
    return code


async def _checked(config: ScannerConfig, statistics: Statistics) -> Inventory:
    with logging_to_stderr("text", Loudness.QUIET) as log:
        report = make_reporter(log, "text")
        outputs, keeping = Outputs(config.output.files, config, report), Keeping(config, report)
        heartbeat_of(config, os.environ)
        async with outputs.opened(), keeping.opened(), Scanner(config) as scanner:
            await keeping.prove()
            await outputs.prove()
            with progress(True, "Checking") as moved:

                def tell(event: Event) -> None:
                    statistics.add(event)
                    moved(event)

                return await scanner.check(tell)


def _row(inventory: Inventory, target: Target) -> dict[str, Any]:
    failures = [failure for failure in inventory.failures if _concerns(failure, target)]
    works = None if target.status is TargetStatus.SKIPPED else not failures
    return {
        "account_id": target.account_id,
        "account_name": target.account_name,
        "region": target.region,
        "works": works,
        "skipped": target.reason.value if target.reason else None,
        "problems": [
            {
                "operation": failure.operation,
                "kind": failure.kind.value,
                "message": failure.message,
                "remedy": remedy_of(failure),
            }
            for failure in failures
        ],
    }


def _concerns(failure: Failure, target: Target) -> bool:
    if failure.account_id != target.account_id or target.status is TargetStatus.SKIPPED:
        return False
    return failure.scope is FailureScope.ACCOUNT or failure.region == target.region


def _print(rows: list[dict[str, Any]], statistics: Statistics, code: int, *, verbose: bool) -> None:
    console = console_for(sys.stdout)
    with console.capture() as printed:
        if verbose and rows:
            console.print(_table(rows))
            console.print()
        print_failures(statistics, console, "What would not work")
        for line in _totals(rows):
            console.print(line, soft_wrap=unbroken(console))
        style = "bold red" if code else "bold green"
        console.print(
            Text.assemble((f"Exit code {code}", style), f": {EXITS[code]}."), soft_wrap=unbroken(console)
        )
    show(printed.get(), sys.stdout)


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("account", "Region", "works"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        name = f" ({printable(row['account_name'])})" if row["account_name"] else ""
        said = f"skipped: {_skipped(row)}" if row["works"] is None else "yes" if row["works"] else "no"
        table.add_row(row["account_id"] + name, region_name(row["region"]), said)
    return table


def _totals(rows: list[dict[str, Any]]) -> Iterator[str]:
    accounts = {row["account_id"] for row in rows}
    works = Counter(row["works"] for row in rows)
    of = f"{count_of(len(rows), 'target')} of {count_of(len(accounts), 'account')}"
    yield f"Checked {of} (a target is an account in a Region): {works[True]:,} will work, {works[False]:,} will not."
    skipped = Counter(_skipped(row) for row in rows if row["works"] is None)
    if skipped:
        why = ", ".join(f"{count:,} {reason}" for reason, count in skipped.most_common())
        yield f"{count_of(skipped.total(), 'target')} skipped: {why}."


def _skipped(row: dict[str, Any]) -> str:
    return next((text for reason, text in REASONS.items() if reason.value == row["skipped"]), "")
