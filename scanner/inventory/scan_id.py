"""What a scan is called."""

import os
import re
import time
from datetime import UTC, date, datetime
from uuid import UUID


def new_scan_id() -> str:
    """A UUID of version 7: scans sort by the moment at which they began."""
    stamp = time.time_ns() // 1_000_000
    noise = int.from_bytes(os.urandom(10), "big")
    value = stamp << 80 | 7 << 76 | (noise >> 68) << 64 | 2 << 62 | noise & (1 << 62) - 1
    return str(UUID(int=value))


def is_scan_id(text: str) -> bool:
    """Whether `text` may name a scan: it stands in the names of files."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", text, re.ASCII) is not None


def date_of(scan_id: str) -> date:
    """The day, in UTC, on which the scan of this id began; today where the id does not tell."""
    made = _made(scan_id)
    if made is None:
        return datetime.now(UTC).date()
    return datetime.fromtimestamp((made.int >> 80) / 1000, UTC).date()


def is_made_up(scan_id: str) -> bool:
    """Whether an id is one that a scan gives itself, and not one that somebody chose."""
    return _made(scan_id) is not None


def _made(scan_id: str) -> UUID | None:
    try:
        made = UUID(scan_id)
    except ValueError:
        return None
    return made if made.version == 7 else None
