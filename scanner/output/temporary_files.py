"""Files under a name of their own until they are whole, and what killed runs have left of them."""

import fcntl
import os
import re
import secrets
import stat
import time
from contextlib import suppress

from scanner.output.folders import Folder

_NAME = re.compile(r"\.sgw-scanner-[0-9a-f]{16}\.tmp")
_DAY = 86_400


def create_temporary(folder: Folder, mode: int) -> tuple[str, int]:
    """A new file in `folder`, locked for as long as its handle is open; raises OSError."""
    while True:
        name = f".sgw-scanner-{secrets.token_hex(8)}.tmp"
        handle = folder.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        # Another run that clears the folder may have been quicker than the lock.
        if _lock(handle, fcntl.LOCK_EX) is not False and os.fstat(handle).st_nlink:
            return name, handle
        os.close(handle)


def clear(folder: Folder) -> None:
    """Removes our own temporary files whose writers have died."""
    with suppress(OSError):
        for name in folder.names():
            if _NAME.fullmatch(name):
                with suppress(OSError):
                    _remove_if_dead(folder, name)


def _remove_if_dead(folder: Folder, name: str) -> None:
    found = folder.find(name)
    if found is None or not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        return
    handle = folder.open(name, os.O_RDONLY)
    try:
        # A lock on a handle that only reads is a shared one on some file systems; that is enough.
        free = _lock(handle, fcntl.LOCK_SH)
        if free is None:
            free = time.time() - found.st_mtime > _DAY
        if free:
            folder.unlink(name)
    finally:
        os.close(handle)


def _lock(handle: int, kind: int) -> bool | None:
    """Whether the lock could be had; None where the file system knows none."""
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
