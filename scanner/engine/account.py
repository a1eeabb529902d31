"""One account: signs in, finds its Regions, and starts a scan of each target."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import anyio

from scanner.config.settings import AccountSettings, ScannerConfig
from scanner.engine import failures
from scanner.engine.calls.calls import Call, Calls, GivenUp
from scanner.engine.calls.paging import EMPTY_PAGES, Paging
from scanner.engine.calls.scheduler import CallQueue
from scanner.engine.calls.sign_in import SignIns
from scanner.inventory.events import Emit, FailureSeen, TargetEnded, TargetPlanned
from scanner.inventory.records import (
    ANY_ACCOUNT,
    ANY_REGION,
    FailureKind,
    SkipReason,
    Target,
    TargetStatus,
)
from scanner.service.answers import RegionPage
from scanner.service.errors import CallFailed, InvalidResponse
from scanner.service.protocol import Service, SignIn, TargetKey

LIST_REGIONS, DESCRIBE_REGIONS = "ListRegions", "DescribeRegions"
REGIONS_REMEDY = (
    "allow account:ListRegions or ec2:DescribeRegions to the scanning role,"
    " or list the Regions under scan.regions"
)
FALLS_BACK = frozenset(
    {
        FailureKind.ACCESS_DENIED,
        FailureKind.NETWORK,
        FailureKind.TIMEOUT,
        FailureKind.INVALID_REQUEST,
    }
)
"""After these failures of ListRegions, EC2 may still know."""


@dataclass(slots=True)
class AccountScan:
    """One account in one scan."""

    settings: AccountSettings | None
    ou_path: str | None
    config: ScannerConfig
    service: Service
    calls: Calls
    sign_ins: SignIns
    emit: Emit
    start_target: Callable[["AccountScan", TargetKey], Awaitable[None]]
    account_id: str = ANY_ACCOUNT
    steps: tuple[SignIn, ...] = ()
    _enabled: frozenset[str] | None = None
    _unknowable: bool = False
    _asking: anyio.Lock = field(default_factory=anyio.Lock)

    @property
    def name(self) -> str | None:
        return self.settings.name if self.settings else None

    async def run(self) -> None:
        """Starts a scan of each target. If signing in fails, one failure stands for all targets."""
        self.account_id = self.settings.id if self.settings else ANY_ACCOUNT
        self.steps = self.service.sign_in_steps(self.settings)
        operation = self.steps[-1].operation
        try:
            await self.sign_ins.ensure(self.steps)
            self.account_id = self.service.account_of(self.steps[-1])
            if not self.config.holds(self.account_id):
                # The account of the base identity is known only after signing in.
                return
            operation = LIST_REGIONS
            regions = await self._regions()
        except GivenUp as failure:
            await self._fail(failure, operation)
            return
        await self._start_targets(regions)

    async def prepare(self) -> None:
        """Signs in again where that is needed; raises GivenUp."""
        await self.sign_ins.ensure(self.steps)

    async def enabled_in(self, region: str) -> bool | None:
        """Whether the account has enabled `region`; None where that cannot be known. Asked once in a scan."""
        # Targets ask concurrently; only the first one calls the service.
        async with self._asking:
            if self._enabled is None and not self._unknowable:
                try:
                    await self._ask_regions()
                except GivenUp:
                    self._unknowable = True
        return None if self._enabled is None else region in self._enabled

    async def _regions(self) -> Iterable[str]:
        regions = self.config.regions_of(self.settings)
        return await self._ask_regions() if regions == "enabled" else dict.fromkeys(regions)

    async def _ask_regions(self) -> Iterable[str]:
        """The Regions that the account has enabled: as ListRegions says, else as DescribeRegions does."""
        if self.service.region_operation(self.account_id) == LIST_REGIONS:
            try:
                with self._queue(LIST_REGIONS, "Account Management") as queue:
                    return await self._listed_regions(queue)
            except GivenUp as failure:
                if failure.facts.kind not in FALLS_BACK:
                    raise
                return await self._described_regions(instead_of=failure)
        return await self._described_regions()

    @contextmanager
    def _queue(self, operation: str, endpoint: str) -> Iterator[CallQueue]:
        """A queue for one listing. Listings are rare, so a limiter without a learnt rate is not kept."""
        limiter = operation, self.settings.id if self.settings else None
        queue = self.calls.queue(limiter, endpoint)
        try:
            yield queue
        finally:
            queue.close()
            self.calls.limits.leave(limiter)

    async def _listed_regions(self, queue: CallQueue) -> Iterable[str]:
        found: dict[str, None] = {}
        paging, marker = Paging(EMPTY_PAGES), None
        while True:
            call = Call(LIST_REGIONS, queue, counted=False, prepare=self.prepare)
            page = await self.calls.send(call, partial(self.service.list_regions, self.account_id, marker))
            news = not found.keys() >= set(page.regions)
            found.update(dict.fromkeys(page.regions))
            try:
                if not paging.follow(page.marker, news=news):
                    return self._known(found, LIST_REGIONS)
            except CallFailed as error:
                raise GivenUp(error.but(operation=LIST_REGIONS), call.attempts) from None
            marker = page.marker

    async def _described_regions(self, instead_of: GivenUp | None = None) -> Iterable[str]:
        try:
            with self._queue(DESCRIBE_REGIONS, "EC2") as queue:
                call = Call(DESCRIBE_REGIONS, queue, counted=False, prepare=self.prepare)
                describe = partial(self.service.describe_regions, self.account_id)
                page: RegionPage = await self.calls.send(call, describe)
            return self._known(dict.fromkeys(page.regions), DESCRIBE_REGIONS)
        except GivenUp as failure:
            denied = failure.facts.kind is FailureKind.ACCESS_DENIED
            # If both calls are refused, the failure names the one that should have been allowed.
            decisive, operation = (
                (instead_of, LIST_REGIONS) if instead_of and denied else (failure, DESCRIBE_REGIONS)
            )
            remedy = REGIONS_REMEDY if decisive.facts.kind in FALLS_BACK else decisive.facts.remedy
            named = decisive.error.but(operation=decisive.facts.operation or operation, remedy=remedy)
            raise GivenUp(named, decisive.attempts) from None

    def _known(self, regions: dict[str, None], operation: str) -> Iterable[str]:
        if not regions:
            # Every account has Regions. Believing an empty list would drop the account without a failure.
            nothing = InvalidResponse.because("the account is said to have no Region enabled", whole=True)
            raise GivenUp(nothing.but(operation=operation), 1)
        self._enabled = frozenset(regions)
        return regions

    async def _start_targets(self, regions: Iterable[str]) -> None:
        for region in regions:
            if not self.config.holds(self.account_id, region):
                continue
            await self.emit(TargetPlanned(self.account_id, self.name, region))
            if region in self.config.scan.exclude_regions:
                await self._end_target(region, TargetStatus.SKIPPED, SkipReason.EXCLUDED)
            else:
                await self.start_target(self, TargetKey(self.account_id, region))

    async def _fail(self, failure: GivenUp, operation: str) -> None:
        regions = self.config.regions_of(self.settings)
        named = (ANY_REGION,) if regions == "enabled" else dict.fromkeys(regions)
        held = [region for region in named if self.config.holds(self.account_id, region)]
        if held:
            await self.emit(FailureSeen(failures.of_account(failure, self.account_id, operation)))
        for region in held:
            await self.emit(TargetPlanned(self.account_id, self.name, region))
            if region in self.config.scan.exclude_regions:
                await self._end_target(region, TargetStatus.SKIPPED, SkipReason.EXCLUDED)
            else:
                await self._end_target(region, TargetStatus.FAILED)

    async def _end_target(self, region: str, status: TargetStatus, reason: SkipReason | None = None) -> None:
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
