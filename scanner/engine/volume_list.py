"""The answer of ListVolumes for one target: its volumes by id, and which gateway holds each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import anyio

from scanner.inventory.arns import GATEWAY_ARN, id_of
from scanner.service.answers import ListedVolume

CACHED, STORED, DETACHED = "CACHED", "STORED", "DETACHED"


@dataclass(slots=True)
class VolumeList:
    """The volumes that ListVolumes has named so far. `complete` is None if it was not called."""

    complete: bool | None = None
    ended: anyio.Event = field(default_factory=anyio.Event)
    _volumes: dict[str, ListedVolume] = field(default_factory=dict)
    _by_gateway: dict[str | None, list[str]] = field(default_factory=dict)
    _guessed: set[str] = field(default_factory=set)
    """Volumes whose gateway is known only from their ARN, which may name a former gateway."""

    def add(self, volume: ListedVolume) -> None:
        """Adds a volume. Its gateway is the one that the entry names; a detached volume has none."""
        guessed = volume.gateway_arn is None
        volume = replace(volume, gateway_arn=holder_of(volume))
        identifier = id_of(volume.arn)
        self._volumes[identifier] = volume
        if guessed and volume.gateway_arn:
            self._guessed.add(identifier)
        self._by_gateway.setdefault(volume.gateway_arn, []).append(identifier)

    def find(self, volume_arn: str) -> ListedVolume | None:
        """The entry of a volume, in either form of its ARN."""
        return self._volumes.get(id_of(volume_arn))

    def held_by(self, gateway_arn: str | None, gateway_type: str | None = None) -> Iterator[ListedVolume]:
        """The cached volumes that a gateway holds; an entry without a known type takes that of the gateway."""
        for identifier in self._by_gateway.get(gateway_arn, ()):
            volume = self._volumes[identifier]
            if _is_cached(volume.type, gateway_type):
                yield volume

    def take_outside(self, gateways: Iterable[str]) -> list[ListedVolume]:
        """The cached volumes that none of these gateways holds."""
        outside = self._by_gateway.keys() - set(gateways)
        found = [volume for gateway_arn in outside for volume in self.held_by(gateway_arn)]
        for volume in found:
            if id_of(volume.arn) in self._guessed:
                # The gateway is not listed, so it may no longer hold the volume.
                self._volumes[id_of(volume.arn)] = replace(volume, gateway_arn=None)
        return found


def holder_of(volume: ListedVolume) -> str | None:
    if (volume.attachment_status or "").upper() == DETACHED:
        return None
    if volume.gateway_arn is not None:
        return volume.gateway_arn
    # Nothing else names its gateway, and most ARNs name the right one.
    named = volume.arn.partition("/volume/")[0]
    return named if GATEWAY_ARN.fullmatch(named) else None


def _is_cached(volume_type: str | None, gateway_type: str | None) -> bool:
    # "CACHED", or "CACHED iSCSI" as descriptions have it. Only a known type rules a volume out: without one, or of a
    # type newer than this program, it may be a cached volume.
    kind = (volume_type or "").upper()
    if kind.startswith((CACHED, STORED)):
        return kind.startswith(CACHED)
    return gateway_type is None or gateway_type.upper().startswith(CACHED)
