"""`scan`: the main job."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Configuration; else $SGW_SCANNER_CONFIG, else ./scanner.toml."),
]
Outputs = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        "-o",
        help="Where to write; the suffix names the format (.json .ndjson .csv .parquet .html .prom); "
        "- is JSON on stdout; s3://bucket/key.json a bucket. Repeatable.",
        metavar="PATH",
    ),
]
Accounts = Annotated[
    list[str] | None, typer.Option("--account", help="Only this account. Repeatable.", metavar="ID")
]
Regions = Annotated[
    list[str] | None, typer.Option("--region", help="Only this Region. Repeatable.", metavar="NAME")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print errors only.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Log each retry and each target.")]
LogFormat = Annotated[str, typer.Option(help="text or json.", metavar="FORMAT")]


def scan(
    config: Config = None,
    output: Outputs = None,
    account: Accounts = None,
    region: Regions = None,
    deadline: Annotated[
        str | None, typer.Option(help="End by then, such as 10m; report what is unfinished.")
    ] = None,
    max_concurrency: Annotated[int | None, typer.Option(help="API calls in flight.")] = None,
    details: Annotated[
        str | None, typer.Option(help="Extra calls: any of gateway,volumes,tags.", metavar="LIST")
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: LogFormat = "text",
) -> None:
    """Scan every target of the configuration; rate each volume against its RPO.

    Exit codes: 0 complete, 1 some volume breaches its RPO, 2 wrong usage or configuration, 3 incomplete,
    4 nothing could be scanned, 70 a defect, 75 another scan holds the lock.
    """
    from scanner.cli.running import Run
    from scanner.config import ScannerConfig
    from scanner.narrow import narrow

    flags = {
        "scan.deadline": deadline,
        "scan.max_concurrency": max_concurrency,
        "scan.details": [name.strip() for name in details.split(",") if name.strip()] if details else None,
    }
    given = {key: value for key, value in flags.items() if value is not None}
    settings = narrow(ScannerConfig.load(config, flags=given), account or (), region or ())
    run = Run(settings, tuple(output or settings.output.files), quiet, verbose, log_format)
    raise typer.Exit(run.locked(config))
