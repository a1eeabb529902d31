"""A progress bar on stderr, on a terminal only."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from scanner.inventory.events import Event, GatewaysListed, TargetEnded, TargetPlanned


@contextmanager
def progress(wanted: bool) -> Iterator[Callable[[Event], None]]:
    """Yields a reader of events that moves the bar."""
    if not wanted or not sys.stderr.isatty():
        yield lambda event: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("targets, {task.fields[gateways]} gateways"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Scanning", total=0, gateways=0)
        planned = gateways = 0

        def show(event: Event) -> None:
            nonlocal planned, gateways
            if isinstance(event, TargetPlanned):
                planned += 1
                bar.update(task, total=planned)
            elif isinstance(event, GatewaysListed):
                gateways += event.gateways
                bar.update(task, gateways=gateways)
            elif isinstance(event, TargetEnded):
                bar.advance(task)

        yield show
