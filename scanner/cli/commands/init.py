"""`init`: a configuration to start from, and the files that a deployment needs."""

import os
import shlex
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from scanner.deploy import DEPLOYMENTS
from scanner.errors import ConfigError

SCHEMA = "schema"
Deployment = StrEnum("Deployment", {name.upper(): name for name in (*DEPLOYMENTS, SCHEMA)})  # type: ignore[misc]


def init(
    path: Annotated[
        Path | None, typer.Argument(help="Where to write it; - is stdout.", show_default="scanner.toml")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="The same as PATH.", metavar="FILE")
    ] = None,
    deployments: Annotated[
        list[Deployment] | None,
        typer.Option(
            "--with", help="Write these files beside it, too; a scanner.toml that is there stays. Repeatable."
        ),
    ] = None,
) -> None:
    """Write a commented scanner.toml, in which every setting is explained; never overwrites a file.

    With --with also what an operator copies: alert rules, a dashboard, systemd units, a cron entry, Kubernetes
    manifests, templates for AWS Batch and Step Functions, the JSON Schema by which an editor checks scanner.toml.
    """
    from scanner.cli.process.name import command_name
    from scanner.config.starter import starter_text

    if path and config:
        raise ConfigError(f"{path} and -c {config} name the configuration twice; leave one out")
    path = path or config or Path("scanner.toml")
    if str(path) == "-":
        if deployments:
            raise ConfigError("-: no file can lie beside standard output; leave --with out, or name a file")
        typer.echo(starter_text(), nl=False)
        return
    wanted = {
        path.parent / name: content
        for deployment in deployments or ()
        for name, content in _files_of(deployment.value).items()
    }
    if not (wanted and os.path.lexists(path)):
        wanted[path] = starter_text().encode()
    write_new(wanted)
    for file in wanted:
        typer.echo(f"{file}: written.", err=True)
    if path in wanted:
        check = f"{command_name()} check -c {shlex.quote(str(path))}"
        typer.echo(f"Edit {path}, then prove that a scan can work: {check}", err=True)


def _files_of(deployment: str) -> Mapping[str, bytes]:
    import json

    from scanner.config.schema import FILE, config_schema
    from scanner.deploy import deployment_files

    if deployment == SCHEMA:
        return {FILE: json.dumps(config_schema(), indent=2).encode() + b"\n"}
    return deployment_files(deployment)


def write_new(contents: dict[Path, bytes]) -> None:
    """Writes new files. Raises ConfigError where one is already, OutputError where one cannot be written."""
    from scanner.output.atomic_files import atomic, check_writable

    for file in contents:
        if os.path.lexists(file) and not file.is_dir():
            raise ConfigError(
                f"{file}: is there already and stays as it is; name another file, or remove this one"
            )
        check_writable(file)
    for file, content in contents.items():
        with atomic(file) as stream:
            stream.write(content)
