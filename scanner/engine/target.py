"""One target from its first ListGateways page to its end: what is asked next, and what the answers mean."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from scanner.engine.events import Event, FailureSeen, GatewayEnded, GatewaysListed, TargetEnded
from scanner.engine.schedule import Job, Queue
from scanner.engine.source import (
    CallFailed,
    GatewayNotApplicable,
    GatewayPage,
    GatewayRecord,
    GatewayVanished,
    Place,
    RecoveryPoints,
    Source,
    VolumeRecord,
)
from scanner.policy import Rater
from scanner.records import (
    GATEWAY_ARN,
    VOLUME_ARN,
    Failure,
    FailureKind,
    FailureScope,
    Gateway,
    GatewayStatus,
    Target,
    TargetStatus,
    Volume,
    newer,
)

LIST = "ListGateways"
READ = "ListVolumeRecoveryPoints"
DENIALS = 3
"""Gateways that must be refused, with none admitted, until the whole target counts as refused."""
PAGES_WITHOUT_NEWS = 10
"""Pages in a row without a gateway not seen before, after which a listing counts as endless."""
CACHED = "CACHED"


class Emit(Protocol):
    """Hands an event to the scan's readers; waits while they are busy."""

    async def __call__(self, event: Event) -> None: ...


@dataclass(slots=True)
class TargetScan:
    """What is known of one target while it is scanned."""

    place: Place
    account_name: str | None
    account_rpo: timedelta | None
    source: Source
    queue: Queue
    emit: Emit
    rater: Rater
    on_end: Callable[["TargetScan"], Awaitable[None]]
    listing: bool = True
    listed: int = 0
    failures: int = 0
    ended: bool = False
    pending: dict[str, GatewayRecord] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    volumes: dict[str, Volume] = field(default_factory=dict)
    markers: set[str] = field(default_factory=set)
    stale_pages: int = 0
    denied: int = 0
    admitted: bool = False
    refusal: CallFailed | None = None

    def start(self) -> None:
        """Queue the first call."""
        self._ask_page(None)

    def _ask_page(self, marker: str | None) -> None:
        self.queue.push(
            Job(
                LIST,
                lambda: self.source.list_gateways(self.place, marker),
                self._page_came,
                self._listing_broke,
                self.queue,
                self.place,
            ),
            first=True,
        )

    async def _page_came(self, page: GatewayPage) -> None:
        self.queue.budget.earn()
        broken = [problem for record in page.gateways if (problem := self._stranger(record)) is not None]
        fresh = [
            record
            for record in page.gateways
            if self._stranger(record) is None and record.arn is not None and record.arn not in self.seen
        ]
        fresh = list({record.arn: record for record in fresh}.values())
        self.seen.update(record.arn for record in fresh if record.arn)
        self.listed += len(fresh) + len(broken)
        self.stale_pages = 0 if fresh or broken else self.stale_pages + 1
        next_page = self._follow(page.marker)
        self.listing = next_page
        asked = []
        for record in fresh:
            if record.type in (None, CACHED) and record.arn:
                self.pending[record.arn] = record
                asked.append(record)
        if next_page:
            self._ask_page(page.marker)
        for record in asked:
            self._ask_points(record)
        await self.emit(GatewaysListed(*self.place, len(fresh) + len(broken)))
        for problem in broken:
            await self._fail_target(CallFailed(FailureKind.INVALID_RESPONSE, problem), 1, LIST)
        for record in fresh:
            if record.type not in (None, CACHED):
                await self.emit(GatewayEnded(self._gateway(record, GatewayStatus.NOT_APPLICABLE)))
        if page.marker and not next_page:
            why = (
                f"the listing did not end: {PAGES_WITHOUT_NEWS} pages in a row brought no new gateway"
                if page.marker not in self.markers
                else "the listing did not end: a marker came twice"
            )
            await self._fail_target(CallFailed(FailureKind.INVALID_RESPONSE, why), 1, LIST)
        await self._end_if_done()

    def _follow(self, marker: str | None) -> bool:
        if not marker or marker in self.markers or self.stale_pages >= PAGES_WITHOUT_NEWS:
            return False
        self.markers.add(marker)
        return True

    def _stranger(self, record: GatewayRecord) -> str | None:
        if record.arn is None:
            return "a listed gateway has no ARN, so it could not be asked"
        parts = GATEWAY_ARN.fullmatch(record.arn)
        if not parts:
            return f"a listed gateway has the malformed ARN {record.arn[:200]!r}, so it could not be asked"
        if parts.group(3, 2) != self.place:
            return f"the listed gateway {record.arn} is of another target, so it was not asked"
        return None

    async def _listing_broke(self, error: CallFailed, attempts: int) -> None:
        self.listing = False
        await self._fail_target(error, attempts, LIST)
        await self._end_if_done()

    def _ask_points(self, record: GatewayRecord) -> None:
        arn = record.arn
        assert arn is not None

        async def call() -> RecoveryPoints:
            if self.refusal and not self.admitted:
                raise CallFailed(
                    self.refusal.kind,
                    f"not asked: {READ} was denied for {DENIALS} other gateways here: {self.refusal.message}",
                    code=self.refusal.code,
                    sent=False,
                )
            return await self.source.list_recovery_points(self.place, arn)

        async def done(points: RecoveryPoints) -> None:
            self.queue.budget.earn()
            self.admitted = True
            try:
                volumes = self._read(record, points)
            except ValueError as error:
                await failed(CallFailed(FailureKind.INVALID_RESPONSE, str(error)), 1)
                return
            await self._end_gateway(record, GatewayStatus.SCANNED, points.observed_at, volumes)

        async def failed(error: CallFailed, attempts: int) -> None:
            if isinstance(error, GatewayVanished):
                await self._end_gateway(record, GatewayStatus.VANISHED)
                return
            if isinstance(error, GatewayNotApplicable):
                await self._end_gateway(record, GatewayStatus.NOT_APPLICABLE)
                return
            if error.kind is FailureKind.ACCESS_DENIED and error.sent and not error.named_gateway:
                self.denied += 1
                if self.denied >= DENIALS:
                    self.refusal = error
            await self._fail_gateway(record, error, attempts)

        self.queue.push(Job(READ, call, done, failed, self.queue, self.place, gateway_arn=arn))

    def _read(self, record: GatewayRecord, points: RecoveryPoints) -> tuple[Volume, ...]:
        """The rated volumes of one answer; raises ValueError for a stray or contradicting record."""
        mine: dict[str, VolumeRecord] = {}
        for found in points.volumes:
            parts = VOLUME_ARN.fullmatch(found.arn)
            if not parts or parts.group(3, 2) != self.place:
                raise ValueError(
                    f"a record names the volume {found.arn[:200]!r}, which is not of this target"
                )
            if mine.setdefault(found.arn, found) != found:
                raise ValueError(f"two records of the volume {found.arn} contradict each other")
        stood = []
        for found in mine.values():
            volume = self._volume(record, found, points.observed_at)
            known = self.volumes.get(found.arn)
            if known is None or newer(known, volume) is volume:
                self.volumes[found.arn] = volume
                stood.append(volume)
        return tuple(stood)

    def _volume(self, record: GatewayRecord, found: VolumeRecord, observed_at: datetime) -> Volume:
        identifier = found.arn.rpartition("/")[2]
        assert record.arn is not None
        return Volume(
            arn=found.arn,
            id=identifier,
            gateway_arn=record.arn,
            account_id=self.place.account_id,
            region=self.place.region,
            size_bytes=found.size_bytes,
            usage_bytes=found.usage_bytes,
            recovery_point_time=found.time,
            verdict=self.rater.verdict(
                volume_arn=found.arn,
                volume_id=identifier,
                volume_tags=None,
                recovery_point_time=found.time,
                gateway_arn=record.arn,
                gateway_id=record.arn.rpartition("/")[2],
                gateway_name=record.name,
                gateway_tags=None,
                account_id=self.place.account_id,
                account_name=self.account_name,
                region=self.place.region,
                account_rpo=self.account_rpo,
                observed_at=observed_at,
            ),
        )

    def _gateway(
        self, record: GatewayRecord, status: GatewayStatus, observed_at: datetime | None = None
    ) -> Gateway:
        assert record.arn is not None
        return Gateway(
            arn=record.arn,
            id=record.arn.rpartition("/")[2],
            name=record.name,
            account_id=self.place.account_id,
            region=self.place.region,
            type=record.type,
            operational_state=record.operational_state,
            host_environment=record.host_environment,
            ec2_instance_id=record.ec2_instance_id,
            software_version=record.software_version,
            deprecation_date=record.deprecation_date,
            status=status,
            observed_at=observed_at,
        )

    async def _end_gateway(
        self,
        record: GatewayRecord,
        status: GatewayStatus,
        observed_at: datetime | None = None,
        volumes: tuple[Volume, ...] = (),
    ) -> None:
        self.pending.pop(record.arn or "")
        await self.emit(GatewayEnded(self._gateway(record, status, observed_at), volumes))
        await self._end_if_done()

    async def _fail_gateway(self, record: GatewayRecord, error: CallFailed, attempts: int) -> None:
        self.failures += 1
        failure = self._failure(error, attempts, READ, record.arn)
        await self.emit(FailureSeen(failure))
        await self._end_gateway(record, GatewayStatus.FAILED)

    async def _fail_target(self, error: CallFailed, attempts: int, operation: str) -> None:
        self.failures += 1
        await self.emit(FailureSeen(self._failure(error, attempts, operation, None)))

    def _failure(self, error: CallFailed, attempts: int, operation: str, gateway_arn: str | None) -> Failure:
        return Failure(
            scope=FailureScope.GATEWAY if gateway_arn else FailureScope.TARGET,
            account_id=self.place.account_id,
            region=self.place.region,
            gateway_arn=gateway_arn,
            operation=error.operation or operation,
            kind=error.kind,
            code=error.code,
            message=error.message,
            attempts=attempts,
            request_id=error.request_id,
        )

    async def stop(self, kind: FailureKind, message: str) -> None:
        """End now: whatever has not been read fails with `kind`."""
        self.queue.close()
        if self.listing:
            self.listing = False
            await self._fail_target(CallFailed(kind, message), 0, LIST)
        for record in list(self.pending.values()):
            await self._fail_gateway(record, CallFailed(kind, message), 0)
        await self._end_if_done()

    async def _end_if_done(self) -> None:
        if self.ended or self.listing or self.pending:
            return
        self.ended = True
        self.queue.close()
        status = TargetStatus.COMPLETE
        if self.failures:
            status = TargetStatus.PARTIAL if self.listed else TargetStatus.FAILED
        await self.emit(
            TargetEnded(
                Target(
                    account_id=self.place.account_id,
                    account_name=self.account_name,
                    region=self.place.region,
                    status=status,
                    gateways=self.listed,
                    volumes=len(self.volumes),
                )
            )
        )
        await self.on_end(self)
