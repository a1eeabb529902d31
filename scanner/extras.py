"""What an extra is installed with, from where this very program runs."""

import shlex
import sys
from importlib.util import find_spec

__all__ = ["install_command"]


def install_command(extra: str) -> str:
    """The command that adds an extra to the environment of this process.

    It names the environment's own Python, for the shell's `pip` may belong to another. sgw-scanner is there already, so
    nobody looks for it on an index: the command works for an installation from a checkout, too. Environments
    that uv makes have no pip.
    """
    python = shlex.quote(sys.executable)
    installer = f"{python} -m pip install" if find_spec("pip") else f"uv pip install --python {python}"
    return f'{installer} "sgw-scanner[{extra}]"'
