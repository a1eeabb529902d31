"""`check`: proves before a scan that it can work."""

from typing import Annotated

import typer

from scanner.cli.scan import Accounts, Config, Regions


def check(
    config: Config = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="Write the result as JSON, FILE.json or -.", metavar="PATH"),
    ] = None,
    account: Accounts = None,
    region: Regions = None,
) -> None:
    """Prove for every target that its credentials, permissions and Region work; scan nothing.

    Exit codes: 0 all will work, 2 wrong usage or configuration, 3 some will not, 4 none will.
    """
    from scanner.cli.checking import run_check
    from scanner.config import ScannerConfig
    from scanner.narrow import narrow

    settings = narrow(ScannerConfig.load(config), account or (), region or ())
    raise typer.Exit(run_check(settings, output))
