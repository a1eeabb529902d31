"""What makes a scan impossible; what fails inside a scan is data in its inventory.

ScannerError
├── ConfigError      a setting is wrong: names the place and the remedy
├── OutputError      an output cannot be written
├── LockError        another scan holds the lock
├── MergeError       inventories that cannot be one
└── HistoryError     kept scans that cannot be read or written
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Remedy:
    """What helps where a setting is wrong; it stands at the setting's field, as `Annotated[..., Remedy(...)]`."""

    text: str


class ScannerError(Exception):
    """The root of every error that sgw-scanner raises on purpose."""


class ConfigError(ScannerError):
    """A setting is unknown, wrong, or clashes with another; nothing was scanned."""


class OutputError(ScannerError):
    """An output cannot be written, or its format needs an extra that is not installed."""


class LockError(ScannerError):
    """Another scan holds the lock."""


class MergeError(ScannerError):
    """Inventories that claim the same target, or contradict each other."""


class HistoryError(ScannerError):
    """A history cannot be read or written, or what is asked of it is wrong; names the file and the remedy."""
