"""What a scan is called."""

import os
import time
from datetime import UTC, date, datetime
from uuid import UUID


def new_scan_id() -> str:
    """A UUID of version 7: scans sort by the moment at which they began."""
    stamp = time.time_ns() // 1_000_000
    noise = int.from_bytes(os.urandom(10), "big")
    value = stamp << 80 | 7 << 76 | (noise >> 68) << 64 | 2 << 62 | noise & (1 << 62) - 1
    return str(UUID(int=value))


def date_of(scan_id: str) -> date:
    """The day, in UTC, on which the scan of an id made by `new_scan_id` began."""
    return datetime.fromtimestamp((UUID(scan_id).int >> 80) / 1000, UTC).date()
