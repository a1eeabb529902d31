"""The check as the command line makes it: one table, or JSON."""

import json
import os
import sys
from typing import Any

import anyio
from rich.console import Console
from rich.table import Table

from scanner.api import Scanner
from scanner.cli.keeping import Keeping
from scanner.cli.terminal.logs import Loudness, logging_to_stderr, make_reporter
from scanner.config.settings import ScannerConfig
from scanner.errors import OutputError
from scanner.iam.remedies import REASONS, remedy_of
from scanner.inventory.model import Inventory
from scanner.inventory.records import Failure, FailureScope, Target, TargetStatus
from scanner.notify.addresses import heartbeat_of
from scanner.output import check_output, open_output
from scanner.output.outputs import Outputs
from scanner.output.text import printable

WIDTH = 140


def run_check(config: ScannerConfig, destination: str | None) -> int:
    """Checks every target; prints a table, or writes JSON to `destination`; returns the exit code."""
    output = check_output(destination) if destination else None
    if output and (output.format.suffix != ".json" or output.bucket):
        raise OutputError(f"{destination}: a check is written as JSON, to FILE.json or -")
    inventory = anyio.run(_checked, config)
    rows = [_row(inventory, target) for target in inventory.targets]
    if output:
        with open_output(output) as stream:
            stream.write(json.dumps({"targets": rows}, indent=2).encode() + b"\n")
    if destination != "-":
        _print(rows)
    works = [row["works"] for row in rows if row["works"] is not None]
    if not any(works):
        return 4
    return 0 if all(works) else 3


async def _checked(config: ScannerConfig) -> Inventory:
    with logging_to_stderr("text", Loudness.QUIET) as log:
        report = make_reporter(log, "text")
        outputs, keeping = Outputs(config.output.files, config, report), Keeping(config, report)
        heartbeat_of(config, os.environ)
        async with outputs.opened(), keeping.opened(), Scanner(config) as scanner:
            await keeping.prove()
            await outputs.prove()
            return await scanner.check()


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


def _print(rows: list[dict[str, Any]]) -> None:
    console = Console(
        highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else WIDTH
    )
    table = Table(box=None, pad_edge=False)
    for heading in ("account", "Region", "works", "what is wrong"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        name = f" ({printable(row['account_name'])})" if row["account_name"] else ""
        said = "skipped" if row["works"] is None else "yes" if row["works"] else "no"
        wrong = "\n".join(
            f"{each['operation']}: {each['kind']}: {printable(each['message'])}\n{printable(each['remedy'])}"
            for each in row["problems"]
        )
        skipped = next((text for reason, text in REASONS.items() if reason.value == row["skipped"]), "")
        table.add_row(row["account_id"] + name, row["region"], said, wrong or skipped)
    console.print(table)
