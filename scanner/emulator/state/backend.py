"""The fleet, indexed by what requests name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from ..fleets.accounts import Account, Gateway, Volume, volume_arn
from ..fleets.fleet import Fleet
from ..fleets.regions import DEFAULT_REGIONS, OPT_IN_REGIONS, OTHER_REGIONS, partition_of, regions_of
from .page_markers import PageMarkers
from .principals import CredentialStore


# The same few thousand moments are formatted over and over.
@lru_cache(maxsize=65_536)
def format_time(moment: datetime) -> str:
    """A moment as Storage Gateway writes it: text, milliseconds, Z."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


class VolumeEntry(NamedTuple):
    """A volume with its ARN and the gateway that holds it, if one does."""

    arn: str
    volume: Volume
    type: str
    gateway_arn: str | None = None
    gateway: Gateway | None = None


class Backend:
    """What the services answer from; `refresh` reads the fleet anew."""

    def __init__(self, fleet: Fleet, started_at: float) -> None:
        self.fleet = fleet
        self.started_at = datetime.fromtimestamp(started_at, UTC)
        self.credentials = CredentialStore()
        self.markers = PageMarkers()
        self.refresh()

    def refresh(self) -> None:
        """Reads the fleet anew; call it after changing the fleet under a running emulator."""
        self.accounts = {account.id: account for account in self.fleet.accounts}
        self.gateways: dict[str, tuple[Account, Gateway]] = {}
        self.regions = {*DEFAULT_REGIONS, *OPT_IN_REGIONS, *OTHER_REGIONS, *self.fleet.extra_regions}
        self.enabled = {account.id: frozenset(account.enabled_regions) for account in self.fleet.accounts}
        self.members, self.units = self.fleet.members, self.fleet.units
        self._targets: dict[tuple[str, str], list[tuple[str, Gateway]]] = {}
        for account in self.fleet.accounts:
            self.regions.update(self.enabled[account.id])
            for gateway in account.gateways:
                arn = account.arn_of(gateway)
                self._targets.setdefault((account.id, gateway.region), []).append((arn, gateway))
                self.gateways[arn] = (account, gateway)
        for listed in self._targets.values():
            listed.sort(key=lambda item: item[0])
        self.credentials.read_users(self.fleet)

    def gateways_in(self, account_id: str, region: str) -> list[tuple[str, Gateway]]:
        """The gateways of a target, in the order of their ARNs."""
        return self._targets.get((account_id, region), [])

    def volumes_of(self, gateway_arn: str, gateway: Gateway) -> list[VolumeEntry]:
        """The volumes that a gateway holds, in the order of the fleet."""
        return [
            VolumeEntry(volume_arn(gateway_arn, volume), volume, gateway.type, gateway_arn, gateway)
            for volume in gateway.volumes
        ]

    def volumes_in(self, account_id: str, region: str) -> list[VolumeEntry]:
        """The volumes of a target, those that no gateway holds included."""
        entries = [
            entry
            for arn, gateway in self.gateways_in(account_id, region)
            for entry in self.volumes_of(arn, gateway)
        ]
        return entries + self.detached_in(account_id, region)

    def detached_in(self, account_id: str, region: str) -> list[VolumeEntry]:
        """The volumes of a target that no gateway holds."""
        account = self.accounts.get(account_id)
        volumes = account.detached_volumes if account else []
        return [
            VolumeEntry(account.arn_of_detached(volume), volume, volume.type)
            for volume in volumes
            if account is not None and volume.region == region
        ]

    def find_volume(self, arn: str) -> VolumeEntry | None:
        """The volume with this ARN, wherever it is now."""
        fields = arn.split(":")
        owner = arn.partition("/volume/")[0]
        held = self.gateways.get(owner)
        entries = self.volumes_of(owner, held[1]) if held else []
        entries += self.detached_in(fields[4], fields[3])
        return next((entry for entry in entries if entry.arn == arn), None)

    def recovery_time(self, volume: Volume) -> str | None:
        """The time of a volume's recovery point as it is sent."""
        point = volume.recovery_point
        if isinstance(point, timedelta):
            return format_time(self.started_at - point)
        return format_time(point) if isinstance(point, datetime) else point

    def is_enabled(self, service: str, account_id: str, region: str) -> bool:
        """Whether an account may call a service in a Region; accounts outside the fleet may everywhere."""
        account = self.accounts.get(account_id)
        if account is None:
            return True
        if partition_of(region) != account.partition:
            return False
        # A caller needs a Region to start in: a fleet may leave the default Regions out, AWS never does.
        everywhere = service in ("organizations", "account")
        return (
            everywhere
            or (service in ("sts", "ec2") and region in DEFAULT_REGIONS)
            or region in self.enabled[account_id]
        )

    def region_statuses(self, account_id: str, partition: str) -> dict[str, str]:
        """Every Region of the partition with its opt-in status for the account."""
        account = self.accounts.get(account_id)
        known = {region for region in self.regions if partition_of(region) == partition}
        enabled = self.enabled.get(account_id)
        found = {}
        for region in sorted(known | set(regions_of(partition))):
            on = enabled is None or region in enabled
            # A Region that the emulator does not know is a new one, and new ones are opt-in.
            opt_in = partition == "aws" and (region in OPT_IN_REGIONS or region in self.fleet.extra_regions)
            found[region] = ("ENABLED" if opt_in else "ENABLED_BY_DEFAULT") if on else "DISABLED"
        if account is not None:
            found.update(account.region_status)
        return found
