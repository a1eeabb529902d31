"""A line on stderr that says how far a scan is, on a terminal only."""

import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from scanner.inventory.events import (
    CallRetried,
    Event,
    GatewayEnded,
    GatewaysListed,
    TargetEnded,
    TargetPlanned,
)
from scanner.inventory.records import FailureKind

RECENT = 5.0
"""Seconds over which throttling is told, as of a target that still waits."""
_Key = tuple[str | None, str | None]


class Progress:
    """What the events of a scan tell of how far it is."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._begun = clock()
        self.accounts: set[str] = set()
        self.planned = self.ended = self.listed = self.gateways = self.volumes = 0
        self._waits: dict[_Key, tuple[float, float, FailureKind]] = {}
        self._asked: deque[float] = deque()

    def add(self, event: Event) -> None:
        match event:
            case TargetPlanned(account_id):
                self.accounts.add(account_id)
                self.planned += 1
            case GatewaysListed(_, _, gateways):
                self._asked.append(self._clock())
                self.listed += gateways
            case GatewayEnded(_, volumes):
                self._asked.append(self._clock())
                self.gateways += 1
                self.volumes += len(volumes)
            case CallRetried(account_id, region):
                now, key = self._clock(), (account_id, region)
                self._asked.append(now)
                begun = self._waits[key][0] if key in self._waits else now
                self._waits[key] = (begun, now + (event.delay or 0.0), event.kind)
            case TargetEnded(target):
                self.ended += 1
                self._waits.pop((target.account_id, target.region), None)
            case _:
                pass

    def line(self) -> str:
        """All of it in a line, for whoever waits."""
        now = self._clock()
        while self._asked and self._asked[0] < now - RECENT:
            self._asked.popleft()
        parts = [
            f"{len(self.accounts):,} account{'' if len(self.accounts) == 1 else 's'}",
            f"{self.gateways:,} of {max(self.listed, self.gateways):,} gateways",
            f"{self.volumes:,} volume{'' if self.volumes == 1 else 's'}",
            f"{len(self._asked) / min(RECENT, max(now - self._begun, 1.0)):.0f} answers/s",
        ]
        return ", ".join(parts) + self._waiting(now)

    def _waiting(self, now: float) -> str:
        # A copy, for the line is drawn by a thread of its own.
        waits = {key: wait for key, wait in dict(self._waits).items() if wait[1] > now - RECENT}
        if not waits:
            return ""
        kinds = Counter(
            "throttled" if wait[2] is FailureKind.THROTTLED else "waiting" for wait in waits.values()
        )
        (account, region), (begun, _, _) = min(waits.items(), key=lambda each: each[1][0])
        longest = " ".join(filter(None, (account, region))) or "the base identity"
        counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items()))
        return f"; {counts} (longest {longest}, {now - begun:.0f} s)"


@contextmanager
def progress(wanted: bool, doing: str = "Scanning") -> Iterator[Callable[[Event], None]]:
    """Yields a reader of events that moves the bar."""
    if not wanted or not sys.stderr.isatty():
        yield lambda event: None
        return
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    state, begun = Progress(), monotonic()

    def drawn() -> Group:
        row = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=max(state.planned, 1), completed=state.ended, width=24)
        count = f"{state.ended:,} of {state.planned:,} targets, {monotonic() - begun:.0f} s"
        row.add_row(Text(doing), bar, Text(count))
        return Group(row, Text(state.line(), "dim"))

    with Live(get_renderable=drawn, console=Console(stderr=True), transient=True, refresh_per_second=4):
        yield state.add
