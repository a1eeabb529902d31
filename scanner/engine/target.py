"""One target from its first ListGateways page to its end: what is asked next, and what the answers mean."""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from scanner.engine.calls.denials import Refusals
from scanner.engine.calls.paging import EMPTY_PAGES, Paging
from scanner.engine.calls.scheduler import Job, Queue
from scanner.engine.gateway import GatewayScan
from scanner.engine.rating import gateway_of, volumes_of
from scanner.inventory.events import Event, FailureSeen, GatewayEnded, GatewaysListed, TargetEnded
from scanner.inventory.records import (
    GATEWAY_ARN,
    VOLUME_ARN,
    Failure,
    FailureKind,
    FailureScope,
    GatewayStatus,
    SkipReason,
    Target,
    TargetStatus,
)
from scanner.policy.rules import Rater
from scanner.service.answers import GatewayPage, ListedGateway, ListedVolume, RecoveryPoint, TagPage
from scanner.service.errors import CallFailed, RegionNotEnabled
from scanner.service.protocol import Service, TargetKey

LIST = "ListGateways"
TAGS = "GetResources"
CACHED = "CACHED"
NEVER = datetime.min.replace(tzinfo=UTC)
NOTHING = (NEVER, "")


class Emit(Protocol):
    """Hands an event to the scan's readers; waits while they are busy."""

    async def __call__(self, event: Event) -> None: ...


