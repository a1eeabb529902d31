"""A configuration for just some of its accounts and Regions, as `--account` and `--region` ask."""

import re
from dataclasses import replace
from difflib import get_close_matches
from typing import Literal

from scanner.config.settings import AccountSettings, ScannerConfig, Selection
from scanner.errors import ConfigError


def select(config: ScannerConfig, selection: Selection) -> ScannerConfig:
    """`config` for the accounts and Regions of `selection` only.

    Without accounts in the configuration, those selected make the plan. Raises `ConfigError` for an account
    or Region that is malformed or not in the configuration.
    """
    if selection.shard:
        config = config.selecting(replace(config.selection, shard=selection.shard), {})
    if selection.accounts:
        config = _select_accounts(config, tuple(dict.fromkeys(selection.accounts)))
    if selection.regions:
        config = _select_regions(config, tuple(dict.fromkeys(selection.regions)))
    return config


def _select_accounts(config: ScannerConfig, wanted: tuple[str, ...]) -> ScannerConfig:
    for account in wanted:
        if not re.fullmatch(r"[0-9]{12}", account):
            raise ConfigError(f"--account: {account!r}: an account id is a string of 12 digits")
    known = {account.id: account for account in config.accounts}
    if config.organization:
        # Whether the others belong to the organization is known only once it has been asked.
        made = [known[account] for account in wanted if account in known]
    else:
        unknown = [account for account in wanted if known and account not in known]
        if unknown:
            close = get_close_matches(unknown[0], known, n=1)
            hint = f"did you mean {close[0]}?" if close else "add it to [[accounts]]"
            raise ConfigError(f"--account: {unknown[0]} is not in the configuration; {hint}")
        made = [known.get(account) or AccountSettings(id=account) for account in wanted]
    return config.selecting(replace(config.selection, accounts=wanted), {}, accounts=tuple(made))


def _select_regions(config: ScannerConfig, wanted: tuple[str, ...]) -> ScannerConfig:
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
            named = sorted({each for one in config.accounts for each in one.regions or ()} | _named(config))
            close = get_close_matches(region, named, n=1)
            hint = f"did you mean {close[0]}?" if close else "add it to scan.regions"
            raise ConfigError(f"--region: the configuration has no account with the Region {region}; {hint}")
    dropped = {account.id for account in config.accounts} - {account.id for account in kept}
    return config.selecting(
        replace(config.selection, regions=wanted, left_out=config.selection.left_out | dropped),
        {"scan.regions": "--region"} if common == wanted else {},
        accounts=tuple(kept),
        scan=config.scan.model_copy(update={"regions": common or config.scan.regions}),
    )


def _named(config: ScannerConfig) -> set[str]:
    return set() if config.scan.regions == "enabled" else set(config.scan.regions)


def _within(configured: Literal["enabled"] | tuple[str, ...], wanted: tuple[str, ...]) -> tuple[str, ...]:
    return wanted if configured == "enabled" else tuple(region for region in wanted if region in configured)
