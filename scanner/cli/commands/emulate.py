"""`emulate`: the embedded service for any AWS client."""

import signal
from pathlib import Path
from typing import Annotated

import typer


def emulate(
    port: Annotated[
        int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.", min=0, max=65535, metavar="N")
    ] = 0,
    fleet: Annotated[
        Path | None, typer.Option(help="A fleet described in TOML; else the demo's.", metavar="FILE")
    ] = None,
) -> None:
    """Serve the embedded service to any AWS client.

    On this machine only, until interrupted; prints its address. Point a client at it with AWS_ENDPOINT_URL,
    the access key test and the secret test.
    """
    from scanner.emulator import Fleet, serve
    from scanner.errors import ConfigError

    try:
        served = Fleet.from_toml(fleet) if fleet else Fleet.demo()
    except OSError as error:
        raise ConfigError(f"--fleet: {fleet}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"--fleet: {error}") from None
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        serve(served, "127.0.0.1", port)
    except KeyboardInterrupt:
        # Being interrupted is how it ends.
        return
    except OSError as error:
        raise ConfigError(f"--port: {port}: {error.strerror}; choose another") from None
