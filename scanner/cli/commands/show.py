"""`show`: an inventory's summary again, or the volumes of it that match."""

from typing import Annotated

import typer

from scanner.cli.commands.options import HistoryPath
from scanner.cli.commands.scan import Config

Several = list[str] | None


def show(
    source: Annotated[
        str,
        typer.Argument(
            help="An inventory as .json or .ndjson; or a scan of the history: its id, latest, latest~1.",
            metavar="SOURCE",
        ),
    ],
    verdict: Annotated[
        Several, typer.Option(help="List volumes with this verdict. Repeatable.", metavar="VERDICT")
    ] = None,
    account: Annotated[
        Several,
        typer.Option(help="List volumes of this account, by id or name. Repeatable.", metavar="ACCOUNT"),
    ] = None,
    region: Annotated[
        Several, typer.Option(help="List volumes in this Region. Repeatable.", metavar="NAME")
    ] = None,
    gateway: Annotated[
        Several,
        typer.Option(help="List volumes of this gateway, by id, name or ARN. Repeatable.", metavar="GATEWAY"),
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="- for JSON on stdout.", metavar="PATH")
    ] = None,
    sort: Annotated[str, typer.Option(help="urgency, age, volume or account.", metavar="ORDER")] = "urgency",
    limit: Annotated[int | None, typer.Option(help="List so many at most.", min=1, metavar="N")] = None,
    config: Config = None,
    history: HistoryPath = None,
) -> None:
    """Print the summary of an inventory; or with --verdict, --account, --region or --gateway its volumes that match.

    Conditions of one kind are alternatives; those of several kinds must all hold. * and ? are wildcards.

    Exit codes: 0 whatever the inventory holds, 2 a source that cannot be read.
    """
    from scanner.cli.settings import settings_of
    from scanner.cli.sources import read_source
    from scanner.cli.terminal.showing import Filter, print_inventory, verdicts_of

    settings = settings_of(config, flags={"history.path": history})
    wanted = Filter(
        verdicts_of(verdict or ()),
        tuple(account or ()),
        tuple(region or ()),
        tuple(gateway or ()),
        sort,
        limit,
    )
    print_inventory(read_source(source, settings).inventory, wanted, output, settings.policy)
