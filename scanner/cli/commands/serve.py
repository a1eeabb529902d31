"""`serve`: scans again and again, and answers over HTTP."""

from enum import StrEnum
from typing import Annotated

import typer

from scanner.cli.commands.scan import Accounts, Config, LogFormat, Regions


class Metrics(StrEnum):
    FLEET = "fleet"
    VOLUMES = "volumes"


def serve(
    listen: Annotated[
        str, typer.Option(help="Where to listen; without a host on this machine only.", metavar="HOST:PORT")
    ] = "127.0.0.1:9753",
    every: Annotated[str, typer.Option(help="How often a scan begins.", metavar="DURATION")] = "15m",
    metrics: Annotated[
        Metrics, typer.Option(help="Series of the fleet only, or of each volume, too.")
    ] = Metrics.VOLUMES,
    config: Config = None,
    account: Accounts = None,
    region: Regions = None,
    log_format: Annotated[LogFormat, typer.Option(help="Of the log lines on stderr.")] = LogFormat.TEXT,
) -> None:
    """Scan again and again; answer /metrics, /inventory, /page, /healthz and /readyz from the last scan.

    SIGHUP reads the configuration anew, SIGTERM ends it in order.

    Exit codes: 0 ended by a signal, 2 wrong usage or configuration, or an address that is taken.
    """
    from functools import partial
    from importlib.util import find_spec

    import anyio

    from scanner.cli.process.collector import spared_collector
    from scanner.cli.settings import settings_of
    from scanner.cli.terminal.logs import Loudness, log_scan, logging_to_stderr
    from scanner.config.settings import ScannerConfig
    from scanner.errors import ConfigError
    from scanner.policy import parse_duration
    from scanner.serve import Address, State
    from scanner.serve import serve as serve_scans

    address = Address.parse(listen)
    settings = settings_of(config, account, region)
    try:
        state = State(parse_duration(every), metrics is Metrics.VOLUMES, settings.fleet)
    except ValueError as error:
        raise ConfigError(f"--every: {error}") from None

    def reload() -> ScannerConfig:
        anew = settings_of(config, account, region)
        state.fleet = anew.fleet
        return anew

    with logging_to_stderr(log_format.value, Loudness.NORMAL) as log, spared_collector(whole=False):

        def ready(port: int) -> None:
            host = f"[{address.host}]" if ":" in address.host else address.host
            if log_format is LogFormat.JSON:
                log.info("listening", url=f"http://{host}:{port}")
            else:
                typer.echo(f"Listening on http://{host}:{port}", err=True)

        serving = partial(
            serve_scans, settings, state, address, reload=reload, ready=ready, told=partial(log_scan, log)
        )
        anyio.run(serving, backend_options={"use_uvloop": find_spec("uvloop") is not None})
