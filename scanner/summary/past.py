"""What earlier scans tell beside the newest: how well RPOs were kept, how long volumes are in danger, what changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from scanner.inventory.arns import id_of
from scanner.inventory.records import Volume

VolumeKey = tuple[str, str, str]
"""Account, Region and id of a volume: its ARN names the gateway that it is on, and changes with it."""


def key_of(volume: Volume) -> VolumeKey:
    """What a volume is known by from scan to scan."""
    return volume.account_id, volume.region, id_of(volume.arn)


@dataclass(frozen=True, slots=True)
class Compliance:
    """Of one scan: how many volumes were within their RPO, beyond it, and not known."""

    scan_id: str
    scanned_at: datetime
    within_rpo: int
    beyond_rpo: int
    unknown: int

    @property
    def share(self) -> float | None:
        """The share of rated volumes that were within their RPO; None where none was rated."""
        rated = self.within_rpo + self.beyond_rpo
        return self.within_rpo / rated if rated else None


@dataclass(frozen=True, slots=True)
class Danger:
    """When a volume that needs action began to: for certain, and at the earliest."""

    since: datetime
    possibly_since: datetime


@dataclass(frozen=True, slots=True)
class Aged:
    """How old a volume's recovery point was in one scan; None where there was none, or nobody could be asked."""

    scanned_at: datetime
    age_seconds: float | None
    rpo_seconds: float | None


@dataclass(frozen=True, slots=True)
class Changed:
    """Changes of one kind between two scans: how many, and which first ones, by account, Region and name."""

    what: str
    kind: str
    before: str | None
    after: str | None
    count: int
    examples: tuple[tuple[str, str | None, str], ...]


@dataclass(frozen=True, slots=True)
class Past:
    """What a history knows beside one of its scans.

    `scans` are oldest first, that scan the last; `ages` those of the volumes in danger for longest. `compared_with` is
    when the scan began with which `changes` compare, None where there is none before.
    """

    scans: tuple[Compliance, ...] = ()
    danger: Mapping[VolumeKey, Danger] = field(default_factory=dict)
    ages: Mapping[VolumeKey, tuple[Aged, ...]] = field(default_factory=dict)
    compared_with: datetime | None = None
    changes: tuple[Changed, ...] = ()
