"""What a scan found, for a terminal: whether it is whole, then the worst volumes, then what failed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scanner.iam.remedies import remedy_of
from scanner.inventory.arns import id_of
from scanner.inventory.records import (
    ANY_REGION,
    Failure,
    FailureKind,
    Gateway,
    Outcome,
    VerdictStatus,
    Volume,
)
from scanner.output.text import age_of, ago, gateway_label, printable, rpo_of, size
from scanner.policy.rules import Policy, Waiver
from scanner.summary.statistics import Cause, Group, Statistics
from scanner.summary.verdicts import URGENT, WORST_FIRST

if TYPE_CHECKING:
    from scanner.history.since import Since

WIDTH = 140
"""Of a summary that no terminal bounds."""
LONGEST_MESSAGE = 400
NOTHING_PLANNED = (
    "There was nothing to scan: every account or Region is left out; look at include_ous, exclude_ous,"
    " exclude_accounts and exclude_regions"
)
COLUMNS = ("volume", "verdict", "age", "gateway", "account", "Region", "RPO", "used")
WIDE = 110
"""Columns of a terminal that has room for all of them; a narrow one does without the last two."""
MOST_SHOWN = 20
"""Causes of failures that are printed."""
EXITS = {
    0: "complete, and no volume needs action",
    1: "some volume needs action: it is in breach of its RPO or has no recovery point",
    3: "incomplete; what was read is written",
    4: "nothing could be read",
}
STYLES = {Outcome.COMPLETE: "bold green", Outcome.PARTIAL: "bold red", Outcome.FAILED: "bold red"}
VERDICT_STYLES = {
    VerdictStatus.NO_RECOVERY_POINT: "red",
    VerdictStatus.BREACH: "red",
    VerdictStatus.UNKNOWN: "magenta",
    VerdictStatus.AT_RISK: "yellow",
    VerdictStatus.UNRATED: "",
    VerdictStatus.OK: "green",
}

GONE = {
    "backwards": "have a recovery point that is older than one that was seen before, or none any more",
    "vanished": "vanished",
    "left_scope": "left the scope",
    "not_asked": "were not asked this time",
}
"""What became of volumes, as `scanner.history.since` tells it apart."""
MOST_BACKWARDS = 10


def print_summary(
    statistics: Statistics,
    policy: Policy,
    stream: TextIO,
    written: Sequence[str] = (),
    code: int | None = None,
    since: "Since | None" = None,
) -> None:
    """Prints to `stream`, the answer last; other people's text on it can neither colour nor move anything.

    `written` are the places of the outputs, `code` the exit code, where there is one,
    `since` what became of the volumes of the scan before, with a history.
    """
    console = console_for(stream)
    with console.capture() as printed:
        _last_known(statistics, console)
        if since and since.counts:
            _since(since, console)
        _failures(statistics, console)
        _volumes(statistics, console)
        _expired(policy.expired(statistics.scan.finished_at), console)
        _coverage(statistics, console)
        _answer(statistics, console)
        if written:
            console.print(f"Written: {printable(', '.join(written))}", soft_wrap=True)
        if code is not None:
            console.print(f"Exit code {code}: {EXITS[code]}.", soft_wrap=True)
    # Rich pads every line, and ends the process with 1, which means a breach, where it cannot write.
    stream.write("".join(f"{line.rstrip()}\n" for line in printed.get().splitlines()))
    stream.flush()


def console_for(stream: TextIO) -> Console:
    """A console that takes nothing in what it prints for markup."""
    width = None if stream.isatty() else WIDTH
    return Console(file=stream, highlight=False, markup=False, emoji=False, width=width)


def _expired(waivers: Sequence[Waiver], console: Console) -> None:
    for waiver in waivers:
        said = (
            f"The waiver “{printable(waiver.reason)}” ended on {waiver.until}: it excuses nothing any more."
        )
        console.print(Text(said, "yellow"), soft_wrap=True)
    if waivers:
        console.print()


def _coverage(statistics: Statistics, console: Console) -> None:
    scan, coverage = statistics.scan, statistics.coverage()
    by = "the deadline" if scan.deadline_reached else "a signal" if scan.interrupted else None
    seconds = (scan.finished_at - scan.started_at).total_seconds()
    ended = f", ended by {by}" if by else ""
    headline = Text.assemble("Scan ", (scan.outcome.value, STYLES[scan.outcome]), f"{ended}, {seconds:.1f} s")
    console.print(headline)
    if not statistics.planned:
        console.print(Text(NOTHING_PLANNED, "bold red"))
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    table.add_row("targets", str(statistics.planned), _parts(coverage.targets.model_dump(), "planned"))
    table.add_row("gateways", str(statistics.listed), _parts(coverage.gateways.model_dump(), "listed"))
    table.add_row("volumes", str(coverage.volumes.known), _verdicts(statistics))
    calls = coverage.calls
    table.add_row("API calls", str(calls.attempted), _parts(calls.model_dump(), "attempted"))
    console.print(table)
    if statistics.oldest:
        volume, gateway = statistics.oldest[0]
        point, old = volume.recovery_point_time, volume.verdict.age_seconds
        since = "" if old is None else f", {ago(old)},"
        where = f"{volume.id} on {gateway_label(volume, gateway)}"
        console.print(f"The oldest recovery point{since} is of {point:%Y-%m-%d %H:%M} UTC: {where}.")


def _last_known(statistics: Statistics, console: Console) -> None:
    known = statistics.last_known
    if not known:
        return
    within = sum(each.within_rpo is True for each in known)
    beyond = sum(each.within_rpo is False for each in known)
    parts = [
        f"{count} {words}"
        for count, words in (
            (beyond, "may be beyond their RPO by now"),
            (within, "are certainly within it" if beyond else "are certainly within their RPO"),
            (len(known) - within - beyond, "have none"),
        )
        if count
    ]
    since = min(each.observed_at for each in known)
    console.print(
        f"Of volumes that were not read, {len(known)} are known from earlier scans, since {since:%Y-%m-%d %H:%M} UTC: "
        f"{', '.join(parts)}."
    )


def _since(since: "Since", console: Console) -> None:
    counts = ", ".join(f"{count} {GONE[kind.value]}" for kind, count in since.counts.items())
    console.print(
        f"Of the volumes of the scan of {since.scanned_at:%Y-%m-%d %H:%M} UTC: {counts}.", soft_wrap=True
    )
    for arn in since.backwards[:MOST_BACKWARDS]:
        console.print(f"  backwards: {printable(arn.split(':', 3)[-1])}", soft_wrap=True)
    if len(since.backwards) > MOST_BACKWARDS:
        console.print(f"  ... and {len(since.backwards) - MOST_BACKWARDS} more")


def _parts(counts: Mapping[str, int], total: str) -> str:
    return ", ".join(
        f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if name != total and count
    )


def _verdicts(statistics: Statistics) -> Text:
    counts = [
        Text(f"{statistics.verdicts[kind.status]} {_words(kind.status)}", VERDICT_STYLES[kind.status])
        for kind in WORST_FIRST
        if statistics.verdicts[kind.status]
    ]
    return Text(", ").join(counts)


def _answer(statistics: Statistics, console: Console) -> None:
    coverage = statistics.coverage()
    volumes, waived = coverage.volumes, coverage.volumes.waived
    excused = f" A waiver excuses {waived} more." if waived else ""
    style = "bold red" if volumes.need_action else "bold green" if statistics.whole else "bold"
    needed = (
        f"{_count(volumes.need_action, 'volume')} {'needs' if volumes.need_action == 1 else 'need'} action"
    )
    console.print(Text.assemble((f"{needed}.", style), excused), soft_wrap=True)
    unread = [
        _count(count, noun)
        for count, noun in ((coverage.targets.failed, "target"), (coverage.gateways.failed, "gateway"))
        if count
    ]
    if unread:
        verb = "was" if coverage.targets.failed + coverage.gateways.failed == 1 else "were"
        said = f"{' and '.join(unread)} {verb} not read"
        console.print(
            Text.assemble((said, "bold red"), ": volumes there may need action, too."), soft_wrap=True
        )
    elif not statistics.whole:
        console.print(Text("Not everything was read: volumes may be missing.", "bold red"), soft_wrap=True)
    console.print(f"{_count(volumes.known, 'volume')} {'is' if volumes.known == 1 else 'are'} known.")


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _volumes(statistics: Statistics, console: Console) -> None:
    worrying = sum(count for status, count in statistics.verdicts.items() if status in URGENT)
    shown = statistics.worst
    title = "The worst volumes"
    if len(shown) < worrying:
        title = f"The worst {len(shown)} of {worrying} volumes to look at"
    if not shown and statistics.verdicts[VerdictStatus.UNRATED]:
        # Nothing rates them, so their age alone must tell where to look.
        shown, title = statistics.oldest, "The oldest recovery points; set policy.rpo to have them rated"
    if not shown:
        return
    console.print(Text(title, "bold"))
    console.print(_table(shown, statistics.accounts, console.width))
    console.print()


def print_volumes(
    volumes: Sequence[tuple[Volume, Gateway | None]], accounts: Mapping[str, str | None], stream: TextIO
) -> None:
    """Prints a row for each volume, and how many there are."""
    console = console_for(stream)
    with console.capture() as printed:
        if volumes:
            console.print(_table(volumes, accounts, console.width))
        else:
            console.print("No volume matches.")
    stream.write("".join(f"{line.rstrip()}\n" for line in printed.get().splitlines()))
    stream.flush()


def _table(
    volumes: Sequence[tuple[Volume, Gateway | None]], accounts: Mapping[str, str | None], width: int
) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    columns = COLUMNS if width >= WIDE else COLUMNS[:-2]
    for heading in columns:
        table.add_column(heading, no_wrap=True, overflow="ellipsis")
    for volume, gateway in volumes:
        row = _row(volume, gateway, accounts.get(volume.account_id))
        table.add_row(*row[: len(columns)])
    return table


def _row(volume: Volume, gateway: Gateway | None, account_name: str | None) -> list[str | Text]:
    verdict = volume.verdict
    waived = " (waived)" if verdict.waived else ""
    return [
        volume.id,
        Text(_words(verdict.status) + waived, VERDICT_STYLES[verdict.status]),
        age_of(verdict),
        gateway_label(volume, gateway),
        printable(account_name or volume.account_id),
        volume.region,
        rpo_of(verdict),
        size(volume.usage_bytes),
    ]


def _words(status: VerdictStatus | FailureKind) -> str:
    return status.value.replace("_", " ")


def _failures(statistics: Statistics, console: Console) -> None:
    if not statistics.failures:
        return
    console.print(Text("What could not be read", "bold"))
    groups = sorted(
        statistics.failures.items(), key=lambda each: (each[0].waived is not None, -each[1].count)
    )
    for cause, group in groups[:MOST_SHOWN]:
        _print_group(cause, group, statistics, console)
    rest = sum(group.count for _, group in groups[MOST_SHOWN:]) + statistics.ungrouped
    if rest:
        console.print(f"... and {_count(rest, 'failure')} of other causes; each output names them all.")
    console.print()


def _print_group(cause: Cause, group: Group, statistics: Statistics, console: Console) -> None:
    words = Text(f"{_words(cause.kind)} at {printable(cause.operation)}", "red")
    waived = f" (waived: {printable(cause.waived)})" if cause.waived else ""
    first = group.examples[0]
    if group.count == 1:
        console.print(Text.assemble(f"{_where(first, statistics)}: ", words, waived), soft_wrap=True)
    else:
        account = _named(cause.account_id, statistics.accounts.get(cause.account_id))
        console.print(Text.assemble(f"{account}, {_extent(group)}: ", words, waived), soft_wrap=True)
        for failure in group.examples:
            console.print(f"  {_where(failure, statistics)}", soft_wrap=True)
        if group.count > len(group.examples):
            console.print(f"  ... and {group.count - len(group.examples):,} more")
    console.print(f"  {_shortened(printable(first.message))}", soft_wrap=True)
    console.print(Text(f"  → {printable(remedy_of(first))}", "cyan"), soft_wrap=True)


def _extent(group: Group) -> str:
    regions = _count(len(group.regions), "Region")
    return f"{_count(group.gateways, 'gateway')} in {regions}" if group.gateways else regions


def _where(failure: Failure, statistics: Statistics) -> str:
    account = statistics.accounts.get(failure.account_id)
    region = None if failure.region == ANY_REGION else failure.region
    where = ", ".join(filter(None, (_named(failure.account_id, account), region)))
    if failure.gateway_arn is None:
        return where
    gateway = _named(id_of(failure.gateway_arn), statistics.gateway_names.get(failure.gateway_arn))
    return f"{gateway} in {where}"


def _named(id: str, name: str | None) -> str:
    return f"{printable(name)} ({id})" if name else id


def _shortened(message: str) -> str:
    return message if len(message) <= LONGEST_MESSAGE else message[: LONGEST_MESSAGE - 1] + "…"
