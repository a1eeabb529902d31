"""The demo: an emulator in a thread of its own, and the same scan as ever against it."""

import os
import sys
import threading
from asyncio import Event, new_event_loop
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from scanner.cli.running import Run
from scanner.config import ScannerConfig
from scanner.emulator import Emulator
from scanner.errors import OutputError
from scanner.output import FORMATS


def run_demo(folder: str) -> None:
    """Scans the embedded fleet, and writes what it finds into `folder`."""
    try:
        Path(folder).mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: {error.strerror}") from None
    places = [f"{folder}/inventory.json"]
    try:
        FORMATS[".html"].check(f"{folder}/report.html")
        places.append(f"{folder}/report.html")
    except OutputError as missing:
        typer.echo(f"No page is written: {missing}", err=True)
    with _served() as emulator:
        _only_this_aws(emulator.environment())
        accounts = [
            {"id": account.id, "name": account.name, "role": account.roles[0].name}
            for account in emulator.fleet.accounts
        ]
        config = ScannerConfig.model_validate(
            {
                "accounts": accounts,
                "scan": {"details": ["gateway", "volumes", "tags"]},
                "retry": {"max_attempts": 4},
                "policy": {
                    "rpo": "24h",
                    "rules": [{"name": "tier-1", "rpo": "1h", "match": {"tags": {"tier": "1"}}}],
                },
                "lock": {"path": ""},
            }
        )
        typer.echo(f"Scanning an embedded fleet of {len(accounts)} accounts; no AWS account is touched.")
        Run(config, places, silent=True).scanned()
    typer.echo("")
    for place in places:
        typer.echo(f"Written: {place}")
    sys.stdout.flush()


def _only_this_aws(environment: dict[str, str]) -> None:
    # Whatever of the user's own AWS settings stayed could lead out of the demo.
    for name in list(os.environ):
        if name.startswith("AWS_"):
            del os.environ[name]
    os.environ.update(environment)


@contextmanager
def _served() -> Iterator[Emulator]:
    emulator = Emulator()
    loop, started, stop = new_event_loop(), threading.Event(), Event()

    async def serve() -> None:
        async with emulator:
            started.set()
            await stop.wait()

    def work() -> None:
        loop.run_until_complete(serve())
        loop.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    started.wait(10)
    try:
        yield emulator
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
