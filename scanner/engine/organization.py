"""The accounts of an organization, found by walking its tree; each is scanned as soon as it is found."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import anyio
from anyio.abc import TaskGroup

from scanner.config.settings import AccountSettings, OrganizationSettings
from scanner.engine import failures
from scanner.engine.calls.calls import STOPPED, Call, Calls, GivenUp
from scanner.engine.calls.paging import EMPTY_PAGES, Paging
from scanner.engine.calls.scheduler import CallQueue
from scanner.engine.calls.sign_in import SignIns
from scanner.inventory.events import Emit, FailureSeen, TargetEnded, TargetPlanned
from scanner.inventory.records import ANY_ACCOUNT, ANY_REGION, FailureKind, Target, TargetStatus
from scanner.service.answers import MemberAccount, OrganizationPage
from scanner.service.errors import CallFailed
from scanner.service.protocol import OrganizationRequest, Service

DEEPEST = 20
"""Levels of units below the root; Organizations allows five."""
PASSES = 3
"""How often units are looked at once more for accounts that were moved meanwhile, while that finds any."""
DESCRIBE = "DescribeOrganization"
ROOTS = "ListRoots"
ACCOUNTS = "ListAccountsForParent"
UNITS = "ListOrganizationalUnitsForParent"
StartAccount = Callable[[AccountSettings, str | None], Awaitable[None]]


@dataclass(slots=True)
class OrganizationWalk:
    """The walk over one organization, in one scan.

    Accounts in `configured` take only their name and their path from the organization.
    `only`: the accounts that were asked for, all if none; `left_out`: those that have no Region to scan.
    """

    settings: OrganizationSettings
    configured: dict[str, AccountSettings]
    only: frozenset[str]
    left_out: frozenset[str]
    service: Service
    calls: Calls
    sign_ins: SignIns
    queue: CallQueue
    emit: Emit
    start_account: StartAccount
    _failed: bool = False
    _management_account: str | None = None
    _units: dict[str, str] = field(default_factory=dict)
    """The path of each unit that was found, by its id."""
    _inside: set[str] = field(default_factory=set)
    """Units whose accounts are wanted."""
    _listed: set[str] = field(default_factory=set)
    _found: set[str] = field(default_factory=set)
    _mistakes: set[tuple[str | None, str | None]] = field(default_factory=set)

    async def run(self) -> None:
        """Walks the tree, and starts the scan of each account that is wanted."""
        try:
            await self._walk()
        finally:
            self.queue.close()
        await self._report_missing()
        # Configured accounts that the walk did not find are scanned, too: they may be of no organization.
        for account in list(self.configured.values()):
            await self.start_account(account, None)

    async def _walk(self) -> None:
        described = await self._ask(OrganizationRequest(DESCRIBE), self._take_description)
        if not described:
            return
        wanted = self.settings.include_ous
        async with anyio.create_task_group() as group:
            # Always from the root: the path of a unit is known only from there.
            take = partial(self._take_units, group, None, depth=0, inside=not wanted)
            await self._ask(OrganizationRequest(ROOTS), take, quiet=bool(wanted))
        async with anyio.create_task_group() as group:
            for unit in wanted:
                if unit not in self._inside:
                    self._visit(group, unit, unit, depth=0, inside=True)
        await self._look_again()

    async def _take_description(self, page: OrganizationPage) -> None:
        self._management_account = page.management_account

    async def _take_units(
        self, group: TaskGroup, path: str | None, page: OrganizationPage, *, depth: int, inside: bool
    ) -> None:
        for unit, name in page.units:
            self._visit(group, unit, f"{path}/{name}" if path else name, depth=depth, inside=inside)

    def _visit(self, group: TaskGroup, unit: str, path: str, *, depth: int, inside: bool) -> None:
        """Walks into a unit; `inside`: its accounts are wanted."""
        inside = inside or unit in self.settings.include_ous
        known = unit in (self._inside if inside else self._units)
        # Counted, and not read off the path: the name of a unit may hold a slash.
        if depth > DEEPEST:
            message = f"{path[:200]}: units are nested deeper than Organizations allows"
            raise CallFailed.of(FailureKind.INVALID_RESPONSE, message)
        path = self._units.setdefault(unit, path)
        if inside:
            self._inside.add(unit)
        if known or unit in self.settings.exclude_ous:
            return
        if inside:
            group.start_soon(
                self._ask, OrganizationRequest(ACCOUNTS, unit), partial(self._take_accounts, path)
            )
        take = partial(self._take_units, group, path, depth=depth + 1, inside=inside)
        # Outside of the wanted units only names are needed: failing to list them loses no account.
        group.start_soon(partial(self._ask, OrganizationRequest(UNITS, unit), take, quiet=not inside))

    async def _take_accounts(self, path: str, page: OrganizationPage) -> None:
        for member in page.accounts:
            own = self.configured.pop(member.account_id, None)
            if own and member.active:
                self._found.add(member.account_id)
                await self.start_account(own.model_copy(update={"name": own.name or member.name}), path)
            elif not own and self._wanted(member):
                self._found.add(member.account_id)
                await self.start_account(self._account(member), path)

    async def _look_again(self) -> None:
        """Lists the accounts of all units once more: one that was moved meanwhile may have been in neither."""
        units = [unit for unit in self._units if unit in self._inside - set(self.settings.exclude_ous)]
        for _ in range(PASSES if len(units) > 1 and not self._failed else 0):
            before = len(self._listed)
            async with anyio.create_task_group() as group:
                for unit in units:
                    take = partial(self._take_accounts, self._units[unit])
                    group.start_soon(self._ask, OrganizationRequest(ACCOUNTS, unit), take)
            if len(self._listed) == before or self._failed:
                return

    async def _ask(
        self,
        request: OrganizationRequest,
        take: Callable[[OrganizationPage], Awaitable[None]],
        *,
        quiet: bool = False,
    ) -> bool:
        """Follows a listing, and has each page taken; says whether the first page came.

        `quiet`: what cannot be read is no failure.
        """
        paging, came = Paging(EMPTY_PAGES), False
        while True:
            call = Call(request.operation, self.queue, counted=False, prepare=self._prepare)
            try:
                page = await self.calls.send(call, partial(self.service.organization, request))
            except GivenUp as failure:
                if not quiet or failure.facts.kind in STOPPED:
                    await self._refused(request, failure)
                return came
            came = True
            for problem in () if quiet else page.problems:
                broken = GivenUp(CallFailed.of(FailureKind.INVALID_RESPONSE, problem), call.attempts)
                await self._fail(request, broken)
            try:
                more = paging.follow(page.marker, news=self._news(page))
            except CallFailed as endless:
                await take(page)
                if not quiet:
                    await self._fail(request, GivenUp(endless, call.attempts))
                return came
            try:
                await take(page)
            except CallFailed as broken_page:
                await self._fail(request, GivenUp(broken_page, call.attempts))
            if not more:
                return came
            request = request._replace(marker=page.marker)

    async def _prepare(self) -> None:
        await self.sign_ins.ensure(self.service.base_steps())

    def _news(self, page: OrganizationPage) -> bool:
        accounts = {member.account_id for member in page.accounts} - self._listed
        units = {unit for unit, _ in page.units} - self._units.keys()
        self._listed |= accounts
        return bool(accounts or units)

    async def _refused(self, request: OrganizationRequest, failure: GivenUp) -> None:
        facts = failure.facts
        if facts.kind in STOPPED:
            # The rest of the walk ends for the same reason.
            mistake: tuple[str | None, str | None] = None, facts.kind.value
        elif facts.kind is FailureKind.INVALID_REQUEST:
            # A unit that does not exist fails two listings, and is one mistake.
            mistake = request.parent, facts.code
            if request.parent:
                failure = GivenUp(failure.error.but(operation=ACCOUNTS), failure.attempts)
        else:
            await self._fail(request, failure)
            return
        if mistake not in self._mistakes:
            self._mistakes.add(mistake)
            await self._fail(request, failure)

    def _wanted(self, member: MemberAccount) -> bool:
        settings, account_id = self.settings, member.account_id
        return (
            member.active
            and account_id not in self._found
            and account_id not in settings.exclude_accounts
            and account_id not in self.left_out
            and (not self.only or account_id in self.only)
            and (settings.include_management_account or account_id != self._management_account)
        )

    def _account(self, member: MemberAccount) -> AccountSettings:
        settings = self.settings
        return AccountSettings(
            id=member.account_id,
            name=member.name,
            role=settings.role,
            external_id=settings.external_id,
            session_name=settings.session_name,
            via=settings.via,
        )

    async def _fail(self, request: OrganizationRequest, failure: GivenUp) -> None:
        await self._emit_failure(ANY_ACCOUNT, request, failure)
        if not self._failed:
            self._failed = True
            # Accounts that could not even be listed count as one target that failed.
            await self._fail_target(ANY_ACCOUNT)

    async def _emit_failure(self, account_id: str, request: OrganizationRequest, failure: GivenUp) -> None:
        failed = failures.of_account(failure, account_id, request.operation, about=request.parent)
        await self.emit(FailureSeen(failed))

    async def _fail_target(self, account_id: str) -> None:
        await self.emit(TargetPlanned(account_id, None, ANY_REGION))
        target = Target(account_id=account_id, region=ANY_REGION, status=TargetStatus.FAILED)
        await self.emit(TargetEnded(target))

    async def _report_missing(self) -> None:
        if self._failed:
            # After an incomplete walk they may exist; the failure of the walk stands for them.
            return
        for account_id in sorted(self.only - self.left_out - self._found - self.configured.keys()):
            message = "the organization has no such account, or it is suspended or left out"
            missing = CallFailed.of(FailureKind.INVALID_REQUEST, message, remedy="check --account")
            await self._emit_failure(account_id, OrganizationRequest(ACCOUNTS), GivenUp(missing, 1))
            await self._fail_target(account_id)
        for unit in sorted(set(self.settings.exclude_ous) - self._units.keys()):
            message = "no such unit was met, so it kept nothing out of the scan"
            unmet = CallFailed.of(FailureKind.INVALID_REQUEST, message, remedy="look at exclude_ous")
            await self._fail(OrganizationRequest(UNITS, unit), GivenUp(unmet, 1))
