"""The demo: an emulator in a thread of its own, and the same scan as ever against it."""

import asyncio
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import typer

from scanner.cli.running import Run
from scanner.cli.terminal.logs import Loudness
from scanner.config.settings import ScannerConfig
from scanner.emulator import Emulator
from scanner.errors import OutputError
from scanner.output import check_output

STARTS_WITHIN = 30
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
    places = [inventory] if missing else [inventory, page]
    with _served() as emulator, _environment(emulator.environment()):
        config = _config(emulator)
        typer.echo(
            f"Scanning an embedded fleet of {len(config.accounts)} accounts. Nothing leaves this machine.\n"
        )
        run = Run(config, tuple(places), Loudness.QUIET, summary=True)
        code = run.go()
    typer.echo(f"\nA scan of your own that finds this ends with exit code {code}; the demo ends with 0.")
    typer.echo(f"  {inventory}  everything that was found")
    typer.echo(f"  {page}     {missing or 'the same as a page: open it in a browser'}")
    typer.echo("Next: sgw-scanner init writes a scanner.toml for your own accounts.")


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


@contextmanager
def _served() -> Iterator[Emulator]:
    # In a thread, so that the scan has an event loop of its own, as always.
    emulator = Emulator()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="sgw-emulator", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(emulator.start(), loop).result(STARTS_WITHIN)
        yield emulator
        asyncio.run_coroutine_threadsafe(emulator.stop(), loop).result(STARTS_WITHIN)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(STARTS_WITHIN)
        loop.close()
