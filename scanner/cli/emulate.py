"""`emulate`: the embedded service for any AWS client."""

from pathlib import Path
from typing import Annotated

import typer


def emulate(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.", min=0)] = 0,
    fleet: Annotated[Path | None, typer.Option(help="A fleet in TOML; else the demo fleet.")] = None,
) -> None:
    """Serve the embedded Storage Gateway for any AWS client, on this machine only, until interrupted.

    Point a client at it with AWS_ENDPOINT_URL and the credentials test / test.
    """
    from scanner.emulator import Fleet, serve
    from scanner.errors import ConfigError

    try:
        served = Fleet.from_toml(fleet) if fleet else Fleet.demo()
    except (OSError, ValueError) as error:
        raise ConfigError(str(error)) from None
    try:
        serve(served, "127.0.0.1", port)
    except OSError as error:
        raise ConfigError(f"--port: {port}: {error.strerror}; choose another") from None
