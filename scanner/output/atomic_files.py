"""Files that appear whole or not at all, whatever ends the process."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO, cast

from scanner.errors import OutputError

_BUFFER = 1 << 20


@contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A stream whose bytes become the file at `path` when the block ends, and nothing if it raises.

    They are written beside their place, flushed to the disk and renamed over it, so a reader, a crash
    or a full disk sees the old file or the new one. A file that was there keeps its mode. Raises
    `OutputError` when the file system refuses.
    """
    # Renaming would otherwise turn a link into a file and leave what it points to as it was.
    place = Path(os.path.realpath(path))
    temporary: Path | None = None
    try:
        with NamedTemporaryFile(
            dir=place.parent, prefix=f".{place.name[:100]}.", suffix=".tmp", delete=False, buffering=_BUFFER
        ) as stream:
            temporary = Path(stream.name)
            yield cast(BinaryIO, stream)
            stream.flush()
            os.fchmod(stream.fileno(), _mode(place))
            os.fsync(stream.fileno())
        temporary.replace(place)
        temporary = None
        _sync_folder(place.parent)
    except OSError as error:
        raise OutputError(f"{path}: {_said(error)}") from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()


def check_place(path: str | os.PathLike[str]) -> None:
    """Raises `OutputError` where `atomic` could not write; touches nothing that is there."""
    place = Path(os.path.realpath(path))
    if place.is_dir():
        raise OutputError(f"{path}: is a folder; name a file in it")
    if place.exists() and not place.is_file():
        raise OutputError(f"{path}: is no regular file; choose another place, or - for standard output")
    folder = place.parent
    if not folder.is_dir():
        raise OutputError(f"{path}: there is no folder {folder}; create it with: mkdir -p {folder}")
    try:
        # Asking for permission bits would say yes on a read-only disk; writing tells the truth.
        with NamedTemporaryFile(dir=folder, prefix=f".{place.name[:100]}.", suffix=".tmp"):
            pass
    except OSError as error:
        raise OutputError(f"{path}: {_said(error)}; choose a folder that can be written") from error


def _said(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _mode(place: Path) -> int:
    try:
        return stat.S_IMODE(place.stat().st_mode)
    except FileNotFoundError:
        return 0o666 & ~_umask()


def _umask() -> int:
    # There is no other way to ask for it; the scan's files are written by one thread at a time.
    current = os.umask(0o077)
    os.umask(current)
    return current


def _sync_folder(folder: Path) -> None:
    # The rename itself is lost in a power cut until the folder is on the disk too.
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
