"""Folders reached step by step and held open, so that no link of a stranger leads a file astray."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

_STEP = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", 0)
_MOST_LINKS = 40
"""As the system itself allows on one path."""


class Folder:
    """An open folder. Names in it are never followed, and nobody can exchange the way to it meanwhile."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._handle)

    def stat(self) -> os.stat_result:
        return os.fstat(self._handle)

    def find(self, name: str) -> os.stat_result | None:
        """What stands at `name`, a link as the link that it is; None for nothing."""
        try:
            return os.stat(name, dir_fd=self._handle, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def open(self, name: str, flags: int, mode: int = 0o600) -> int:
        """A handle of the file; a pipe does not block, and a link is an OSError."""
        safe = flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(name, safe, mode, dir_fd=self._handle)

    def rename(self, name: str, to: str) -> None:
        os.rename(name, to, src_dir_fd=self._handle, dst_dir_fd=self._handle)

    def unlink(self, name: str) -> None:
        os.unlink(name, dir_fd=self._handle)

    def names(self) -> list[str]:
        """The names in it; none where it may be written but not read."""
        with suppress(PermissionError), self._readable() as handle:
            return os.listdir(handle)
        return []

    def sync(self) -> None:
        """Puts renames on the disk, where the file system can."""
        # Some know no such thing, and a folder need not be readable. The file itself is safe by now.
        with suppress(OSError), self._readable() as handle:
            os.fsync(handle)

    @contextmanager
    def _readable(self) -> Iterator[int]:
        handle = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._handle)
        try:
            yield handle
        finally:
            os.close(handle)


def locate(path: str | os.PathLike[str]) -> tuple[Folder, str]:
    """The folder in which the file at `path` lies, and its name there, which is no link.

    Raises OSError: also for a link that a stranger may have planted.
    """
    text = os.fspath(path)
    if not _parts(text) or text.endswith("/"):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    handle, name = _walk(text)
    return Folder(handle), name


def _walk(path: str) -> tuple[int, str]:
    handle = _start(path)
    try:
        pending = _parts(path)
        links = 0
        while True:
            part = pending.pop()
            target = _target(handle, part)
            if target is not None:
                links += 1
                if links > _MOST_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                if target.startswith("/"):
                    handle = _exchange(handle, _start(target))
                pending += _parts(target)
                continue
            if not pending and part != "..":
                return handle, part
            handle = _exchange(handle, os.open(part, _STEP, dir_fd=handle))
            if not pending:
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    except BaseException:
        os.close(handle)
        raise


def _start(path: str) -> int:
    return os.open("/" if path.startswith("/") else ".", _STEP)


def _parts(path: str) -> list[str]:
    """The parts of `path`, the last one first."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _exchange(old: int, new: int) -> int:
    os.close(old)
    return new


def _target(folder: int, name: str) -> str | None:
    """Where the link `name` leads; None for what is no link. Raises OSError for one not to be followed."""
    try:
        link = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISLNK(link.st_mode):
            return None
        if not is_ours(link) and others_may_write(os.fstat(folder)):
            message = (
                f"{name} is a link that user {link.st_uid} made in a folder where others may write; remove it"
            )
            raise PermissionError(errno.EPERM, message)
        target = os.readlink(name, dir_fd=folder)
        if not os.path.samestat(link, os.stat(name, dir_fd=folder, follow_symlinks=False)):
            raise PermissionError(errno.EPERM, f"{name} was exchanged while it was read; scan again")
    except FileNotFoundError:
        return None
    return target


def is_ours(found: os.stat_result) -> bool:
    """Whether its owner is this process's user, or root, who could do anything anyway."""
    return found.st_uid in (os.geteuid(), 0)


def others_may_write(folder: os.stat_result) -> bool:
    """Whether a stranger could put something into this folder."""
    return not is_ours(folder) or bool(folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
