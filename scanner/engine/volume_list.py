"""What ListVolumes says of one target: its volumes by id, and which gateway holds each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import anyio

from scanner.inventory.arns import GATEWAY_ARN, id_of
from scanner.service.answers import ListedVolume

CACHED, DETACHED = "CACHED", "DETACHED"


@dataclass(slots=True)
class VolumeList:
    """What a target's ListVolumes has said so far. `complete` is None where it was not asked."""

    complete: bool | None = None
    ended: anyio.Event = field(default_factory=anyio.Event)
    _volumes: dict[str, ListedVolume] = field(default_factory=dict)
    _by_gateway: dict[str | None, list[str]] = field(default_factory=dict)
    _guessed: set[str] = field(default_factory=set)
    """Volumes whose gateway only their ARN tells, which may name one that held them before."""

    def add(self, volume: ListedVolume) -> None:
        """Notes a volume; its gateway is the one that the entry names, unless it says that it is detached."""
        guessed = volume.gateway_arn is None
        volume = replace(volume, gateway_arn=holder_of(volume))
        identifier = id_of(volume.arn)
        self._volumes[identifier] = volume
        if guessed and volume.gateway_arn:
            self._guessed.add(identifier)
        self._by_gateway.setdefault(volume.gateway_arn, []).append(identifier)

    def find(self, volume_arn: str) -> ListedVolume | None:
        """What was said of a volume, whichever form its ARN has."""
        return self._volumes.get(id_of(volume_arn))

    def held_by(self, gateway_arn: str | None, gateway_type: str | None = None) -> Iterator[ListedVolume]:
        """The cached volumes that a gateway holds; where an entry tells no type, that of the gateway does."""
        for identifier in self._by_gateway.get(gateway_arn, ()):
            volume = self._volumes[identifier]
            if _is_cached(volume.type or gateway_type):
                yield volume

    def take_outside(self, gateways: Iterable[str]) -> list[ListedVolume]:
        """The cached volumes that none of these gateways holds."""
        outside = self._by_gateway.keys() - set(gateways)
        found = [volume for gateway_arn in outside for volume in self.held_by(gateway_arn)]
        for volume in found:
            if id_of(volume.arn) in self._guessed:
                # No listing knows that gateway, so nothing says that it holds the volume still.
                self._volumes[id_of(volume.arn)] = replace(volume, gateway_arn=None)
        return found


def holder_of(volume: ListedVolume) -> str | None:
    if (volume.attachment_status or "").upper() == DETACHED:
        return None
    if volume.gateway_arn is not None:
        return volume.gateway_arn
    # Nothing else says which gateway holds it, and most ARNs name the right one.
    named = volume.arn.partition("/volume/")[0]
    return named if GATEWAY_ARN.fullmatch(named) else None


def _is_cached(type: str | None) -> bool:
    # "CACHED", or "CACHED iSCSI" as descriptions have it. An entry without a type may be a cached volume.
    return type is None or type.upper().startswith(CACHED)
