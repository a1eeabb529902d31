"""`history`: what the kept scans know."""

from typing import Annotated

import typer

from scanner.cli.commands.options import HistoryPath
from scanner.cli.commands.scan import Config

app = typer.Typer(no_args_is_help=True, help="Ask the kept scans, and look after them.")
Format = Annotated[str, typer.Option(help="table, csv or json.", metavar="FORMAT")]
FORMATS = ("table", "csv", "json")


@app.command("list")
def list_scans(config: Config = None, history: HistoryPath = None, format: Format = "table") -> None:
    """List the kept scans, oldest first."""
    from scanner.cli.kept import opened
    from scanner.cli.terminal.tables import print_rows, table_format
    from scanner.history.summary import COLUMNS, row_of

    shape = table_format(format, FORMATS)
    with opened(config, history) as kept:
        print_rows(COLUMNS, [row_of(scan) for scan in kept.history.scans()], shape)


@app.command()
def show(
    scan: Annotated[str, typer.Argument(help="A scan's id or its beginning, latest, or latest~1.")],
    config: Config = None,
    history: HistoryPath = None,
    format: Annotated[str, typer.Option(help="table or json.", metavar="FORMAT")] = "table",
) -> None:
    """Show one kept scan: its summary, or with `--format json` its whole inventory."""
    import sys

    from scanner.cli.kept import opened
    from scanner.cli.terminal.summary import print_summary
    from scanner.cli.terminal.tables import table_format
    from scanner.output.destination import parse_output
    from scanner.output.s3_upload import save_here
    from scanner.summary.replay import statistics_of

    shape = table_format(format, ("table", "json"))
    with opened(config, history) as kept:
        inventory = kept.history.read(scan)
    if shape == "json":
        save_here(inventory, parse_output("-"))
    else:
        print_summary(statistics_of(inventory), kept.config.policy, sys.stdout)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help='One SELECT, such as "SELECT * FROM spells".', metavar="SQL")],
    config: Config = None,
    history: HistoryPath = None,
    format: Format = "table",
    time_limit: Annotated[
        str, typer.Option(help="End the query after that long.", metavar="DURATION")
    ] = "60s",
) -> None:
    """Ask the kept scans in SQL.

    The views are scans, targets, gateways, volumes, failures, latest, spells and compliance. The query reads
    the history and nothing else, and changes nothing.
    """
    from scanner.cli.kept import duration, opened
    from scanner.cli.terminal.tables import print_rows, table_format
    from scanner.history.queries import query as ask

    shape = table_format(format, FORMATS)
    limit = duration("--time-limit", time_limit)
    with opened(config, history) as kept:
        answer = ask(kept.history, query, time_limit=limit)
    print_rows(answer.columns, answer.rows, shape)


@app.command()
def trend(
    config: Config = None,
    history: HistoryPath = None,
    format: Annotated[str, typer.Option(help="table or json.", metavar="FORMAT")] = "table",
    over: Annotated[str, typer.Option(help="How far back from the newest scan.", metavar="DURATION")] = "90d",
) -> None:
    """Tell how well the RPOs were kept over time: by day, and in minutes of danger."""
    from scanner.cli.kept import duration, opened
    from scanner.cli.terminal.tables import table_format
    from scanner.cli.terminal.trend import print_trend
    from scanner.history.trend import trend as trend_of

    shape = table_format(format, ("table", "json"))
    length = duration("--over", over)
    with opened(config, history) as kept:
        found = trend_of(kept.history, length)
    print_trend(found, shape)


@app.command()
def prune(
    config: Config = None,
    history: HistoryPath = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would go, and leave it.")] = False,
    keep: Annotated[
        str | None,
        typer.Option(help="Instead of history.keep: counted back from the newest scan.", metavar="DURATION"),
    ] = None,
) -> None:
    """Remove scans that are older than `history.keep`, counted back from the newest scan.

    The newest scan that read a target stays, however old it is.
    """
    from scanner.cli.kept import opened
    from scanner.cli.terminal.console import count_of
    from scanner.history.retention import prune as let_go

    with opened(config, history, {"history.keep": keep}) as kept:
        keeping = kept.config.history.keep
        # From the bucket first: what it still has would come back into the copy.
        kept.remove(() if dry_run else let_go(kept.history, keeping, dry_run=True).removed)
        done = let_go(kept.history, keeping, dry_run=dry_run)
    for key in done.scans:
        typer.echo(key)
    verb = "would be removed" if dry_run else "removed"
    typer.echo(
        f"{count_of(len(done.scans), 'scan')} {verb}, {done.kept} kept;"
        f" {count_of(len(done.orphans), 'leftover file')} {verb}."
    )


@app.command()
def check(config: Config = None, history: HistoryPath = None) -> None:
    """Compare every kept file with the sum that was written beside it.

    Exit codes: 0 all is whole, 1 something is damaged, 2 there is no such history.
    """
    from scanner.cli.kept import opened
    from scanner.cli.terminal.console import count_of

    with opened(config, history) as kept:
        problems = list(kept.history.problems())
        scans = len(kept.history.manifest_names())
    for problem in problems:
        typer.echo(problem)
    typer.echo(f"{count_of(scans, 'scan')}, {count_of(len(problems), 'problem')}.")
    raise typer.Exit(1 if problems else 0)
