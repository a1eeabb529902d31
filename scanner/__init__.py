"""sgw-scanner: which Storage Gateway volumes could not be restored to a recent point right now."""

from typing import TYPE_CHECKING, Any

from scanner import ports

__version__ = "0.1.0"

if TYPE_CHECKING:
    from scanner.api import EventStream, Scanner
    from scanner.config.settings import ScannerConfig
    from scanner.errors import ConfigError, HistoryError, LockError, MergeError, OutputError, ScannerError
    from scanner.history import History, diff
    from scanner.inventory.events import (
        CallRetried,
        Event,
        FailureSeen,
        FieldsDropped,
        GatewayEnded,
        GatewaysListed,
        ScanEnded,
        ScanStarted,
        TargetEnded,
        TargetPlanned,
        VolumesSeen,
    )
    from scanner.inventory.model import Inventory
    from scanner.inventory.records import (
        Coverage,
        Failure,
        FailureKind,
        FailureScope,
        Gateway,
        GatewayStatus,
        LastKnown,
        Outcome,
        ScanInfo,
        Target,
        TargetStatus,
        Verdict,
        VerdictStatus,
        Volume,
    )
    from scanner.ports import InventoryFiles

__all__ = [
    "CallRetried",
    "ConfigError",
    "Coverage",
    "Event",
    "EventStream",
    "Failure",
    "FailureKind",
    "FailureScope",
    "FailureSeen",
    "FieldsDropped",
    "Gateway",
    "GatewayEnded",
    "GatewayStatus",
    "GatewaysListed",
    "History",
    "HistoryError",
    "Inventory",
    "LastKnown",
    "LockError",
    "MergeError",
    "Outcome",
    "OutputError",
    "ScanEnded",
    "ScanInfo",
    "ScanStarted",
    "Scanner",
    "ScannerConfig",
    "ScannerError",
    "Target",
    "TargetEnded",
    "TargetPlanned",
    "TargetStatus",
    "Verdict",
    "VerdictStatus",
    "Volume",
    "VolumesSeen",
    "__version__",
    "diff",
]

_HOMES = {
    "EventStream": "scanner.api",
    "Scanner": "scanner.api",
    "ScannerConfig": "scanner.config.settings",
    "Inventory": "scanner.inventory.model",
    "ConfigError": "scanner.errors",
    "HistoryError": "scanner.errors",
    "LockError": "scanner.errors",
    "MergeError": "scanner.errors",
    "OutputError": "scanner.errors",
    "ScannerError": "scanner.errors",
    "History": "scanner.history",
    "diff": "scanner.history",
    **dict.fromkeys(
        (
            "Coverage",
            "Failure",
            "FailureKind",
            "FailureScope",
            "Gateway",
            "GatewayStatus",
            "LastKnown",
            "Outcome",
            "ScanInfo",
            "Target",
            "TargetStatus",
            "Verdict",
            "VerdictStatus",
            "Volume",
        ),
        "scanner.inventory.records",
    ),
    **dict.fromkeys(
        (
            "CallRetried",
            "Event",
            "FailureSeen",
            "FieldsDropped",
            "GatewayEnded",
            "GatewaysListed",
            "ScanEnded",
            "ScanStarted",
            "TargetEnded",
            "TargetPlanned",
            "VolumesSeen",
        ),
        "scanner.inventory.events",
    ),
}


def __getattr__(name: str) -> Any:
    # Loaded when first used: `--version` and the emulator must not wait for the AWS SDK.
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _inventory_files() -> "InventoryFiles[Inventory]":
    from scanner.output import inventories

    return inventories


ports.connect(_inventory_files)
