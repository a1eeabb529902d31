"""Regions and partitions as the SDK's own data knows them."""

import difflib
from collections.abc import Iterable
from typing import Any, Final

from scanner.config import AccountSettings, ScannerConfig
from scanner.errors import ConfigError

SERVICE: Final = "storagegateway"
HOME: Final = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
    "aws-eusc": "eusc-de-east-1",
}
"""A Region that every account of the partition has enabled."""


class Regions:
    """What is known of each Region. Build it from a botocore session; it reads data files only once."""

    def __init__(self, session: Any) -> None:
        self.default: str | None = session.get_config_variable("region")
        partitions = session.get_component("data_loader").load_data("endpoints")["partitions"]
        self._partition = {region: each["partition"] for each in partitions for region in each["regions"]}
        self._offered = {
            region
            for each in partitions
            for region in each["services"].get(SERVICE, {}).get("endpoints", ())
            if region in each["regions"]
        }

    def offered(self, region: str) -> bool:
        """Whether Storage Gateway is offered there; a Region newer than the SDK's data is to be tried."""
        return region in self._offered or region not in self._partition

    def home(self, partition: str) -> str:
        """The Region whose STS is asked: the SDK's configured one if it is of this partition."""
        if self.default and self._partition.get(self.default, partition) == partition:
            return self.default
        return HOME[partition] if partition in HOME else HOME["aws"]

    def partition(self, config: ScannerConfig, account: AccountSettings | None) -> str:
        """The partition of an account: as an ARN says, else its Regions, else the base identity's."""
        named = account.named_partition if account else None
        regions = config.regions_of(account)
        first = None if regions == "enabled" else regions[0]
        return named or self._partition.get(first or self.default or "", "aws")

    def check(self, config: ScannerConfig) -> None:
        """Raises ConfigError for a Region that does not exist, or that is of another partition."""
        for account in config.accounts or (None,):
            regions = config.regions_of(account)
            if regions == "enabled":
                continue
            where = "scan.regions"
            if account and account.regions:
                where = f"regions of account {account.id}"
            self._check_known(where, regions)
            partition = self.partition(config, account)
            stray = next((name for name in regions if self._partition[name] != partition), None)
            if stray:
                whose = f"account {account.id} is of" if account else f"{regions[0]} is of"
                raise ConfigError(
                    f"{where}: {stray} is of the partition {self._partition[stray]}, but {whose} {partition};"
                    " give such accounts their own regions, and a role by its ARN"
                )

    def _check_known(self, where: str, regions: Iterable[str]) -> None:
        for region in regions:
            if region not in self._partition:
                close = difflib.get_close_matches(region, self._partition, n=1)
                hint = f"did you mean {close[0]}?" if close else "us-east-1 would be one"
                raise ConfigError(
                    f"{where}: there is no Region {region!r} that this SDK knows; {hint} "
                    '(regions = "enabled" finds newer ones)'
                )
