"""One gateway from its listing to its end: its recovery points, then the details that were asked for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from scanner.engine.calls.paging import Paging
from scanner.engine.calls.scheduler import Job
from scanner.inventory.records import FailureKind, GatewayStatus
from scanner.service.answers import (
    GatewayDescription,
    ListedGateway,
    ListedVolume,
    RecoveryPoints,
    VolumeDescription,
    VolumePage,
)
from scanner.service.errors import CallFailed, GatewayNotApplicable, GatewayVanished

if TYPE_CHECKING:
    from scanner.engine.target import TargetScan

READ = "ListVolumeRecoveryPoints"
LIST_VOLUMES = "ListVolumes"
DESCRIBE_VOLUMES = "DescribeCachediSCSIVolumes"
DESCRIBE_GATEWAY = "DescribeGatewayInformation"
DESCRIBED_AT_ONCE = 32
"""Volumes in one DescribeCachediSCSIVolumes; a gateway has at most as many."""
HOPELESS = frozenset(
    {
        FailureKind.NETWORK,
        FailureKind.TIMEOUT,
        FailureKind.CREDENTIALS,
        FailureKind.DEADLINE,
        FailureKind.INTERRUPTED,
    }
)
"""After these no other call to the same gateway has a better chance."""


@dataclass(slots=True)
class GatewayScan:
    """What is known of one gateway while it is scanned. Its calls go one after the other."""

    target: "TargetScan"
    record: ListedGateway
    arn: str
    step: str = READ
    job: Job | None = None
    status: GatewayStatus = GatewayStatus.SCANNED
    points: RecoveryPoints | None = None
    facts: GatewayDescription | None = None
    listed: dict[str, ListedVolume] = field(default_factory=dict)
    described: dict[str, VolumeDescription] = field(default_factory=dict)
    paging: Paging = field(default_factory=Paging)
    _undescribed: list[str] = field(default_factory=list)

    @property
    def observed_at(self) -> datetime | None:
        return self.points.observed_at if self.points else None

    async def start(self) -> None:
        if self.record.problem:
            await self.read_failed(CallFailed.of(FailureKind.INVALID_RESPONSE, self.record.problem), 1)
            return
        source, place = self.target.source, self.target.place
        self._ask(READ, lambda: source.list_recovery_points(place, self.arn), self._read, self.read_failed)

    def _ask(
        self,
        operation: str,
        call: Callable[[], Awaitable[Any]],
        done: Callable[[Any], Awaitable[None]],
        failed: Callable[[CallFailed, int], Awaitable[None]] | None = None,
    ) -> None:
        self.step = operation
        self.job = self.target.ask(operation, call, done, failed or self._detail_failed, self.arn)

    async def _read(self, points: RecoveryPoints) -> None:
        self.target.check_volumes(points.volumes, points.request_id)
        self.points = points
        await self._details()

    async def read_failed(self, error: CallFailed, attempts: int) -> None:
        if isinstance(error, GatewayVanished):
            self.status = GatewayStatus.VANISHED
        elif isinstance(error, GatewayNotApplicable):
            self.status = GatewayStatus.NOT_APPLICABLE
        else:
            self.status = GatewayStatus.FAILED
            await self.target.fail_gateway(self.arn, READ, error, attempts)
            if error.facts.kind not in HOPELESS and not self.record.problem:
                await self._details()
                return
        await self.target.gateway_done(self)

    async def _details(self) -> None:
        if "volumes" in self.target.details:
            self._list_volumes(None)
        elif self.points is None:
            await self.target.gateway_done(self)
        else:
            await self._describe_gateway()

    def _list_volumes(self, marker: str | None) -> None:
        source, place = self.target.source, self.target.place
        self._ask(LIST_VOLUMES, lambda: source.list_volumes(place, self.arn, marker), self._volumes_listed)

    async def _volumes_listed(self, page: VolumePage) -> None:
        self.target.check_volumes(page.volumes)
        news = any(volume.arn not in self.listed for volume in page.volumes)
        self.listed.update((volume.arn, volume) for volume in page.volumes)
        if self.paging.follow(page.marker, news=news):
            self._list_volumes(page.marker)
            return
        if self.points is None:
            # A gateway that does not answer is not asked twice more; the listing came from the service.
            await self.target.gateway_done(self)
            return
        self._undescribed = sorted(self.listed)
        await self._describe_volumes()

    async def _describe_volumes(self) -> None:
        asked = tuple(self._undescribed[:DESCRIBED_AT_ONCE])
        del self._undescribed[:DESCRIBED_AT_ONCE]
        if not asked:
            await self._describe_gateway()
            return
        source, place = self.target.source, self.target.place
        self._ask(DESCRIBE_VOLUMES, lambda: source.describe_volumes(place, asked), self._volumes_described)

    async def _volumes_described(self, volumes: tuple[VolumeDescription, ...]) -> None:
        stray = next((volume.arn for volume in volumes if volume.arn not in self.listed), None)
        if stray:
            message = f"the answer describes {stray[:200]!r}, which was not asked for"
            raise CallFailed.of(FailureKind.INVALID_RESPONSE, message)
        self.described.update((volume.arn, volume) for volume in volumes)
        await self._describe_volumes()

    async def _describe_gateway(self) -> None:
        if "gateway" not in self.target.details:
            await self.target.gateway_done(self)
            return
        source, place = self.target.source, self.target.place
        self._ask(DESCRIBE_GATEWAY, lambda: source.describe_gateway(place, self.arn), self._gateway_described)

    async def _gateway_described(self, facts: GatewayDescription) -> None:
        self.facts = facts
        await self.target.gateway_done(self)

    async def _detail_failed(self, error: CallFailed, attempts: int) -> None:
        if isinstance(error, GatewayVanished):
            # Its recovery points stand; a gateway that is being deleted has no details to miss.
            await self.target.gateway_done(self)
            return
        await self.target.fail_gateway(self.arn, self.step, error, attempts)
        if self.step == DESCRIBE_GATEWAY or self.points is None or error.facts.kind in HOPELESS:
            await self.target.gateway_done(self)
        else:
            await self._describe_gateway()

    async def stop(self, error: CallFailed) -> None:
        """End now: what has not been read yet fails with `error`."""
        if self.step == READ:
            self.status = GatewayStatus.FAILED
        await self.target.fail_gateway(self.arn, self.step, error, self.job.attempts if self.job else 0)
        await self.target.gateway_done(self)
