"""Files that appear whole or not at all, whatever ends the process."""

import errno
import os
import re
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from scanner.errors import OutputError
from scanner.output.folders import Folder, is_ours, locate
from scanner.output.temporary_files import clear, create_temporary

_BUFFER = 1 << 20
_NO_SUCH_THING = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_NO_NEW_FILE = {errno.EACCES, errno.EPERM, errno.EROFS}
_REMEDIES = {
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOSPC: "make room, or choose another disk",
    errno.EDQUOT: "make room, or choose another disk",
    errno.EISDIR: "name a file in it",
}
_REMEDY = "choose a folder that can be written"


@contextmanager
def atomic(path: str | os.PathLike[str], mode: int | None = None) -> Iterator[BinaryIO]:
    """A stream whose bytes become the file at `path` when the block ends, and nothing if it raises.

    They are written beside their place, flushed to the disk and renamed over it, so a reader, a crash
    or a full disk sees the old file or the new one. A file of this user that was there keeps its mode and
    group; a new one gets `mode`, or what the umask says. Where only the file itself may be written, as where
    it is a mount point, it is overwritten at the end. Raises `OutputError` when the file system refuses.
    """
    _check_path(path)
    try:
        folder, name = locate(path)
        with folder:
            try:
                temporary = _Temporary(folder, name, mode)
            except OSError as error:
                if error.errno not in _NO_NEW_FILE or not _may_be_overwritten(folder, name, path):
                    raise
                with TemporaryFile(buffering=_BUFFER) as spool:
                    yield cast(BinaryIO, spool)
                    spool.flush()
                    _overwrite(folder, name, spool.fileno())
                return
            with temporary as stream:
                yield stream
                temporary.publish()
    except OSError as error:
        raise OutputError(f"{path}: {_cause(error)}") from error


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raises `OutputError` where `atomic` could not write; changes nothing that is there."""
    _check_path(path)
    try:
        with suppress(PermissionError):
            _check_kind(path)
        folder, name = _located(path)
        with folder:
            _check_rights(folder, name, path)
            _try(folder, name, path)
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, _REMEDY)
        raise OutputError(f"{path}: {_cause(error)}; {remedy}") from error


class _Temporary:
    """The file that is being written, beside its place. Leaving the block removes what was not placed."""

    def __init__(self, folder: Folder, name: str, mode: int | None) -> None:
        clear(folder)
        self._folder, self._name, self._mode = folder, name, mode
        # Never open to more readers than it will be in the end.
        own = _own(folder, name)
        first = stat.S_IMODE(own.st_mode) & 0o600 if own else 0o666 if mode is None else mode
        self._temporary, self._handle = create_temporary(folder, first)
        self._stream = os.fdopen(self._handle, "wb", _BUFFER)
        self._placed = False

    def __enter__(self) -> BinaryIO:
        return self._stream

    def __exit__(self, *_: object) -> None:
        # What a full disk did not take is still in the buffer, and is refused again here.
        with suppress(OSError):
            self._stream.close()
        if not self._placed:
            with suppress(OSError):
                self._folder.unlink(self._temporary)

    def publish(self) -> None:
        """Makes what has been written the file at its place."""
        self._stream.flush()
        self._set_mode()
        _sync(self._handle)
        try:
            self._folder.rename(self._temporary, self._name)
        except OSError as error:
            # A single file that is mounted, as into a container, cannot be replaced.
            if error.errno != errno.EBUSY:
                raise
            _overwrite(self._folder, self._name, self._handle)
            return
        self._placed = True
        self._folder.sync()

    def _set_mode(self) -> None:
        own, mode = _own(self._folder, self._name), self._mode
        if own:
            mode = stat.S_IMODE(own.st_mode) & 0o777
            if own.st_gid != os.fstat(self._handle).st_gid:
                try:
                    os.fchown(self._handle, -1, own.st_gid)
                except OSError:
                    # Another group may do no more than everybody.
                    mode = mode & ~0o070 | mode & (mode & 0o007) << 3
        if mode is not None:
            # Where the file system knows no modes, it has been created with no more than these.
            with suppress(OSError):
                os.fchmod(self._handle, mode)


def _located(path: str | os.PathLike[str]) -> tuple[Folder, str]:
    try:
        return locate(path)
    except FileNotFoundError as error:
        folder = _real_folder(path)
        message = f"{path}: there is no folder {folder}; create it with: mkdir -p {shlex.quote(folder)}"
        raise OutputError(message) from error


def _real_folder(path: str | os.PathLike[str]) -> str:
    try:
        return os.path.dirname(os.path.realpath(path))
    except OSError:
        return os.path.dirname(path) or "."


def _check_kind(path: str | os.PathLike[str]) -> None:
    try:
        kind = Path(path).stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if stat.S_ISDIR(kind):
        raise OutputError(f"{path}: is a folder; name a file in it")
    if not stat.S_ISREG(kind):
        raise OutputError(f"{path}: is no regular file; choose another place, or - for standard output")


def _try(folder: Folder, name: str, path: str | os.PathLike[str]) -> None:
    # Asking for permission bits would say yes on a read-only disk; writing tells the truth.
    if _is_mount_point(path):
        _opened_to_overwrite(folder, name)
    try:
        temporary, handle = create_temporary(folder, 0o600)
    except OSError as error:
        if error.errno not in _NO_NEW_FILE or not _may_be_overwritten(folder, name, path):
            raise
        TemporaryFile().close()
        return
    os.close(handle)
    folder.unlink(temporary)


def _own(folder: Folder, name: str) -> os.stat_result | None:
    """The regular file of this very user at `name`; whatever else stands there has nothing to say."""
    found = folder.find(name)
    return found if found and stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() else None


def _check_rights(folder: Folder, name: str, path: str | os.PathLike[str]) -> None:
    standing, around = folder.find(name), folder.stat()
    sticky = around.st_mode & stat.S_ISVTX
    if standing and sticky and os.geteuid() not in (0, around.st_uid, standing.st_uid):
        raise OutputError(
            f"{path}: belongs to user {standing.st_uid}, and nobody else may replace it in this folder;"
            " choose another place"
        )


def _may_be_overwritten(folder: Folder, name: str, path: str | os.PathLike[str]) -> bool:
    """Whether the file itself may be written, and nobody could have put it there to be overwritten."""
    standing = folder.find(name)
    if standing is None or not (_is_mount_point(path) or (is_ours(standing) and standing.st_nlink == 1)):
        return False
    try:
        _opened_to_overwrite(folder, name)
    except OSError:
        return False
    return True


def _opened_to_overwrite(folder: Folder, name: str) -> None:
    os.close(folder.open(name, os.O_WRONLY))


def _overwrite(folder: Folder, name: str, source: int) -> None:
    handle = folder.open(name, os.O_WRONLY)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "is no regular file")
        _reserve(handle, os.fstat(source).st_size)
        try:
            _copy(source, handle)
        except OSError as error:
            message = f"{_cause(error)}, and what stands there now is not whole"
            raise OSError(error.errno, message) from error
    finally:
        os.close(handle)


def _copy(source: int, handle: int) -> None:
    done = 0
    while piece := os.pread(source, _BUFFER, done):
        done += os.write(handle, piece)
    os.ftruncate(handle, done)
    _sync(handle)


def _reserve(handle: int, size: int) -> None:
    # A disk without room is found out while the old file still is whole.
    before = os.fstat(handle).st_size
    if size > before and hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(handle, before, size - before)
        except OSError as error:
            if error.errno not in _NO_SUCH_THING:
                with suppress(OSError):
                    os.ftruncate(handle, before)
                raise


def _sync(handle: int) -> None:
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_SUCH_THING:
            raise


def _is_mount_point(path: str | os.PathLike[str]) -> bool:
    """Whether the file itself is mounted; the system tells it of a folder only by another way."""
    try:
        mounts = Path("/proc/self/mountinfo").read_bytes().splitlines()
        place = os.path.realpath(os.fsencode(path))
    except OSError:
        return False
    return any(_unescaped(mount.split()[4]) == place for mount in mounts)


def _unescaped(path: bytes) -> bytes:
    return re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), path)


def _check_path(path: str | os.PathLike[str]) -> None:
    try:
        possible = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        possible = False
    if not possible:
        raise OutputError(f"{os.fspath(path)!r}: cannot be the name of a file; choose another")


def _cause(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
