"""The command line: each command parses, calls the library, and prints."""

import os
import signal
import sys
import traceback
from types import TracebackType
from typing import Annotated

import typer

from scanner.cli import check, demo, emulate, explain, iam, init, merge, report, scan, schema
from scanner.errors import LockError, ScannerError

USAGE, DEFECT, LOCKED = 2, 70, 75

app = typer.Typer(
    name="sgw-scanner",
    help="Find the AWS Storage Gateway volumes that could not be restored to a recent point right now.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(scan.scan)
app.command()(demo.demo)
app.command()(check.check)
app.command()(init.init)
app.command()(report.report)
app.command()(explain.explain)
app.command()(merge.merge)
app.command()(schema.schema)
app.command()(emulate.emulate)
app.add_typer(iam.app, name="iam")


def _version(wanted: bool) -> None:
    if wanted:
        from scanner import __version__

        typer.echo(f"sgw-scanner {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def run() -> None:
    """The console entry: ends the process with an exit code of the contract."""
    sys.excepthook = _defect
    # Python would turn Ctrl-C into an exception, and typer that into exit 1, which means a breach here.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        typer.main.get_command(app)(prog_name="sgw-scanner")
    except LockError as error:
        typer.echo(f"sgw-scanner: {error}", err=True)
        sys.exit(LOCKED)
    except ScannerError as error:
        typer.echo(f"sgw-scanner: {error}", err=True)
        sys.exit(USAGE)


def _defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    # Only the class is told by default: the text of an unforeseen error may hold anything.
    typer.echo(f"sgw-scanner: a defect in sgw-scanner ({kind.__name__}); nothing more was written.", err=True)
    if "--verbose" in sys.argv:
        typer.echo("".join(traceback.format_exception(kind, error, trace)), err=True)
    else:
        typer.echo("Run it again with --verbose and report what that prints.", err=True)
    sys.stderr.flush()
    os._exit(DEFECT)
