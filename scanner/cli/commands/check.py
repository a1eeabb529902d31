"""`check`: proves before a scan that it can work."""

from typing import Annotated

import typer

from scanner.cli.commands.scan import Accounts, Config, Regions


def check(
    config: Config = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="Write the result as JSON, FILE.json or -.", metavar="PATH"),
    ] = None,
    account: Accounts = None,
    region: Regions = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Print every target, not only what is wrong.")
    ] = False,
) -> None:
    """Prove that a scan can work; scan nothing.

    For every target: its credentials, its permissions, its Region. Prints what is wrong by account and cause, and
    what mends it.

    Exit codes: 0 all will work, 2 wrong usage or configuration, 3 some will not, 4 none will.
    """
    from scanner.cli.settings import settings_of
    from scanner.cli.terminal.checking import run_check

    raise typer.Exit(run_check(settings_of(config, account, region), output, verbose=verbose))
