"""What a scan found, for a terminal: whether it is whole, then the worst volumes, then what failed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scanner.cli.terminal.console import console_for, count_of, show, unbroken, words_of
from scanner.cli.terminal.failures import print_failures
from scanner.cli.terminal.volumes import VERDICT_STYLES, print_table
from scanner.inventory.records import Outcome, VerdictStatus
from scanner.output.text import ago, gateway_label, printable
from scanner.policy.rules import Policy, Waiver
from scanner.summary.statistics import Statistics
from scanner.summary.verdicts import URGENT, WORST_FIRST

if TYPE_CHECKING:
    from scanner.history.since import Since

NOTHING_PLANNED = (
    "There was nothing to scan: every account or Region is left out; look at include_ous, exclude_ous,"
    " exclude_accounts and exclude_regions"
)
EXITS = {
    0: "complete, and no volume needs action",
    1: "some volume needs action: it is in breach of its RPO or has no recovery point",
    3: "incomplete; what was read is written",
    4: "nothing could be read",
}
NOT_KEPT = "not everything that was read could be written"
STYLES = {Outcome.COMPLETE: "bold green", Outcome.PARTIAL: "bold red", Outcome.FAILED: "bold red"}

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
    unwritten: Sequence[str] = (),
) -> None:
    """Prints to `stream`, the answer last; other people's text on it can neither colour nor move anything.

    `written` are the places of the outputs, `unwritten` those where writing failed, `code` the exit code, where there
    is one, `since` what became of the volumes of the scan before, with a history.
    """
    console = console_for(stream)
    with console.capture() as printed:
        _last_known(statistics, console)
        if since and since.counts:
            _since(since, console)
        print_failures(statistics, console)
        _volumes(statistics, console)
        _detached(statistics, console)
        _expired(policy.expired(statistics.scan.finished_at), console)
        _coverage(statistics, console)
        _answer(statistics, console)
        if written:
            console.print(f"Written: {printable(', '.join(written))}", soft_wrap=True)
        if unwritten:
            said = Text.assemble(("Not written:", "bold red"), f" {printable(', '.join(unwritten))}")
            console.print(said, soft_wrap=True)
        if code is not None:
            console.print(
                f"Exit code {code}: {_meaning(code, statistics, unwritten)}.", soft_wrap=unbroken(console)
            )
    show(printed.get(), stream)


def _meaning(code: int, statistics: Statistics, unwritten: Sequence[str]) -> str:
    if code == 3 and statistics.whole:
        return NOT_KEPT
    if code == 3 and unwritten:
        return f"incomplete, and {NOT_KEPT}"
    return EXITS[code]


def _detached(statistics: Statistics, console: Console) -> None:
    if not statistics.detached:
        return
    named = ", ".join(f"{printable(volume.id)} in {volume.region}" for volume in statistics.detached_named)
    more = statistics.detached - len(statistics.detached_named)
    said = f"{count_of(statistics.detached, 'volume')} {'is' if statistics.detached == 1 else 'are'} detached"
    console.print(
        f"{said}, so no gateway could be asked: {named}{f' and {more} more' if more else ''}.",
        soft_wrap=unbroken(console),
    )
    console.print()


def _expired(waivers: Sequence[Waiver], console: Console) -> None:
    for waiver in waivers:
        said = (
            f"The waiver “{printable(waiver.reason)}” ended on {waiver.until}: it excuses nothing any more."
        )
        console.print(Text(said, "yellow"), soft_wrap=unbroken(console))
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
    none = len(known) - within - beyond
    parts = [
        f"{count} {words}"
        for count, words in (
            (beyond, f"may be beyond {_their(beyond)} by now"),
            (within, f"{_are(within)} certainly within {'it' if beyond else _their(within)}"),
            (none, "has none" if none == 1 else "have none"),
        )
        if count
    ]
    since = min(each.observed_at for each in known)
    console.print(
        f"Of volumes that were not read, {len(known)} {_are(len(known))} known from earlier scans,"
        f" since {since:%Y-%m-%d %H:%M} UTC: "
        f"{', '.join(parts)}."
    )


def _agreeing(said: str, count: int) -> str:
    """`said` of several volumes, as it is said of so many."""
    if count != 1:
        return said
    verb, *rest = said.split(" ", 1)
    return " ".join(({"have": "has", "were": "was"}.get(verb, verb), *rest)).replace(" their ", " its ")


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _their(count: int) -> str:
    return "its RPO" if count == 1 else "their RPO"


def _since(since: "Since", console: Console) -> None:
    counts = ", ".join(
        f"{count} {_agreeing(GONE[kind.value], count)}" for kind, count in since.counts.items()
    )
    console.print(
        f"Of the volumes of the scan of {since.scanned_at:%Y-%m-%d %H:%M} UTC: {counts}.",
        soft_wrap=unbroken(console),
    )
    for arn in since.backwards[:MOST_BACKWARDS]:
        console.print(f"  backwards: {printable(arn.split(':', 3)[-1])}", soft_wrap=unbroken(console))
    if len(since.backwards) > MOST_BACKWARDS:
        console.print(f"  ... and {len(since.backwards) - MOST_BACKWARDS} more")


def _parts(counts: Mapping[str, int], total: str) -> str:
    return ", ".join(
        f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if name != total and count
    )


def _verdicts(statistics: Statistics) -> Text:
    counts = [
        Text(f"{statistics.verdicts[kind.status]} {words_of(kind.status)}", VERDICT_STYLES[kind.status])
        for kind in WORST_FIRST
        if statistics.verdicts[kind.status]
    ]
    return Text(", ").join(counts)


def _answer(statistics: Statistics, console: Console) -> None:
    coverage = statistics.coverage()
    if statistics.planned and statistics.scan.outcome is Outcome.FAILED:
        # Zero would sound as if somebody had looked.
        console.print(
            Text("Nothing was read: of no volume is anything known.", "bold red"), soft_wrap=unbroken(console)
        )
        return
    volumes, waived = coverage.volumes, coverage.volumes.waived
    excused = f" A waiver excuses {waived} more." if waived else ""
    style = "bold red" if volumes.need_action else "bold green" if statistics.whole else "bold"
    needed = (
        f"{count_of(volumes.need_action, 'volume')} {'needs' if volumes.need_action == 1 else 'need'} action"
    )
    console.print(Text.assemble((f"{needed}.", style), excused), soft_wrap=unbroken(console))
    unread = [
        count_of(count, noun)
        for count, noun in ((coverage.targets.failed, "target"), (coverage.gateways.failed, "gateway"))
        if count
    ]
    if unread:
        verb = "was" if coverage.targets.failed + coverage.gateways.failed == 1 else "were"
        said = f"{' and '.join(unread)} {verb} not read"
        console.print(
            Text.assemble((said, "bold red"), ": volumes there may need action, too."),
            soft_wrap=unbroken(console),
        )
    elif not statistics.whole:
        console.print(
            Text("Not everything was read: volumes may be missing.", "bold red"), soft_wrap=unbroken(console)
        )
    unknown = volumes.unknown - statistics.detached
    if unknown and not unread:
        # Its gateway went away or has no recovery points to give: no failure says so.
        said = f"Of {count_of(unknown, 'volume')} nobody could say how old the recovery point is."
        console.print(Text(said, "yellow"), soft_wrap=unbroken(console))
    console.print(f"{count_of(volumes.known, 'volume')} {'is' if volumes.known == 1 else 'are'} known.")


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
    print_table(shown, statistics.accounts, console)
    console.print()
