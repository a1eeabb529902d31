"""A configuration for just some of its accounts and Regions, as `--account` and `--region` ask."""

import re
from collections.abc import Sequence
from typing import Literal

from scanner.config.load import Origins
from scanner.config.settings import AccountSettings, ScannerConfig
from scanner.errors import ConfigError


def narrow(config: ScannerConfig, accounts: Sequence[str] = (), regions: Sequence[str] = ()) -> ScannerConfig:
    """`config` for these accounts and Regions only; none given means all.

    Without accounts in the configuration, those given make the plan. Raises `ConfigError` for an
    account or Region that is malformed or not in the configuration.
    """
    if accounts:
        config = _only_accounts(config, list(dict.fromkeys(accounts)))
    if regions:
        config = _only_regions(config, tuple(dict.fromkeys(regions)))
    return config


def _only_accounts(config: ScannerConfig, wanted: list[str]) -> ScannerConfig:
    for account in wanted:
        if not re.fullmatch(r"[0-9]{12}", account):
            raise ConfigError(f"--account: {account!r}: an account id is a string of 12 digits")
    known = {account.id: account for account in config.accounts}
    if config.organization:
        # Whether the others belong to the organization is known only once it has been asked.
        kept = [known[account] for account in wanted if account in known]
        narrowed = config.model_copy(update={"accounts": tuple(kept)})
        narrowed._only_accounts = frozenset(wanted)
        return narrowed
    unknown = [account for account in wanted if known and account not in known]
    if unknown:
        raise ConfigError(f"--account: {unknown[0]} is not in the configuration; add it to [[accounts]]")
    made = [known.get(account) or AccountSettings(id=account) for account in wanted]
    return config.model_copy(update={"accounts": tuple(made)})


def _only_regions(config: ScannerConfig, wanted: tuple[str, ...]) -> ScannerConfig:
    for region in wanted:
        if not re.fullmatch(r"[a-z]{2,}(-[a-z]+)+-[0-9]+", region):
            raise ConfigError(f"--region: {region!r} is no Region name; write one such as us-east-1")
    shared = not config.accounts or config.organization or any(not each.regions for each in config.accounts)
    common = _within(config.scan.regions, wanted) if shared else ()
    kept = []
    planned = set(common)
    for account in config.accounts:
        own = _within(account.regions, wanted) if account.regions else None
        planned.update(own or ())
        if own or (own is None and common):
            kept.append(account.model_copy(update={"regions": own}))
    for region in wanted:
        if region not in planned:
            raise ConfigError(f"--region: {region} is among no account's regions; add it to scan.regions")
    scan = config.scan.model_copy(update={"regions": common or config.scan.regions})
    narrowed = config.model_copy(update={"accounts": tuple(kept), "scan": scan})
    kept_ids = {account.id for account in kept}
    dropped = {account.id for account in config.accounts} - kept_ids
    narrowed._left_out = config.left_out | dropped
    if common == wanted:
        origins = config._origins
        narrowed._origins = Origins(origins.file, {**origins.set_by, "scan.regions": "--region"})
    return narrowed


def _within(configured: Literal["enabled"] | tuple[str, ...], wanted: tuple[str, ...]) -> tuple[str, ...]:
    return wanted if configured == "enabled" else tuple(region for region in wanted if region in configured)
