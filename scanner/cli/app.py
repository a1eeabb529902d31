"""The command line: each command parses, calls the library, and prints."""

import signal
import sys
from collections.abc import Sequence
from itertools import pairwise
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
from scanner.cli.process.streams import abandon, leave_signals, standing
from scanner.errors import LockError, ScannerError

USAGE, DEFECT, LOCKED = 2, 70, 75
READER_GONE = 128 + signal.SIGPIPE


# Typer has a copy of click's errors that it keeps to itself.
_WrongWords: Any = typer.BadParameter.__mro__[1]


class _ReaderGone(Exception):
    """Nobody reads what is printed any more."""


class _Commands(typer.core.TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        # Typer would end a closed pipe with 1, which means a breach here.
        try:
            try:
                result = super().invoke(ctx)
            except typer.Exit:
                sys.stdout.flush()
                raise
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
            # With a log in JSON, what is wrong with the words of the command is JSON as well.
            code = app(prog_name="sgw-scanner", standalone_mode=not _wants_json(sys.argv))
            sys.exit(code if isinstance(code, int) else 0)
        except _ReaderGone:
            abandon(sys.stdout)
            sys.exit(READER_GONE)
        except Exception as error:  # noqa: BLE001 - here the process ends, and 1 would mean a breach
            sys.exit(_failed(error))
        finally:
            leave_signals()


def _wants_json(words: Sequence[str]) -> bool:
    """Whether the log is to be JSON; asked before the words are parsed, as they may be wrong."""
    return "--log-format=json" in words or ("--log-format", "json") in pairwise(words)


def _failed(error: Exception) -> int:
    from scanner.cli.process.crash import innermost

    cause = innermost(error)
    code, text = _code_of(cause), _text_of(error, cause)
    if _wants_json(sys.argv):
        from scanner.cli.terminal.logs import Loudness, log_failure, logging_to_stderr

        with logging_to_stderr("json", Loudness.NORMAL) as log:
            log_failure(log, text, code)
        return code
    for line in [text] if code == DEFECT else text.splitlines():
        typer.echo(f"sgw-scanner: {line}", err=True)
    return code


def _code_of(cause: BaseException) -> int:
    if isinstance(cause, _WrongWords | ScannerError):
        return LOCKED if isinstance(cause, LockError) else USAGE
    return DEFECT


def _text_of(error: Exception, cause: BaseException) -> str:
    from scanner.cli.process.crash import describe_defect
    from scanner.output.text import printable
    from scanner.service.secrets import hidden

    if _code_of(cause) == DEFECT:
        return describe_defect(error, verbose="--verbose" in sys.argv)
    text = cause.format_message() if isinstance(cause, _WrongWords) else str(cause)
    return "\n".join(printable(hidden(line)) for line in text.splitlines())
