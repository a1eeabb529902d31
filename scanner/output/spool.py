"""Files without a name, in the temporary folder, where an object waits until it is sent."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile, gettempdir
from typing import BinaryIO, cast

from scanner.errors import OutputError

_REMEDY = "set TMPDIR to a folder that has room and can be written"


def open_spool(destination: str) -> BinaryIO:
    """A file for what is to be sent to `destination`, gone when it is closed; raises OutputError."""
    with spooling(destination):
        return cast(BinaryIO, TemporaryFile())


@contextmanager
def spooling(destination: str) -> Iterator[None]:
    """Whatever the disk refuses in the block is an OutputError of `destination`."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{destination}: {_folder()}: {error.strerror or error}; {_REMEDY}") from error


def _folder() -> str:
    try:
        return f"the temporary folder {os.fspath(gettempdir())}"
    except OSError:
        return "there is no temporary folder"
