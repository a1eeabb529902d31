"""`diff`: what changed between two scans."""

from typing import Annotated

import typer

from scanner.cli.commands.options import HistoryPath
from scanner.cli.commands.scan import Config

Format = Annotated[str, typer.Option(help="table, json or ndjson.", metavar="FORMAT")]
SOURCE = "An inventory as .json or .ndjson; or a scan of the history: its id, latest, latest~1."


def diff(
    old: Annotated[str, typer.Argument(help=SOURCE, metavar="OLD")],
    new: Annotated[str, typer.Argument(help="The same, for the newer scan.", metavar="NEW")],
    config: Config = None,
    history: HistoryPath = None,
    format: Format = "table",
) -> None:
    """Show what came, went and changed between two scans. What was not read is never told as gone.

    Exit codes: 0 nothing changed, 1 something did, 2 a source cannot be read.
    """
    from scanner.cli.settings import settings_of
    from scanner.cli.sources import read_source
    from scanner.cli.terminal.tables import print_rows, table_format
    from scanner.history.changes import diff as changes_between

    shape = table_format(format, ("table", "json", "ndjson"))
    settings = settings_of(config, flags={"history.path": history})
    one, other = (read_source(reference, settings) for reference in (old, new))
    changes = list(
        changes_between(
            one.inventory, other.inventory, old_narrowed=one.narrowed, new_narrowed=other.narrowed
        )
    )
    columns = ("what", "kind", "account_id", "region", "key", "before", "after")
    # A table has no room for what the other columns say already.
    short = shape == "table"
    rows = [
        (
            each.what,
            each.kind.value,
            each.account_id,
            each.region,
            *(_short(text) if short else text for text in (each.key, each.before, each.after)),
        )
        for each in changes
    ]
    if rows or shape != "table":
        print_rows(columns, rows, shape)
    else:
        typer.echo("Nothing changed.")
    raise typer.Exit(1 if rows else 0)


def _short(text: str | None) -> str | None:
    """An ARN without the account and the Region."""
    return text.split(":", 5)[-1] if text and text.startswith("arn:") else text
