"""What to type to run this very program again."""

import shlex
import sys
from pathlib import Path
from shutil import which


def command_name() -> str:
    """`sgw-scanner` where the shell finds it, else how it was called: `make demo` runs it out of `.venv`."""
    called = Path(sys.argv[0]).name
    if which("sgw-scanner") or called not in ("sgw-scanner", "__main__.py"):
        return "sgw-scanner"
    return (
        shlex.quote(sys.argv[0]) if called == "sgw-scanner" else f"{shlex.quote(sys.executable)} -m scanner"
    )
