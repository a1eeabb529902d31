"""`python -m scanner.emulator`: the command `sgw-scanner emulate`, for this interpreter."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points


def main() -> None:
    """Runs the installed command: the emulator itself imports nothing of the command line."""
    for command in entry_points(group="console_scripts", name="sgw-scanner"):
        sys.argv[1:1] = ["emulate"]
        command.load()()
        return
    sys.exit("scanner.emulator: the command sgw-scanner is not installed: pip install sgw-scanner")


if __name__ == "__main__":
    main()
