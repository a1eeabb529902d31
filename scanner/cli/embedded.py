"""The demo: a scan against an emulator in a thread of its own."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import typer

from scanner.cli.process.name import command_name
from scanner.cli.running import Run
from scanner.cli.terminal.logs import Loudness
from scanner.config.settings import ScannerConfig
from scanner.emulator import Emulator, background
from scanner.errors import OutputError
from scanner.output import check_output

FOREIGN = ("AWS_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy")
"""What would lead the demo to anything but its own fleet."""


def run_demo(folder: Path) -> None:
    """Scans the embedded fleet, writes what it finds into `folder`, and says what to look at."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be made: {error.strerror}; run the demo where you may write"
        ) from None
    inventory, page = str(folder / "inventory.json"), str(folder / "report.html")
    missing = _missing(page)
    destinations = [inventory] if missing else [inventory, page]
    with background() as emulator, _environment(emulator.environment()):
        config = _config(emulator)
        typer.echo(
            f"Scanning an embedded fleet of {len(config.accounts)} accounts. Nothing leaves this machine.\n"
        )
        run = Run(config, tuple(destinations), Loudness.QUIET)
        code = run.go()
    typer.echo(f"\nA scan of your own that finds this ends with exit code {code}; the demo ends with 0.")
    typer.echo(f"  {inventory}  everything that was found")
    typer.echo(f"  {page}     {missing or 'the same as a page: open it in a browser'}")
    typer.echo("Next:")
    typer.echo(f"  {command_name()} scan   scans your own account, with the credentials that your shell has")
    typer.echo(f"  {command_name()} init   writes a scanner.toml for many accounts")


def _missing(page: str) -> str | None:
    try:
        check_output(page)
    except OutputError as error:
        return f"not written: {str(error).removeprefix(f'{page}: ')}"
    return None


def _config(emulator: Emulator) -> ScannerConfig:
    accounts = [
        {"id": account.id, "name": account.name, "role": account.roles[0].name}
        for account in emulator.fleet.accounts
    ]
    rules = [{"name": "tier-1", "rpo": "1h", "match": {"tags": {"tier": "1"}}}]
    return ScannerConfig.model_validate(
        {
            "accounts": accounts,
            "scan": {"details": ["gateway", "volumes", "tags"]},
            "retry": {"max_attempts": 4},
            "policy": {"rpo": "24h", "rules": rules},
        }
    )


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    for name in before:
        if name.startswith(FOREIGN):
            del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
