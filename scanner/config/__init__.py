"""What a scan is asked: settings, where they come from, and a selection of their accounts and Regions."""

from scanner.config.select import select
from scanner.config.settings import (
    AccountSettings,
    CredentialSettings,
    LockSettings,
    OrganizationSettings,
    OutputSettings,
    RetrySettings,
    ScannerConfig,
    ScanSettings,
    Selection,
)
from scanner.config.starter import starter_text

__all__ = [
    "AccountSettings",
    "CredentialSettings",
    "LockSettings",
    "OrganizationSettings",
    "OutputSettings",
    "RetrySettings",
    "ScanSettings",
    "ScannerConfig",
    "Selection",
    "select",
    "starter_text",
]
