"""What is said of an error that nobody foresaw: enough to mend it, and no secret."""

import os
import platform
import re
from traceback import TracebackException

from scanner import __version__
from scanner.output.text import printable
from scanner.service.secrets import HIDDEN, hidden, remember_environment

# Access key ids, and runs as long as keys and session tokens are.
_LOOKS_SECRET = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|[A-Za-z0-9+/=]{40,}")


def describe_defect(error: BaseException, *, verbose: bool) -> str:
    """What to print of `error`, which nobody foresaw."""
    # Only the class by default: the text of an unforeseen error may hold anything.
    about = f"sgw-scanner {__version__}, Python {platform.python_version()}, {platform.system()}"
    head = f"a defect in sgw-scanner: {type(innermost(error)).__name__}"
    if not verbose:
        return f"{head}\nRun it again as `sgw-scanner --verbose ...` and report what that prints ({about})."
    return f"{head}\n{_traceback(error)}Report this to the project ({about})."


def innermost(error: BaseException) -> BaseException:
    """The one error in a group that holds just one; else the group itself."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _traceback(error: BaseException) -> str:
    remember_environment(os.environ)
    return "".join(_shown(piece) for piece in TracebackException.from_exception(error).format())


def _shown(piece: str) -> str:
    # Code holds no values, but paths as long as a key.
    if not piece.lstrip(" |+-").startswith("File "):
        piece = hidden(_LOOKS_SECRET.sub(HIDDEN, piece))
    return "".join(f"{printable(line)}\n" for line in piece.splitlines())
