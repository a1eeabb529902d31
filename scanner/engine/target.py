"""One target: its gateways are listed page by page, and read by a few workers at once."""

from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from scanner.engine import failures
from scanner.engine.calls.calls import Call, GivenUp
from scanner.engine.calls.paging import EMPTY_PAGES, Paging
from scanner.engine.calls.scheduler import CallQueue
from scanner.engine.context import TargetContext
from scanner.engine.gateway import GatewayResult, read_details, read_gateway
from scanner.engine.rating import gateway_of, volumes_of, volumes_outside
from scanner.engine.volumes import LIST_VOLUMES, VOLUME_GATEWAYS, list_volumes
from scanner.inventory.arns import GATEWAY_ARN
from scanner.inventory.events import FieldsDropped, GatewayEnded, GatewaysListed, TargetEnded, VolumesSeen
from scanner.inventory.records import (
    FailureKind,
    GatewayStatus,
    ListVolumes,
    SkipReason,
    Target,
    TargetStatus,
    Volume,
)
from scanner.service.answers import GatewayPage, ListedGateway
from scanner.service.errors import CallFailed, RegionNotOffered

LIST = "ListGateways"
TAGS = "GetResources"
CACHED = "CACHED"
NEVER = datetime.min.replace(tzinfo=UTC)
NOTHING = (False, NEVER, "")
MOST_NAMED = 3
"""Gateways that one message names."""
Task = Callable[[], Coroutine[Any, Any, None]]
Spawn = Callable[[Task], None]
"""Starts a task in the scan's task group."""
EnabledIn = Callable[[str], Awaitable[bool | None]]
"""Whether the account has enabled a Region; None where that cannot be known."""


