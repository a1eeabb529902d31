"""One scan at a time: a lock that the system itself lets go of when its holder dies."""

import hashlib
import json
import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_runtime_path

from scanner.config.load import DEFAULT_FILE, FILE_VARIABLE
from scanner.config.settings import LockSettings
from scanner.errors import ConfigError, LockError
from scanner.output.text import printable


def lock_path(settings: LockSettings, config_file: Path | None) -> Path | None:
    """Where the lock is; None for none. Each configuration has its own, in the user's runtime folder."""
    if settings.path is not None:
        return Path(settings.path) if settings.path else None
    config = Path(config_file or os.environ.get(FILE_VARIABLE) or DEFAULT_FILE).resolve()
    mark = hashlib.sha256(str(config).encode()).hexdigest()[:8]
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR, as under cron, the folder is one in /tmp of the user's own: good enough.
        warnings.simplefilter("ignore")
        folder = user_runtime_path("sgw-scanner", appauthor=False)
    return folder / f"{config.stem}-{mark}.lock"


@contextmanager
def hold(path: Path | None) -> Iterator[None]:
    """Holds the lock for the block; raises LockError at once when another process does."""
    if path is None:
        yield
        return
    lock = FileLock(path, timeout=0)
    holder = path.with_name(path.name + ".holder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise LockError(f"{path}: another scan holds the lock{_told(holder)}") from None
    except OSError as error:
        raise ConfigError(f'lock.path: {path}: {error.strerror}; set another path, or "" for none') from None
    try:
        facts = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
        with suppress(OSError):
            # Who holds it is a courtesy; the lock itself is what counts.
            holder.write_text(json.dumps(facts), encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            holder.unlink()
        lock.release()


def _told(holder: Path) -> str:
    try:
        facts = json.loads(holder.read_text(encoding="utf-8"))
        return printable(f": process {facts['pid']} on {facts['host']} since {facts['since']}")
    except (OSError, ValueError, KeyError, TypeError):
        return ""
