"""What a configuration says about the policies and the role of its scans."""

from collections.abc import Iterator

from scanner.config.settings import ScannerConfig
from scanner.errors import ConfigError
from scanner.inventory.arns import ROLE_ARN

USUAL_ROLE = "sgw-scanner"
_PREFIXES = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
"""How the names of Regions begin, outside of `aws`."""


def partition_in(config: ScannerConfig) -> str:
    """The partition of the ARNs and Regions that are named, else `aws`; raises ConfigError for several."""
    found = sorted(set(_partitions(config)))
    if len(found) > 1:
        raise ConfigError(
            f"the configuration names Regions or roles of {' and '.join(found)}; choose one with --partition"
        )
    return found[0] if found else "aws"


def role_in(config: ScannerConfig) -> str:
    """The name of the role that every scanned account has, where there is one, else the usual one."""
    names = {_name(role) for role in _roles(config)}
    (name,) = names if len(names) == 1 else {USUAL_ROLE}
    # The template makes roles without a path.
    return USUAL_ROLE if "/" in name else name


def _roles(config: ScannerConfig) -> Iterator[str]:
    for each in (*config.accounts, config.organization):
        if each and each.role:
            yield each.role


def _name(role: str) -> str:
    arn = ROLE_ARN.fullmatch(role)
    return arn["name"] if arn else role


def _partitions(config: ScannerConfig) -> Iterator[str]:
    for account in config.planned:
        regions = config.regions_of(account)
        for region in () if regions == "enabled" else regions:
            yield next((name for begin, name in _PREFIXES.items() if region.startswith(begin)), "aws")
    for role in (*_roles(config), *config.roles):
        arn = ROLE_ARN.fullmatch(role)
        if arn:
            yield arn["partition"]
