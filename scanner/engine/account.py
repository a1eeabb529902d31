"""From accounts to targets: who is let in where, and which Regions are asked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from scanner.config.settings import AccountSettings, ScannerConfig
from scanner.engine.calls.paging import EMPTY_PAGES, Paging
from scanner.engine.calls.scheduler import Job, Queue
from scanner.engine.target import Emit
from scanner.inventory.events import FailureSeen, TargetEnded, TargetPlanned
from scanner.inventory.records import (
    ANY_REGION,
    Failure,
    FailureKind,
    FailureScope,
    SkipReason,
    Target,
    TargetStatus,
)
from scanner.service.answers import RegionPage
from scanner.service.errors import CallFailed
from scanner.service.protocol import Service, TargetKey

OPEN = "AssumeRole"
REGIONS = "ListRegions"
UNKNOWN_ACCOUNT = "*"


@dataclass(slots=True)
class AccountPlan:
    """One account on its way to targets."""

    settings: AccountSettings | None
    config: ScannerConfig
    source: Service
    door: Queue
    """One for all accounts."""
    region_queue: Queue
    emit: Emit
    on_target: Callable[["AccountPlan", TargetKey], Awaitable[None]]
    on_end: Callable[["AccountPlan"], Awaitable[None]]
    ou_path: str | None = None
    account_id: str = UNKNOWN_ACCOUNT
    step: str = OPEN
    ended: bool = False
    _job: Job | None = None
    _regions: dict[str, None] = field(default_factory=dict)
    _paging: Paging = field(default_factory=lambda: Paging(EMPTY_PAGES))

    def __post_init__(self) -> None:
        if self.settings:
            self.account_id = self.settings.id

    @property
    def name(self) -> str | None:
        return self.settings.name if self.settings else None

    def start(self) -> None:
        self._push(self.door, lambda: self.source.sign_in(self.settings), self._opened)

    def _push(
        self, queue: Queue, call: Callable[[], Awaitable[Any]], done: Callable[[Any], Awaitable[None]]
    ) -> None:
        self._job = Job(self.step, call, done, self.fail, queue, counted=False)
        queue.push(self._job)

    def _close(self) -> None:
        self.ended = True
        self._job = None
        self.region_queue.close()

    async def _opened(self, account_id: str) -> None:
        self.account_id = account_id
        regions = self.config.regions_of(self.settings)
        if regions == "enabled":
            self.step = REGIONS
            self._ask_regions(None)
        else:
            self._regions.update(dict.fromkeys(regions))
            await self._regions_known()

    def _ask_regions(self, marker: str | None) -> None:
        call = lambda: self.source.enabled_regions(self.account_id, marker)  # noqa: E731
        self._push(self.region_queue, call, self._regions_came)

    async def _regions_came(self, page: RegionPage) -> None:
        self.region_queue.budget.earn()
        news = not self._regions.keys() >= set(page.regions)
        self._regions.update(dict.fromkeys(page.regions))
        if self._paging.follow(page.marker, news=news):
            self._ask_regions(page.marker)
        elif self._regions:
            await self._regions_known()
        else:
            # No account is without a Region: taken at its word, the answer would make this one vanish.
            message = "the account is said to have no Region enabled; look for a proxy in between"
            raise CallFailed.of(FailureKind.INVALID_RESPONSE, message)

    async def _regions_known(self) -> None:
        self._close()
        for region in self._regions:
            await self.emit(TargetPlanned(self.account_id, self.name, region))
            reason = self._skipped(region)
            if reason:
                await self._end_target(region, TargetStatus.SKIPPED, reason)
            else:
                await self.on_target(self, TargetKey(self.account_id, region))
        await self.on_end(self)

    def _skipped(self, region: str) -> SkipReason | None:
        if region in self.config.scan.exclude_regions:
            return SkipReason.EXCLUDED
        return None if self.source.offered(region) else SkipReason.NOT_OFFERED

    async def fail(self, error: CallFailed, attempts: int) -> None:
        """The account cannot be entered: it fails once, and with it all of its targets."""
        self._close()
        await self.emit(
            FailureSeen(
                Failure(
                    scope=FailureScope.ACCOUNT,
                    account_id=self.account_id,
                    operation=error.facts.operation or self.step,
                    kind=error.facts.kind,
                    code=error.facts.code,
                    message=error.facts.message,
                    attempts=attempts if error.facts.sent else 0,
                    request_id=error.facts.request_id,
                )
            )
        )
        regions = self.config.regions_of(self.settings)
        for region in (ANY_REGION,) if regions == "enabled" else dict.fromkeys(regions):
            await self.emit(TargetPlanned(self.account_id, self.name, region))
            excluded = region in self.config.scan.exclude_regions
            await self._end_target(
                region,
                TargetStatus.SKIPPED if excluded else TargetStatus.FAILED,
                SkipReason.EXCLUDED if excluded else None,
            )
        await self.on_end(self)

    async def stop(self, kind: FailureKind, message: str) -> None:
        if not self.ended:
            await self.fail(CallFailed.of(kind, message), self._job.attempts if self._job else 0)

    async def _end_target(self, region: str, status: TargetStatus, reason: SkipReason | None) -> None:
        await self.emit(
            TargetEnded(
                Target(
                    account_id=self.account_id,
                    account_name=self.name,
                    ou_path=self.ou_path,
                    region=region,
                    status=status,
                    reason=reason,
                )
            )
        )
