"""Regions and partitions as the SDK's own data knows them."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from scanner.config.settings import AccountSettings, ScannerConfig
from scanner.errors import ConfigError
from scanner.inventory.arns import ROLE_ARN

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
ENABLED_BY_DEFAULT: Final = frozenset(
    {
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "eu-central-1",
        "eu-north-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    }
)
"""Those of the partition aws that no account can be without; every later one must be opted into."""


class Regions:
    """What is known of each Region. Build it from a botocore session; it reads data files only once.

    `of_profiles` are the Regions that profiles of single accounts name.
    """

    def __init__(self, session: Any, of_profiles: Mapping[str, str | None] | None = None) -> None:
        self.default: str | None = session.get_config_variable("region")
        self._of_profiles = of_profiles or {}
        partitions = session.get_component("data_loader").load_data("endpoints")["partitions"]
        self._partition = {region: each["partition"] for each in partitions for region in each["regions"]}
        self._shapes = [(re.compile(each["regionRegex"]), each["partition"]) for each in partitions]
        self._offered = {
            region
            for each in partitions
            for region in each["services"].get(SERVICE, {}).get("endpoints", ())
            if region in each["regions"]
        }

    def known_to_offer(self, region: str) -> bool:
        """Whether the SDK's data say that Storage Gateway is offered there. They may be old: ask all the same."""
        return region in self._offered

    def partition_of(self, region: str) -> str:
        """The partition of a Region; that of one too new to be known is told by its name's shape."""
        shaped = (partition for shape, partition in self._shapes if shape.fullmatch(region))
        return self._partition.get(region) or next(shaped, "aws")

    def home(self, partition: str) -> str:
        """The Region whose STS is asked: the SDK's configured one if it is of this partition."""
        if self.default and self._partition.get(self.default, partition) == partition:
            return self.default
        return HOME[partition] if partition in HOME else HOME["aws"]

    def sts(self, partition: str, profile: str | None) -> str:
        """The Region whose STS is asked: that of the profile if it is of this partition, else `home`."""
        own = self._of_profiles.get(profile) if profile else None
        return own if own and self._partition.get(own) == partition else self.home(partition)

    def common(self, partition: str) -> str:
        """A Region in which every account of the partition can be asked: `home` if none is without it."""
        home = self.home(partition)
        return home if home in ENABLED_BY_DEFAULT or partition not in HOME else HOME[partition]

    def partition(self, config: ScannerConfig, account: AccountSettings | None) -> str:
        """The partition of an account: as an ARN says, else its Regions, its profile, the base identity."""
        regions = config.regions_of(account)
        first = None if regions == "enabled" else regions[0]
        own = self._of_profiles.get(account.profile) if account and account.profile else None
        region = first or own or self.default
        return _named(config, account) or (self.partition_of(region) if region else "aws")

    def check(self, config: ScannerConfig) -> None:
        """Raises ConfigError for a Region that does not exist, or that is of another partition."""
        beside = (None,) if config.organization or not config.accounts else ()
        if config.scan.regions != "enabled":
            self._check_known(config.origin_of("scan.regions"), config.scan.regions)
        self._check_excluded(config)
        for account in (*config.accounts, *beside):
            regions = config.regions_of(account)
            if regions == "enabled":
                continue
            where = config.origin_of("scan.regions")
            if account and account.regions:
                where = config.origin_of(f"accounts[{config.accounts.index(account) + 1}].regions")
            self._check_known(where, regions)
            partition = self.partition(config, account)
            stray = next((name for name in regions if self.partition_of(name) != partition), None)
            if stray:
                whose = f"{regions[0]} is of"
                if account or _named(config, account):
                    whose = f"account {account.id} is of" if account else "organization.via is of"
                raise ConfigError(
                    f"{where}: {stray} is of the partition {self.partition_of(stray)}, but {whose} {partition};"
                    " give such accounts their own regions, and a role by its ARN"
                )

    def _check_known(self, where: str, regions: Iterable[str]) -> None:
        # A Region may be newer than the SDK's data, so only what looks like a slip, or like no Region, is an error.
        for region in regions:
            if region in self._partition:
                continue
            meant = self._meant(region)
            if meant or not any(shape.fullmatch(region) for shape, _ in self._shapes):
                close = meant or difflib.get_close_matches(region, self._partition, n=1)
                hint = f"did you mean {close[0]}?" if close else "us-east-1 would be one"
                raise ConfigError(f"{where}: there is no Region {region!r}; {hint}")

    def _check_excluded(self, config: ScannerConfig) -> None:
        # One that is newer than the SDK's data must be left out like any other, so only a slip is an error.
        for region in config.scan.exclude_regions:
            meant = [] if region in self._partition else self._meant(region)
            if meant:
                where = config.origin_of("scan.exclude_regions")
                raise ConfigError(f"{where}: there is no Region {region!r}; did you mean {meant[0]}?")

    def _meant(self, region: str) -> list[str]:
        """The Regions that `region` may be a slip of the pen for: the same letters, or one more or less."""
        number = region.rpartition("-")[2]
        return [
            known
            for known in self._partition
            if known.rpartition("-")[2] == number
            and (sorted(known) == sorted(region) or _one_edit(known, region))
        ]


def _named(config: ScannerConfig, account: AccountSettings | None) -> str | None:
    if account:
        return account.named_partition
    via = ROLE_ARN.fullmatch((config.organization.via if config.organization else None) or "")
    return via["partition"] if via else None


def _one_edit(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    if len(longer) - len(shorter) > 1:
        return False
    at = next((n for n, (a, b) in enumerate(zip(shorter, longer, strict=False)) if a != b), len(shorter))
    return longer[at + 1 :] == shorter[at + (len(longer) == len(shorter)) :]
