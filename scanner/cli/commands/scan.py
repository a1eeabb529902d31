"""`scan`: scans the fleet."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from scanner.output.formats import FORMATS


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="Configuration; else $SGW_SCANNER_CONFIG, else ./scanner.toml.",
        metavar="FILE",
    ),
]
Destinations = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        "-o",
        help=f"Where to write; the suffix names the format ({' '.join(FORMATS)}). "
        "- is JSON on stdout, s3://bucket/key.json an object in a bucket. Repeatable.",
        metavar="PATH",
    ),
]
Accounts = Annotated[
    list[str] | None, typer.Option("--account", help="Only this account. Repeatable.", metavar="ID")
]
Regions = Annotated[
    list[str] | None, typer.Option("--region", help="Only this Region. Repeatable.", metavar="NAME")
]
Deadline = Annotated[
    str | None,
    typer.Option(help="End by then, such as 10m; what is unfinished is reported.", metavar="DURATION"),
]
Concurrency = Annotated[int | None, typer.Option(help="API calls in flight at once.", metavar="N")]
Details = Annotated[
    str | None, typer.Option(help="Extra calls: any of gateway,volumes,tags.", metavar="LIST")
]
HistoryPath = Annotated[
    str | None,
    typer.Option(
        "--history",
        help="Keep this scan in a history, a folder or s3://bucket/prefix, and learn from those kept before.",
        metavar="PATH",
    ),
]


def scan(
    config: Config = None,
    output: Destinations = None,
    account: Accounts = None,
    region: Regions = None,
    profile: Annotated[
        str | None, typer.Option(help="The profile of the base identity.", metavar="NAME")
    ] = None,
    rpo: Annotated[
        str | None,
        typer.Option(
            help="The greatest age that a recovery point may have, such as 24h.", metavar="DURATION"
        ),
    ] = None,
    deadline: Deadline = None,
    max_concurrency: Concurrency = None,
    details: Details = None,
    history: HistoryPath = None,
    shard: Annotated[
        str | None,
        typer.Option(
            help="Scan part I of N of the accounts, or the part that AWS Batch or a Kubernetes Indexed Job names.",
            metavar="I/N|auto",
        ),
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(
            help="Scan on the workers of the Dask scheduler there: tls://host:8786.", metavar="ADDRESS"
        ),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let --dask go over tcp:// to another machine.")
    ] = False,
    scan_id: Annotated[
        str | None,
        typer.Option("--scan-id", help="Call the scan this; shards of one scan share it.", metavar="ID"),
    ] = None,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="Exit with 0 where it would be 1 or 3: the work was done.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print nothing if the exit code is 0, else the summary.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Log each retry, each failure and each target.")
    ] = False,
    log_format: Annotated[LogFormat, typer.Option(help="Of the log lines on stderr.")] = LogFormat.TEXT,
) -> None:
    """Scan all targets; rate each volume against its RPO.

    Exit codes: 0 complete and no breach, 1 some volume breaches its RPO, 2 wrong usage or configuration,
    3 incomplete, 4 nothing could be scanned, 70 a defect, 75 another scan holds the lock.
    """
    from scanner.cli.process.streams import hold_signals

    hold_signals()
    from scanner.cli.running import Run
    from scanner.cli.settings import listed, settings_of
    from scanner.cli.terminal.logs import Loudness
    from scanner.errors import ConfigError
    from scanner.inventory.scan_id import is_scan_id

    if quiet and verbose:
        raise ConfigError("--quiet and --verbose clash; leave one out")
    if scan_id is not None and not is_scan_id(scan_id):
        raise ConfigError(f"--scan-id: {scan_id!r} is no id; use up to 64 letters, digits and any of . _ -")
    if dask is not None:
        if shard is not None:
            raise ConfigError(
                "--shard and --dask clash; a cluster cuts the fleet by itself: leave --shard out"
            )
        from scanner.scale import check_address

        check_address(dask, insecure=insecure)
    flags = {
        "credentials.profile": profile,
        "policy.rpo": rpo,
        "scan.deadline": deadline,
        "scan.max_concurrency": max_concurrency,
        "scan.details": listed(details),
        "history.path": history,
    }
    settings = settings_of(config, account, region, flags, shard)
    loudness = Loudness.QUIET if quiet else Loudness.VERBOSE if verbose else Loudness.NORMAL
    destinations = tuple(output or settings.output.files)
    run = Run(settings, destinations, loudness, log_format.value, quiet, exit_zero, scan_id, dask)
    raise typer.Exit(run.locked(config))
