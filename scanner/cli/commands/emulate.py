"""`emulate`: the embedded service for any AWS client."""

import errno
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scanner.errors import ConfigError

if TYPE_CHECKING:
    from scanner.emulator import Fleet


def emulate(
    port: Annotated[
        int, typer.Option(help="Port to listen at; 0 takes a free one.", min=0, max=65535, metavar="N")
    ] = 0,
    fleet: Annotated[
        Path | None, typer.Option(help="A fleet described in TOML; else the demo's.", metavar="FILE")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen at; by default this machine only.", metavar="ADDRESS")
    ] = "127.0.0.1",
    accounts: Annotated[
        int | None, typer.Option(help="Generate a fleet of so many accounts.", min=1, metavar="N")
    ] = None,
    regions: Annotated[
        int | None, typer.Option(help="Regions of a generated fleet (6).", min=1, metavar="N")
    ] = None,
    gateways: Annotated[
        str | None, typer.Option(help="Gateways in each account and Region (0-4).", metavar="N|MIN-MAX")
    ] = None,
    volumes: Annotated[
        str | None, typer.Option(help="Volumes of each volume gateway (1-12).", metavar="N|MIN-MAX")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="The same seed generates the same fleet (7).", metavar="N")
    ] = None,
    cached_only: Annotated[
        bool, typer.Option("--cached-only", help="Generate cached volume gateways only.")
    ] = False,
) -> None:
    """Serve the embedded service to any AWS client.

    Until interrupted; prints its address. Point a client at it with AWS_ENDPOINT_URL, the access key test
    and the secret test.
    """
    shape = {
        "regions": regions,
        "gateways_per_target": _span("--gateways", gateways),
        "volumes_per_gateway": _span("--volumes", volumes),
        "seed": seed,
        "types": {"CACHED": 1} if cached_only else None,
    }
    given = {name: value for name, value in shape.items() if value is not None}
    if accounts is not None and fleet is not None:
        raise ConfigError("--accounts: clashes with --fleet; give one of them")
    if accounts is None and given:
        options = "--regions, --gateways, --volumes, --seed and --cached-only"
        raise ConfigError(f"--accounts: is missing; {options} are about a generated fleet")
    _serve(_read(fleet) if accounts is None else _generate(accounts, given), host, port)


def _span(option: str, text: str | None) -> int | tuple[int, int] | None:
    if text is None:
        return None
    least, dash, most = text.partition("-")
    if not least.isdecimal() or (dash and not most.isdecimal()):
        raise ConfigError(f"{option}: must be N or MIN-MAX, not {text!r}")
    if dash and int(least) > int(most):
        raise ConfigError(f"{option}: must have the least first, not {text!r}")
    return (int(least), int(most)) if dash else int(least)


def _read(path: Path | None) -> "Fleet":
    from scanner.emulator import Fleet

    try:
        return Fleet.from_toml(path) if path else Fleet.demo()
    except OSError as error:
        raise ConfigError(f"--fleet: {path}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"--fleet: {error}") from None


def _generate(accounts: int, shape: dict[str, Any]) -> "Fleet":
    from scanner.emulator import Fleet

    try:
        return Fleet.generate(accounts, **shape)
    except ValueError as error:
        raise ConfigError(f"--regions: {error}") from None


def _serve(fleet: "Fleet", host: str, port: int) -> None:
    from scanner.emulator import serve

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        serve(fleet, host, port)
    except KeyboardInterrupt:
        # Being interrupted is how it ends.
        return
    except socket.gaierror as error:
        raise ConfigError(f"--host: {host}: {error.strerror}; give an address of this machine") from None
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            raise ConfigError(f"--host: {host}: {error.strerror}; give an address of this machine") from None
        raise ConfigError(f"--port: {port}: {error.strerror}; choose another") from None
