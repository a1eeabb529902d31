"""What a scan found, for a terminal: whether it is whole, then the worst volumes, then what failed."""

import heapq
from collections import Counter
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scanner.config import ScannerConfig
from scanner.model import Inventory
from scanner.output.remedies import REMEDIES
from scanner.output.text import age, printable, size
from scanner.permissions import remedy
from scanner.policy import is_breach, urgency
from scanner.records import Failure, FailureKind, Outcome, VerdictStatus, Volume

MOST_VOLUMES = 10
MOST_PLACES = 3
WIDTH = 140
STYLES = {Outcome.COMPLETE: "bold green", Outcome.PARTIAL: "bold red", Outcome.FAILED: "bold red"}
CALM = (VerdictStatus.OK, VerdictStatus.UNRATED)


def exit_code(inventory: Inventory, *, failed_outputs: bool = False) -> int:
    """0 complete, 1 a breach that is not waived, 3 incomplete or an output not written, 4 nothing read."""
    if inventory.scan.outcome is Outcome.FAILED:
        return 4
    if any(is_breach(volume.verdict) for volume in inventory.volumes):
        return 1
    info = inventory.scan
    incomplete = info.outcome is Outcome.PARTIAL or info.deadline_reached or info.interrupted
    return 3 if incomplete or failed_outputs else 0


def print_summary(inventory: Inventory, config: ScannerConfig, stream: TextIO) -> None:
    """Prints to `stream`; other people's text on it can neither colour nor move anything."""
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(file=stream, highlight=False, markup=False, emoji=False, width=WIDTH)
    _coverage(inventory, console)
    _volumes(inventory, console)
    _failures(inventory, console)
    for waiver in config.policy.expired(inventory.scan.finished_at):
        console.print(
            f"The waiver {printable(waiver.reason)!r} expired on {waiver.until} and counts for nothing."
        )


def _coverage(inventory: Inventory, console: Console) -> None:
    info, coverage = inventory.scan, inventory.coverage
    seconds = (info.finished_at - info.started_at).total_seconds()
    ended = " by the deadline" if info.deadline_reached else " by a signal" if info.interrupted else ""
    headline = f"Scan {info.outcome.value}" + (f", ended{ended}" if ended else "") + f", {seconds:.1f} s"
    console.print(Text(headline, STYLES[info.outcome]))
    table = Table(box=None, pad_edge=False, show_header=False)
    targets, gateways = coverage.targets, coverage.gateways
    table.add_row("targets", str(targets.planned), _parts(targets.model_dump(), "planned"))
    table.add_row("gateways", str(gateways.listed), _parts(gateways.model_dump(), "listed"))
    verdicts = Counter(volume.verdict.status.value for volume in inventory.volumes)
    table.add_row(
        "volumes",
        str(coverage.volumes),
        _parts({status.value: verdicts[status.value] for status in VerdictStatus}, ""),
    )
    table.add_row(
        "API calls", str(coverage.calls.attempted), _parts(coverage.calls.model_dump(), "attempted")
    )
    points = [volume.recovery_point_time for volume in inventory.volumes if volume.recovery_point_time]
    if points:
        oldest = min(points)
        table.add_row(
            "oldest point", age((info.finished_at - oldest).total_seconds()), f"{oldest:%Y-%m-%d %H:%M} UTC"
        )
    console.print(table)


def _parts(counts: dict[str, int], total: str) -> str:
    return ", ".join(
        f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if name != total and count
    )


def _volumes(inventory: Inventory, console: Console) -> None:
    rated = [volume for volume in inventory.volumes if volume.verdict.status not in CALM]
    if not rated:
        return
    gateways = {gateway.arn: gateway for gateway in inventory.gateways}
    accounts = {target.account_id: target.account_name for target in inventory.targets}
    title = f"Worst volumes ({min(MOST_VOLUMES, len(rated))} of {len(rated)})"
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for heading in ("volume", "verdict", "age", "RPO", "gateway", "account", "Region", "used"):
        table.add_column(heading, overflow="fold")
    for volume in heapq.nsmallest(MOST_VOLUMES, rated, key=urgency):
        gateway = gateways[volume.gateway_arn]
        table.add_row(
            volume.id,
            _verdict(volume),
            age(volume.verdict.age_seconds),
            "none" if volume.verdict.rpo_seconds is None else age(volume.verdict.rpo_seconds),
            printable(gateway.name or gateway.id),
            printable(accounts.get(volume.account_id) or volume.account_id),
            volume.region,
            size(volume.usage_bytes),
        )
    console.print()
    console.print(table)


def _verdict(volume: Volume) -> str:
    waived = " (waived)" if volume.verdict.waived else ""
    return volume.verdict.status.value.replace("_", " ") + waived


def _failures(inventory: Inventory, console: Console) -> None:
    groups: dict[tuple[str, str], list[Failure]] = {}
    for failure in inventory.failures:
        groups.setdefault((failure.kind.value, failure.operation), []).append(failure)
    if not groups:
        return
    console.print()
    console.print(Text(f"Not read ({len(inventory.failures)})", "bold"))
    for (kind, operation), failures in sorted(groups.items()):
        console.print(f"{kind}, {operation}: {len(failures)}")
        for failure in failures[:MOST_PLACES]:
            place = failure.gateway_arn or " ".join(filter(None, (failure.account_id, failure.region)))
            console.print(f"  {place}: {printable(failure.message)}")
        if len(failures) > MOST_PLACES:
            console.print(f"  ... and {len(failures) - MOST_PLACES} more")
        console.print(f"  What to do: {_remedy(failures[0])}")


def _remedy(failure: Failure) -> str:
    if failure.kind is FailureKind.ACCESS_DENIED:
        return remedy(failure.operation)
    return REMEDIES[failure.kind]
