"""One scan at a time: a lock that the system itself lets go of when its holder dies."""

import fcntl
import hashlib
import json
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from scanner.config.load import DEFAULT_FILE, FILE_VARIABLE
from scanner.config.settings import LockSettings
from scanner.errors import ConfigError, LockError
from scanner.output.folders import Folder, locate, others_may_write
from scanner.output.text import printable

ROOTS_ALONE = Path("/run")
"""Where root's locks are: nobody else can take their names."""
SHARED = Path("/tmp")
"""Where everybody else's are. Unlike $TMPDIR and $XDG_RUNTIME_DIR it is the same under cron as in a shell."""
REMEDY = 'set another path, or "" for none'
_LONGEST_WORD = 4096


def lock_paths(settings: LockSettings, config_file: Path | None) -> tuple[Path, ...]:
    """Where the locks of a scan are, all of which it must hold; none for no lock.

    Each configuration has its own, in folders that only its user may write. Raises ConfigError where there is
    no such folder.
    """
    if settings.path is not None:
        return (Path(settings.path),) if settings.path else ()
    config = _real(str(config_file or os.environ.get(FILE_VARIABLE) or DEFAULT_FILE))
    mark = hashlib.sha256(os.fsencode(config)).hexdigest()[:8]
    return tuple(folder / f"{Path(config).stem[:40]}-{mark}.lock" for folder in _runtime_folders())


@contextmanager
def hold(*paths: Path) -> Iterator[None]:
    """Holds the locks for the block; raises LockError at once when another process has one of them."""
    with ExitStack() as stack:
        for path in paths:
            stack.enter_context(_held(path))
        yield


@contextmanager
def _held(path: Path) -> Iterator[None]:
    holder = path.name + ".holder"
    try:
        folder, name = _located(path)
    except (OSError, ValueError) as error:
        raise _unusable(path, error) from None
    with folder:
        try:
            handle = _acquired(folder, name)
        except BlockingIOError:
            raise LockError(
                f"{path}: another scan holds the lock{_describe_holder(folder, holder)}"
            ) from None
        except OSError as error:
            raise _unusable(path, error) from None
        try:
            with suppress(OSError):
                # Who holds it is a courtesy; the lock itself is what counts.
                _leave_word(folder, holder)
            try:
                yield
            finally:
                with suppress(OSError):
                    folder.unlink(holder)
        finally:
            os.close(handle)


def _real(path: str) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        # The working folder is gone, or this is no path at all; whoever reads the file will tell.
        return path


def _runtime_folders() -> list[Path]:
    """The folder that all processes of this user share, and the user's own for as long as there is one.

    A shell has the latter, cron has not, and it goes when the user signs out: alone it would not keep two scans apart.
    """
    user = os.geteuid()
    shared = [SHARED / f"sgw-scanner-{user}"]
    if user == 0:
        shared.insert(0, ROOTS_ALONE / "sgw-scanner")
    named = os.environ.get("XDG_RUNTIME_DIR")
    own = Path(named if named and os.path.isabs(named) else f"/run/user/{user}") / "sgw-scanner"
    found = [folder for folder in shared if not _refusal(folder)][:1]
    if not _refusal(own):
        found.append(own)
    if not found:
        raise ConfigError(f"lock.path: {shared[-1]}: {_refusal(shared[-1])}; {REMEDY}")
    return found


def _refusal(folder: Path) -> str | None:
    """Why nobody may trust a lock in `folder`, which is made where it is missing; None where all is well."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found, around = folder.lstat(), folder.parent.stat()
    except (OSError, ValueError) as error:
        return _cause(error)
    own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not others_may_write(found)
    replaceable = others_may_write(around) and not around.st_mode & stat.S_ISVTX
    return "is not a folder of this user alone" if not own or replaceable else None


def _located(path: Path) -> tuple[Folder, str]:
    try:
        return locate(path)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return locate(path)


def _acquired(folder: Folder, name: str) -> int:
    """A handle that holds the lock; raises BlockingIOError where another one does."""
    while True:
        handle = _opened(folder, name)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            standing = folder.find(name)
            if standing and os.path.samestat(standing, os.fstat(handle)):
                with suppress(OSError):
                    # Whoever tidies up /tmp takes files away that have been old for days, held or not.
                    os.utime(handle)
                return handle
        except OSError:
            os.close(handle)
            raise
        # It was removed in between, so the next scan would see another file.
        os.close(handle)


def _opened(folder: Folder, name: str) -> int:
    """The lock's file; that of another user, who shares this lock with us, need only be readable."""
    for flags in (os.O_RDWR, os.O_RDONLY):
        with suppress(FileNotFoundError, PermissionError):
            return _regular(folder.open(name, flags))
    try:
        return folder.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return _regular(folder.open(name, os.O_RDONLY))


def _regular(handle: int) -> int:
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return handle
    os.close(handle)
    raise OSError(None, "is no regular file")


def _leave_word(folder: Folder, holder: str) -> None:
    facts = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    # Made anew, so that nothing that stands there is written to.
    with suppress(FileNotFoundError):
        folder.unlink(holder)
    handle = folder.open(holder, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(json.dumps(facts))


def _describe_holder(folder: Folder, holder: str) -> str:
    try:
        handle = _regular(folder.open(holder, os.O_RDONLY))
        with os.fdopen(handle, "rb") as stream:
            facts = json.loads(stream.read(_LONGEST_WORD))
        return printable(f": process {facts['pid']} on {facts['host']} since {facts['since']}")
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""


def _unusable(path: Path, error: Exception) -> ConfigError:
    return ConfigError(f"lock.path: {path}: {_cause(error)}; {REMEDY}")


def _cause(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "cannot be the name of a file"