@dataclass(slots=True)
class TargetScan:
    """What is known of one target while it is scanned."""

    place: TargetKey
    account_name: str | None
    ou_path: str | None
    account_rpo: timedelta | None
    details: frozenset[str]
    source: Service
    queue: Queue
    tag_queue: Queue
    emit: Emit
    rater: Rater
    on_end: Callable[["TargetScan"], Awaitable[None]]
    listing: bool = True
    listing_broke: bool = False
    listed: int = 0
    failures: int = 0
    ended: bool = False
    skipped: SkipReason | None = None
    pending: dict[str, GatewayScan] = field(default_factory=dict)
    waiting: list[GatewayScan] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    standing: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    """Of each volume's record that stands: its recovery point, and which gateway answered."""
    paging: Paging = field(default_factory=Paging)
    tag_paging: Paging = field(default_factory=lambda: Paging(EMPTY_PAGES))
    refusals: Refusals = field(default_factory=Refusals)
    tags: dict[str, dict[str, str]] | None = None
    tagging: bool = False
    page_job: Job | None = None
    tag_job: Job | None = None

    def start(self) -> None:
        """Queue the first call."""
        self._ask_page(None)

    def ask(
        self,
        operation: str,
        call: Callable[[], Awaitable[Any]],
        done: Callable[[Any], Awaitable[None]],
        failed: Callable[[CallFailed, int], Awaitable[None]],
        gateway_arn: str,
    ) -> Job:
        """Queue a call about one gateway; it is not sent where the target has denied its like."""

        async def checked() -> Any:
            self.refusals.check(operation)
            return await call()

        async def admitted(answer: Any) -> None:
            self.queue.budget.earn()
            self.refusals.admitted(operation)
            await done(answer)

        async def refused(error: CallFailed, attempts: int) -> None:
            self.refusals.failed(operation, error)
            await failed(error, attempts)

        job = Job(operation, checked, admitted, refused, self.queue, self.place, gateway_arn)
        job.left = lambda: len(self.pending)
        self.queue.push(job)
        return job

    def _ask_page(self, marker: str | None) -> None:
        call = lambda: self.source.list_gateways(self.place, marker)  # noqa: E731
        job = Job(LIST, call, self._page_came, self._listing_failed, self.queue, self.place)
        self.page_job = job
        self.queue.push(job, first=True)

    async def _page_came(self, page: GatewayPage) -> None:
        self.queue.budget.earn()
        tries = self.page_job.attempts if self.page_job else 0
        fresh, broken = self._sorted_out(page)
        self.seen.update(fresh)
        self.listed += len(fresh) + len(broken)
        gateways = [GatewayScan(self, record, arn) for arn, record in fresh.items()]
        self.pending.update((gateway.arn, gateway) for gateway in gateways)
        endless = None
        try:
            self.listing = self.paging.follow(page.marker, news=bool(fresh or broken))
        except CallFailed as error:
            self.listing, self.listing_broke, endless = False, True, error
        if self.listing:
            self._ask_page(page.marker)
        if gateways and "tags" in self.details and self.tag_job is None:
            # Asked only now: of a Region that is not enabled, or has no gateway, there is nothing to learn.
            self.tagging = True
            self._ask_tags(None, {})
        await self.emit(GatewaysListed(*self.place, len(fresh) + len(broken)))
        for problem in broken:
            nonsense = CallFailed.of(FailureKind.INVALID_RESPONSE, problem, request_id=page.request_id)
            await self._fail(nonsense, tries, LIST)
        if endless:
            await self._fail(endless, tries, LIST)
        for gateway in gateways:
            if gateway.record.type in (None, CACHED):
                await gateway.start()
            else:
                gateway.status = GatewayStatus.NOT_APPLICABLE
                await self.gateway_done(gateway)
        await self._end_if_done()

    def _sorted_out(self, page: GatewayPage) -> tuple[dict[str, ListedGateway], list[str]]:
        """The entries of a page that are new, by ARN, and what is wrong with each of the others."""
        fresh: dict[str, ListedGateway] = {}
        broken = []
        for record in page.gateways:
            problem = self._stranger(record)
            if problem:
                broken.append(problem)
            elif not record.arn or record.arn in self.seen:
                continue
            elif fresh.setdefault(record.arn, record) != record:
                told = "two entries of the gateway in one listing contradict each other"
                fresh[record.arn] = replace(fresh[record.arn], problem=told)
        return fresh, broken

    def _stranger(self, record: ListedGateway) -> str | None:
        if record.arn is None:
            return "a listed gateway has no ARN, so it could not be asked"
        parts = GATEWAY_ARN.fullmatch(record.arn)
        if not parts:
            return f"a listed gateway has the malformed ARN {record.arn[:200]!r}, so it could not be asked"
        if not self._own(parts):
            return f"the listed gateway {record.arn} is of another target, so it was not asked"
        return None

    def _own(self, arn: re.Match[str]) -> bool:
        partition = self.source.partition_of(self.place.region)
        return arn.group(1, 3, 2) == (partition, *self.place)

    async def _listing_failed(self, error: CallFailed, attempts: int) -> None:
        self.listing, self.listing_broke = False, True
        if isinstance(error, RegionNotEnabled) and not self.listed:
            self.skipped = SkipReason.NOT_ENABLED
        else:
            await self._fail(error, attempts, LIST)
        await self._end_if_done()

    def _ask_tags(self, marker: str | None, found: dict[str, dict[str, str]]) -> None:
        async def came(page: TagPage) -> None:
            self.tag_queue.budget.earn()
            news = not page.tags.keys() <= found.keys()
            found.update(page.tags)
            if self.tag_paging.follow(page.marker, news=news):
                self._ask_tags(page.marker, found)
                return
            self.tags = found
            await self._tags_known()

        async def broke(error: CallFailed, attempts: int) -> None:
            await self._fail(error, attempts, TAGS)
            await self._tags_known()

        call = lambda: self.source.list_tags(self.place, marker)  # noqa: E731
        self.tag_job = Job(TAGS, call, came, broke, self.tag_queue, self.place, counted=False)
        self.tag_queue.push(self.tag_job)

    async def _tags_known(self) -> None:
        self.tagging = False
        waiting, self.waiting = self.waiting, []
        for gateway in waiting:
            await self.gateway_done(gateway)
        await self._end_if_done()

    def check_volumes(
        self, records: Iterable[RecoveryPoint | ListedVolume], request_id: str | None = None
    ) -> None:
        """Raises CallFailed for a record of another target, and for two that contradict each other."""
        mine: dict[str, RecoveryPoint | ListedVolume] = {}
        for found in records:
            parts = VOLUME_ARN.fullmatch(found.arn)
            problem = None
            if not parts or not self._own(parts):
                problem = f"a record names the volume {found.arn[:200]!r}, which is not of this target"
            elif mine.setdefault(found.arn, found) != found:
                problem = f"two records of the volume {found.arn} contradict each other"
            if problem:
                raise CallFailed.of(FailureKind.INVALID_RESPONSE, problem, request_id=request_id)

    async def gateway_done(self, gateway: GatewayScan) -> None:
        """All that can be known of a gateway is known; its verdicts may still have to wait for tags."""
        if self.tagging:
            self.waiting.append(gateway)
            return
        self.pending.pop(gateway.arn)
        # A job leads back to its gateway: apart they are gone at once, and not when a collector comes by.
        gateway.job = None
        stood = []
        for volume in volumes_of(gateway, self.rater):
            record = volume.recovery_point_time or NEVER, volume.gateway_arn
            if record > self.standing.get(volume.arn, NOTHING):
                self.standing[volume.arn] = record
                stood.append(volume)
        await self.emit(GatewayEnded(gateway_of(gateway), tuple(stood)))
        await self._end_if_done()

    async def fail_gateway(self, arn: str, operation: str, error: CallFailed, attempts: int) -> None:
        await self._fail(error, attempts, operation, arn)

    async def _fail(
        self, error: CallFailed, attempts: int, operation: str, gateway_arn: str | None = None
    ) -> None:
        self.failures += 1
        failure = Failure(
            scope=FailureScope.GATEWAY if gateway_arn else FailureScope.TARGET,
            account_id=self.place.account_id,
            region=self.place.region,
            gateway_arn=gateway_arn,
            operation=error.facts.operation or operation,
            kind=error.facts.kind,
            code=error.facts.code,
            message=error.facts.message,
            attempts=attempts,
            request_id=error.facts.request_id,
        )
        await self.emit(FailureSeen(failure))

    async def stop(self, kind: FailureKind, message: str) -> None:
        """End now: whatever has not been read fails with `kind`."""
        self._close()
        error = CallFailed.of(kind, message)
        if self.listing:
            self.listing, self.listing_broke = False, True
            await self._fail(error, self.page_job.attempts if self.page_job else 0, LIST)
        if self.tagging:
            await self._fail(error, self.tag_job.attempts if self.tag_job else 0, TAGS)
            await self._tags_known()
        for gateway in list(self.pending.values()):
            await gateway.stop(error)
        await self._end_if_done()

    def _close(self) -> None:
        self.queue.close()
        self.tag_queue.close()

    async def _end_if_done(self) -> None:
        if self.ended or self.listing or self.pending or self.tagging:
            return
        self.ended = True
        self.page_job = self.tag_job = None
        self._close()
        status = TargetStatus.SKIPPED if self.skipped else TargetStatus.COMPLETE
        if self.failures and not self.skipped:
            unread = self.listing_broke and not self.listed
            status = TargetStatus.FAILED if unread else TargetStatus.PARTIAL
        await self.emit(
            TargetEnded(
                Target(
                    account_id=self.place.account_id,
                    account_name=self.account_name,
                    ou_path=self.ou_path,
                    region=self.place.region,
                    status=status,
                    reason=self.skipped,
                    gateways=self.listed,
                    volumes=len(self.standing),
                )
            )
        )
        await self.on_end(self)