@dataclass(slots=True)
class TargetScan:
    """One target while it is scanned. `run` ends when all that can be known of it has been emitted."""

    context: TargetContext
    tag_queue: CallQueue | None
    """None where no tags are asked for."""
    workers: int
    spawn: Spawn
    enabled_in: EnabledIn
    list_volumes: ListVolumes
    on_end: Callable[["TargetScan"], None]
    _todo: deque[tuple[str, ListedGateway]] = field(default_factory=deque)
    _read: deque[GatewayResult] = field(default_factory=deque)
    """Gateways whose recovery points were read, and whose details were not."""
    _working: int = 0
    _unfinished: int = 1
    """The listing, the tags, and gateways that have not ended."""
    _listed: int = 0
    _listing_broke: bool = False
    _unnamed: bool = False
    """Whether an entry of the listing was too broken to name its gateway."""
    _skipped: SkipReason | None = None
    _tags_asked: bool = False
    _volumes_asked: bool = False
    _asking: int = 0
    """Tags and the list of volumes, as long as they are being asked for."""
    _waiting: list[GatewayResult] = field(default_factory=list)
    """Gateways that were read, and need what is still being asked for."""
    _seen: set[str] = field(default_factory=set)
    _standing: dict[str, tuple[bool, datetime, str]] = field(default_factory=dict)
    """By volume, of the record that stands: whether a gateway answered, its recovery point, and the gateway."""

    async def run(self) -> None:
        """Lists the gateways, while workers read those already listed."""
        paging, marker = Paging(), None
        while True:
            call = Call(LIST, self.context.queue, self.context.key, first=True, prepare=self.context.prepare)
            list_page = partial(self.context.service.list_gateways, self.context.key, marker)
            try:
                page = await self.context.calls.send(call, list_page)
            except GivenUp as failure:
                await self._listing_failed(failure)
                break
            marker = await self._take_page(page, paging, call.attempts)
            if marker is None:
                break
        if not self._volumes_asked:
            self.context.volumes.ended.set()
        await self._finish(1)
        await self._work()

    async def _take_page(self, page: GatewayPage, paging: Paging, attempts: int) -> str | None:
        """Hands the gateways of a page to the workers; returns the next marker, None after the last page."""
        fresh, broken = self._sort_out(page)
        self._seen.update(fresh)
        self._listed += len(fresh) + len(broken)
        self._unfinished += len(fresh)
        self.context.unread += len(fresh)
        endless = None
        try:
            marker = page.marker if paging.follow(page.marker, news=bool(fresh or broken)) else None
        except CallFailed as error:
            marker, endless, self._listing_broke = None, error, True
        # Only after the first gateway: without one there are no tags to read.
        if fresh and self.tag_queue and not self._tags_asked:
            self._tags_asked = True
            self._ask_beside(partial(self._read_tags, self.tag_queue))
        if not self._volumes_asked and self._may_have_volumes(fresh.values()):
            self._volumes_asked = True
            self._ask_beside(partial(list_volumes, self.context))
        await self.context.emit(GatewaysListed(*self.context.key, len(fresh) + len(broken)))
        self._unnamed = self._unnamed or bool(broken)
        for problem in broken:
            untrusted = CallFailed.of(FailureKind.INVALID_RESPONSE, problem, request_id=page.request_id)
            await self._fail(GivenUp(untrusted, attempts), LIST)
        if endless:
            await self._fail(GivenUp(endless, attempts), LIST)
        for arn, listing in fresh.items():
            if listing.dropped:
                await self.context.emit(FieldsDropped(arn, LIST, listing.dropped))
            if listing.type in (None, CACHED):
                self._todo.append((arn, listing))
            else:
                await self._conclude(GatewayResult(listing, arn, GatewayStatus.NOT_APPLICABLE))
        self._start_workers(more_pages=marker is not None)
        return marker

    def _may_have_volumes(self, gateways: Iterable[ListedGateway]) -> bool:
        match self.list_volumes:
            case ListVolumes.ALWAYS:
                return True
            case ListVolumes.NEVER:
                return False
            case _:
                return any(gateway.type in VOLUME_GATEWAYS for gateway in gateways)

    def _ask_beside(self, ask: Task) -> None:
        """Starts a call that the gateways need before they can end."""
        self._asking += 1
        self._unfinished += 1
        self.spawn(partial(self._run_beside, ask))

    async def _run_beside(self, ask: Task) -> None:
        await ask()
        self._asking -= 1
        if not self._asking:
            waiting, self._waiting = self._waiting, []
            for result in waiting:
                await self._conclude(result)
        await self._finish(1)

    def _start_workers(self, *, more_pages: bool) -> None:
        # After the last page this task works, too.
        wanted = min(self.workers, self._working + len(self._todo)) - (not more_pages)
        while self._working < wanted:
            self._working += 1
            self.spawn(self._work_beside)

    async def _work_beside(self) -> None:
        try:
            await self._work()
        finally:
            self._working -= 1

    async def _work(self) -> None:
        # Recovery points of all gateways come first: a deadline may leave no time for details.
        while self._todo or self._read:
            if self._todo:
                arn, listing = self._todo.popleft()
                result = await read_gateway(self.context, listing, arn)
                if result.points and self.context.details:
                    self._read.append(result)
                    continue
            else:
                result = self._read.popleft()
                await read_details(self.context, result)
            await self._conclude(result)

    def _sort_out(self, page: GatewayPage) -> tuple[dict[str, ListedGateway], list[str]]:
        """The entries of a page that are new, by ARN, and what is wrong with each of the others."""
        fresh: dict[str, ListedGateway] = {}
        broken = []
        for listing in page.gateways:
            problem = self._problem_of(listing)
            if problem:
                broken.append(problem)
            elif not listing.arn or listing.arn in self._seen:
                continue
            elif fresh.setdefault(listing.arn, listing) != listing:
                contradiction = "two entries of the gateway in one listing contradict each other"
                fresh[listing.arn] = replace(fresh[listing.arn], problem=contradiction)
        return fresh, broken

    def _problem_of(self, listing: ListedGateway) -> str | None:
        if listing.arn is None:
            return "a listed gateway has no ARN, so it could not be asked"
        parts = GATEWAY_ARN.fullmatch(listing.arn)
        if not parts:
            return f"a listed gateway has the malformed ARN {listing.arn[:200]!r}, so it could not be asked"
        if not self.context.owns(parts):
            return f"the listed gateway {listing.arn} is of another target, so it was not asked"
        return None

    async def _listing_failed(self, failure: GivenUp) -> None:
        self._listing_broke = True
        # AWS answers invalid keys and a Region that is not enabled alike.
        in_doubt = failure.facts.unrecognized and not self._listed
        if isinstance(failure.error, RegionNotOffered) and not self._listed:
            self._skipped = SkipReason.NOT_OFFERED
        elif in_doubt and await self.enabled_in(self.context.key.region) is False:
            self._skipped = SkipReason.NOT_ENABLED
        else:
            await self._fail(failure, LIST)

    async def _read_tags(self, queue: CallQueue) -> None:
        found: dict[str, dict[str, str]] = {}
        paging, marker = Paging(EMPTY_PAGES), None
        try:
            while True:
                call = Call(TAGS, queue, self.context.key, counted=False, prepare=self.context.prepare)
                list_page = partial(self.context.service.list_tags, self.context.key, marker)
                page = await self.context.calls.send(call, list_page)
                news = not page.tags.keys() <= found.keys()
                found.update(page.tags)
                try:
                    if not paging.follow(page.marker, news=news):
                        break
                except CallFailed as endless:
                    raise GivenUp(endless, call.attempts) from None
                marker = page.marker
            self.context.tags = found
        except GivenUp as failure:
            await self._fail(failure, TAGS)

    async def _conclude(self, result: GatewayResult) -> None:
        """Emits a gateway, once tags and the list of volumes are in."""
        if self._asking:
            self._waiting.append(result)
            return
        stood = self._standing_of(volumes_of(self.context, result), answered=result.points is not None)
        self.context.unread -= 1
        await self.context.emit(GatewayEnded(gateway_of(self.context, result), stood))
        await self._finish(1)

    def _standing_of(self, volumes: Iterable[Volume], *, answered: bool) -> tuple[Volume, ...]:
        """The volumes whose record stands: no other gateway has a better one."""
        stood = []
        for volume in volumes:
            record = answered, volume.recovery_point_time or NEVER, volume.gateway_arn or ""
            if record >= self._standing.get(volume.arn, NOTHING):
                self._standing[volume.arn] = record
                stood.append(volume)
        return tuple(stood)

    async def _report_unlisted_gateways(self, volumes: tuple[Volume, ...]) -> None:
        """Reports gateways that only ListVolumes names: ListGateways missed them, or they are new."""
        unlisted = sorted({volume.gateway_arn for volume in volumes if volume.gateway_arn})
        if unlisted and not self._listing_broke and not self._unnamed:
            named = ", ".join(unlisted[:MOST_NAMED]) + (", ..." if len(unlisted) > MOST_NAMED else "")
            message = f"volumes are said to be of gateways that ListGateways did not name: {named}"
            await self._fail(GivenUp(CallFailed.of(FailureKind.INVALID_RESPONSE, message), 1), LIST_VOLUMES)

    async def _fail(self, failure: GivenUp, operation: str) -> None:
        await self.context.fail(failures.of_target(failure, self.context.key, operation))

    async def _finish(self, parts: int) -> None:
        """Counts `parts` as ended; after the last part the target ends."""
        self._unfinished -= parts
        if self._unfinished:
            return
        outside = self._standing_of(volumes_outside(self.context, self._seen), answered=False)
        if outside:
            await self.context.emit(VolumesSeen(outside))
        await self._report_unlisted_gateways(outside)
        self.context.queue.close()
        if self.tag_queue:
            self.tag_queue.close()
        context, status = self.context, TargetStatus.COMPLETE
        if self._skipped:
            status = TargetStatus.SKIPPED
        elif context.failures:
            unread = self._listing_broke and not self._listed
            status = TargetStatus.FAILED if unread else TargetStatus.PARTIAL
        await context.emit(
            TargetEnded(
                Target(
                    account_id=context.key.account_id,
                    account_name=context.account_name,
                    ou_path=context.ou_path,
                    region=context.key.region,
                    status=status,
                    reason=self._skipped,
                    gateways=self._listed,
                    volumes=len(self._standing),
                    volumes_listed=context.volumes.complete,
                )
            )
        )
        self.on_end(self)
