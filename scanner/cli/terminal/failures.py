"""Failures on a terminal, grouped by account and cause."""

import re

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from scanner.cli.terminal.console import count_of, unbroken, words_of
from scanner.iam.remedies import remedy_of
from scanner.inventory.arns import id_of
from scanner.inventory.records import ANY_REGION, Failure, FailureKind
from scanner.output.text import printable
from scanner.summary.statistics import Cause, Group, Statistics

INDENT = 2
KINDS = {
    FailureKind.CREDENTIALS: "no valid credentials",
    FailureKind.NETWORK: "no connection",
    FailureKind.DEADLINE: "not read before the deadline",
    FailureKind.INTERRUPTED: "not read before the scan was interrupted",
}
"""Kinds whose own words would not say what happened."""
ENDINGS = (FailureKind.DEADLINE, FailureKind.INTERRUPTED)
"""What ended the scan and not a call: it has one cause for all accounts."""
_STATEMENT = re.compile(r'\{"Effect".*\}')
LONGEST_MESSAGE = 400
MOST_ACCOUNTS = 3
"""Accounts that are named of those with the same failure."""
MOST_SHOWN = 20
"""Causes that are printed."""


def print_failures(statistics: Statistics, console: Console, title: str = "What could not be read") -> None:
    """Prints the failures by account and cause, each with its one remedy; what is waived comes last."""
    if not statistics.failures:
        return
    console.print(Text(title, "bold"))
    causes = {cause: group for cause, group in statistics.failures.items() if cause.kind not in ENDINGS}
    alike: dict[tuple[Cause, str], list[tuple[Cause, Group]]] = {}
    for cause, group in causes.items():
        # What is the same in many accounts, as a base identity without credentials, is told once.
        key = cause._replace(account_id=""), group.examples[0].message
        alike.setdefault(key, []).append((cause, group))
    groups = sorted(alike.values(), key=lambda each: (each[0][0].waived is not None, -_count(each)))
    for kind in ENDINGS:
        _print_ending(kind, statistics, console)
    for same in groups[:MOST_SHOWN]:
        if len(same) == 1:
            _print_group(*same[0], statistics, console)
        else:
            _print_alike(same, statistics, console)
    rest = sum(map(_count, groups[MOST_SHOWN:])) + statistics.ungrouped
    if rest:
        console.print(f"... and {count_of(rest, 'failure')} of other causes; each output names them all.")
    console.print()


def _print_ending(kind: FailureKind, statistics: Statistics, console: Console) -> None:
    """One entry for everything that the end of the scan left unread, in whichever account."""
    groups = {cause: group for cause, group in statistics.failures.items() if cause.kind is kind}
    if not groups:
        return
    if len(groups) == 1:
        _print_group(*next(iter(groups.items())), statistics, console)
        return
    accounts = count_of(len({cause.account_id for cause in groups}), "account")
    count = count_of(sum(group.count for group in groups.values()), "call")
    words = Text(KINDS[kind], "red")
    console.print(Text.assemble(f"{accounts}, {count}: ", words), soft_wrap=unbroken(console))
    _print_words(Text(f"→ {printable(remedy_of(next(iter(groups.values())).examples[0]))}", "cyan"), console)


def _count(same: list[tuple[Cause, Group]]) -> int:
    return sum(group.count for _, group in same)


def _print_alike(same: list[tuple[Cause, Group]], statistics: Statistics, console: Console) -> None:
    """One entry for a failure that is the same, to the word, in several accounts."""
    cause, group = same[0]
    accounts = [_named(each.account_id, statistics.accounts.get(each.account_id)) for each, _ in same]
    console.print(
        Text.assemble(f"{count_of(len(same), 'account')}: ", _words_of(cause), _waived(cause)),
        soft_wrap=unbroken(console),
    )
    for account in accounts[:MOST_ACCOUNTS]:
        console.print(f"  {account}", soft_wrap=unbroken(console))
    if len(accounts) > MOST_ACCOUNTS:
        console.print(f"  ... and {len(accounts) - MOST_ACCOUNTS:,} more")
    _print_cause(group.examples[0], console)


def _words_of(cause: Cause) -> Text:
    return Text(f"{KINDS.get(cause.kind) or words_of(cause.kind)} at {printable(cause.operation)}", "red")


def _waived(cause: Cause) -> str:
    return f" (waived: {printable(cause.waived)})" if cause.waived else ""


def _print_group(cause: Cause, group: Group, statistics: Statistics, console: Console) -> None:
    words, waived, first = _words_of(cause), _waived(cause), group.examples[0]
    if group.count == 1:
        console.print(
            Text.assemble(f"{_where(first, statistics)}: ", words, waived),
            soft_wrap=unbroken(console),
        )
    else:
        account = _named(cause.account_id, statistics.accounts.get(cause.account_id))
        console.print(
            Text.assemble(f"{account}, {_extent(group)}: ", words, waived),
            soft_wrap=unbroken(console),
        )
        for failure in group.examples:
            console.print(f"  {_where(failure, statistics)}", soft_wrap=unbroken(console))
        if group.count > len(group.examples):
            console.print(f"  ... and {group.count - len(group.examples):,} more")
    _print_cause(first, console)


def _print_cause(first: Failure, console: Console) -> None:
    """What the service said, and the one remedy."""
    _print_words(Text(_shortened(printable(first.message))), console)
    advice = printable(remedy_of(first))
    # A statement is on a line of its own and never broken, so that it can be pasted.
    statement = _STATEMENT.search(advice) if not unbroken(console) else None
    if statement is None:
        _print_words(Text(f"→ {advice}", "cyan"), console)
        return
    _print_words(Text(f"→ {advice[: statement.start()].rstrip()}", "cyan"), console)
    console.print(Text(statement[0], "cyan"), soft_wrap=True)
    if rest := advice[statement.end() :].lstrip("; "):
        _print_words(Text(rest, "cyan"), console)


def _print_words(text: Text, console: Console) -> None:
    """Prints `text`, which a terminal breaks between words; a file or a pipe keeps it on one line."""
    if not unbroken(console):
        console.print(Padding(text, (0, 0, 0, INDENT)))
    else:
        console.print(Text.assemble(" " * INDENT, text), soft_wrap=True)


def _extent(group: Group) -> str:
    regions = count_of(len(group.regions), "Region")
    return f"{count_of(group.gateways, 'gateway')} in {regions}" if group.gateways else regions


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
