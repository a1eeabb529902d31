"""The command line: each command parses, calls the library, and prints."""

import os
import signal
import sys
from typing import Annotated, Any

import typer

from scanner.cli.commands import (
    check,
    demo,
    diff,
    emulate,
    explain,
    history,
    iam,
    init,
    merge,
    notify,
    report,
    scan,
    schema,
    serve,
    show,
)
from scanner.cli.process.streams import leave_signals, standing
from scanner.errors import LockError, ScannerError

USAGE, DEFECT, LOCKED = 2, 70, 75
READER_GONE = 128 + signal.SIGPIPE


class _ReaderGone(Exception):
    """Nobody reads what is printed any more."""


class _Commands(typer.core.TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        # Typer would end a closed pipe with 1, which means a breach here.
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            raise _ReaderGone from None
        return result


app = typer.Typer(
    name="sgw-scanner",
    cls=_Commands,
    help="Find the AWS Storage Gateway volumes that could not be restored to a recent point right now.",
    epilog="Begin with: sgw-scanner demo",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(scan.scan)
app.command()(show.show)
app.command()(check.check)
app.command()(demo.demo)
app.command()(init.init)
app.command()(report.report)
app.command()(explain.explain)
app.command()(diff.diff)
app.add_typer(history.app, name="history")
app.add_typer(notify.app, name="notify")
app.command()(merge.merge)
app.command()(serve.serve)
app.command()(schema.schema)
app.add_typer(iam.app, name="iam")
app.command()(emulate.emulate)


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
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Print the traceback of a defect, whatever the command.")
    ] = False,
) -> None:
    pass


def run() -> None:
    """The console entry: ends the process with an exit code of the contract."""
    # Python would turn Ctrl-C into an exception, and typer that into exit 1, which means a breach here.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with standing():
        try:
            app(prog_name="sgw-scanner")
        except _ReaderGone:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(READER_GONE)
        except Exception as error:  # noqa: BLE001 - here the process ends, and 1 would mean a breach
            sys.exit(_failed(error))
        finally:
            leave_signals()


def _failed(error: Exception) -> int:
    from scanner.cli.process.crash import describe_defect, innermost
    from scanner.output.text import printable
    from scanner.service.secrets import hidden

    cause = innermost(error)
    if isinstance(cause, ScannerError):
        for line in str(cause).splitlines():
            typer.echo(f"sgw-scanner: {printable(hidden(line))}", err=True)
        return LOCKED if isinstance(cause, LockError) else USAGE
    typer.echo(f"sgw-scanner: {describe_defect(error, verbose='--verbose' in sys.argv)}", err=True)
    return DEFECT
