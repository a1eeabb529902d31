"""The configuration as the options of a command ask for it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scanner.config.select import select
from scanner.config.settings import ScannerConfig, Selection
from scanner.config.shards import parse_shard
from scanner.service.secrets import remember


def settings_of(
    file: Path | None,
    accounts: Sequence[str] | None = None,
    regions: Sequence[str] | None = None,
    flags: Mapping[str, Any] | None = None,
    shard: str | None = None,
) -> ScannerConfig:
    """Loaded, with what is selected of it; what is secret in it will stand in no traceback. Raises ConfigError."""
    config = ScannerConfig.load(
        file, flags={key: value for key, value in (flags or {}).items() if value is not None}
    )
    remember(account.external_id for account in config.accounts)
    remember([config.organization.external_id] if config.organization else ())
    part = parse_shard(shard, os.environ) if shard else None
    return select(config, Selection(tuple(accounts or ()), tuple(regions or ()), shard=part))


def listed(text: str | None) -> list[str] | None:
    """The parts of a comma-separated list; None if there is no list."""
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]
