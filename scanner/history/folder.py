"""A history's files in a folder: each appears whole or not at all, and none is ever changed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

from scanner.errors import HistoryError

TEMPORARY = ".tmp-"
"""How names begin of what is still being written."""
ABANDONED_AFTER = timedelta(days=1)
"""Unfinished files that are older belong to no writer that is still at work."""


class Folder:
    """The files below one folder, by names such as `scans/month=2026-11/ID.json`."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def prove_writable(self) -> None:
        """Makes the folder where there is none; raises HistoryError where nothing can be written in it."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self.root, prefix=TEMPORARY):
                pass
        except OSError as error:
            raise HistoryError(
                f"{self.root}: {_reason(error)}; name a folder that can be written as history.path"
            ) from None

    def names(self, below: str) -> list[str]:
        """The names of all files below the folder `below`, sorted; none where there is no such folder."""
        found = []
        for folder, folders, files in os.walk(self.root / below, onerror=self._refuse):
            folders.sort()
            found += [Path(folder, file) for file in files if not file.startswith(TEMPORARY)]
        return sorted(path.relative_to(self.root).as_posix() for path in found)

    def _refuse(self, error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise HistoryError(f"{error.filename}: {_reason(error)}; let this user read it") from None

    def abandoned(self, below: str) -> list[str]:
        """The names of files below the folder `below` that are older than any writer at work."""
        before = self._now() - ABANDONED_AFTER.total_seconds()
        return [name for name in self.names(below) if _changed_at(self.root / name) < before]

    def sweep(self) -> None:
        """Removes the temporary folders and files of writers that were killed."""
        before = self._now() - ABANDONED_AFTER.total_seconds()
        for path in self.root.glob(f"{TEMPORARY}*"):
            if _changed_at(path) < before:
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    with suppress(OSError):
                        path.unlink(missing_ok=True)

    def _now(self) -> float:
        # By the clock that dates the files: a server's may be another than this machine's.
        with NamedTemporaryFile(dir=self.root, prefix=TEMPORARY) as file:
            return os.stat(file.name).st_mtime

    def read(self, name: str) -> bytes:
        try:
            return (self.root / name).read_bytes()
        except OSError as error:
            raise HistoryError(f"{self.root / name}: {_reason(error)}") from None

    def write(self, name: str, body: bytes) -> None:
        """Writes a small file, which appears whole."""
        with self.workplace() as workplace:
            made = workplace / "file"
            made.write_bytes(body)
            self.publish(made, name)

    def path(self, name: str) -> Path:
        return self.root / name

    @contextmanager
    def workplace(self) -> Iterator[Path]:
        """A folder for files that are being made, on the same file system; cleared at the end."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(dir=self.root, prefix=TEMPORARY) as folder:
                yield Path(folder)
        except OSError as error:
            raise HistoryError(f"{self.root}: {_reason(error)}") from None

    def publish(self, made: Path, name: str) -> None:
        """Gives a finished file its name, on the disk before anybody can see it."""
        target = self.root / name
        _sync(made)
        target.parent.mkdir(parents=True, exist_ok=True)
        made.replace(target)
        for folder in (target.parent, target.parent.parent, self.root):
            _sync(folder)

    def remove(self, name: str) -> None:
        try:
            (self.root / name).unlink(missing_ok=True)
        except OSError as error:
            raise HistoryError(f"{self.root / name}: {_reason(error)}") from None


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        # Somebody else has removed it meanwhile.
        return float("inf")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        # Some network file systems have no such call for folders.
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
