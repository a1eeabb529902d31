"""The accounts of an organization, found by walking its tree; each is planned as soon as it is found."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from scanner.config.settings import AccountSettings, OrganizationSettings
from scanner.engine.calls.paging import EMPTY_PAGES, Paging
from scanner.engine.calls.scheduler import Job, Queue
from scanner.engine.target import Emit
from scanner.inventory.events import FailureSeen, TargetEnded, TargetPlanned
from scanner.inventory.records import ANY_REGION, Failure, FailureKind, FailureScope, Target, TargetStatus
from scanner.service.answers import MemberAccount, OrganizationPage
from scanner.service.errors import CallFailed
from scanner.service.protocol import OrganizationRequest, Service

UNKNOWN_ACCOUNT = "*"
DEEPEST = 20
"""Levels of units below the root; Organizations allows five."""
MEMBERS = OrganizationRequest("ListAccountsForParent")
UNITS = "ListOrganizationalUnitsForParent"


@dataclass(slots=True)
class Discovery:
    """The walk over one organization, in one scan.

    Accounts that are `configured` on their own take only their name and their place from the organization.
    """

    settings: OrganizationSettings
    configured: dict[str, AccountSettings]
    only: frozenset[str]
    left_out: frozenset[str]
    source: Service
    queue: Queue
    emit: Emit
    on_account: Callable[[AccountSettings, str | None], None]
    on_end: Callable[["Discovery"], Awaitable[None]]
    ended: bool = False
    failed: bool = False
    management_account: str | None = None
    _open: int = 0
    _listed: set[str] = field(default_factory=set)
    _met: set[str] = field(default_factory=set)
    _found: set[str] = field(default_factory=set)
    _mistakes: set[tuple[str | None, str | None]] = field(default_factory=set)

    def start(self) -> None:
        self._ask(OrganizationRequest("DescribeOrganization"), self._described)

    def _ask(
        self,
        inquiry: OrganizationRequest,
        done: Callable[[OrganizationPage], Awaitable[None]],
        listing: Paging | None = None,
    ) -> None:
        self._open += 1
        paging = listing or Paging(EMPTY_PAGES)

        async def answered(page: OrganizationPage) -> None:
            self.queue.budget.earn()
            try:
                if paging.follow(page.marker, news=self._news(page)):
                    self._ask(inquiry._replace(marker=page.marker), done, paging)
            except CallFailed as error:
                await self._fail(error, job.attempts, inquiry)
            for problem in page.problems:
                await self._fail(CallFailed.of(FailureKind.INVALID_RESPONSE, problem), job.attempts, inquiry)
            await done(page)
            await self._closed()

        async def broke(error: CallFailed, attempts: int) -> None:
            # A unit that does not exist is asked about twice: one mistake, whichever is answered first.
            mistake = (inquiry.parent, error.facts.code)
            if error.facts.kind is FailureKind.INVALID_REQUEST and inquiry.parent:
                error = error.but(operation=MEMBERS.operation)
            if error.facts.kind is not FailureKind.INVALID_REQUEST or mistake not in self._mistakes:
                self._mistakes.add(mistake)
                await self._fail(error, attempts, inquiry)
            await self._closed()

        call = lambda: self.source.organization(inquiry)  # noqa: E731
        job = Job(inquiry.operation, call, answered, broke, self.queue, counted=False)
        self.queue.push(job)

    def _news(self, page: OrganizationPage) -> bool:
        accounts = {member.account_id for member in page.accounts} - self._listed
        units = {unit for unit, _ in page.units} - self._met
        self._listed |= accounts
        return bool(accounts or units)

    async def _described(self, page: OrganizationPage) -> None:
        self.management_account = page.management_account
        if self.settings.include_ous:
            for unit in self.settings.include_ous:
                self._visit(unit, unit)
        else:
            self._ask(OrganizationRequest("ListRoots"), self._roots_came)

    async def _roots_came(self, page: OrganizationPage) -> None:
        for unit, name in page.units:
            self._visit(unit, name)

    async def _units_came(self, path: str, page: OrganizationPage) -> None:
        for unit, name in page.units:
            self._visit(unit, f"{path}/{name}")

    def _visit(self, unit: str, path: str) -> None:
        known = unit in self._met
        self._met.add(unit)
        if path.count("/") > DEEPEST:
            told = f"{path[:200]}: units are nested deeper than Organizations allows"
            raise CallFailed.of(FailureKind.INVALID_RESPONSE, told)
        if not known and unit not in self.settings.exclude_ous:
            self._ask(OrganizationRequest("ListAccountsForParent", unit), partial(self._accounts_came, path))
            self._ask(OrganizationRequest(UNITS, unit), partial(self._units_came, path))

    async def _accounts_came(self, path: str, page: OrganizationPage) -> None:
        for member in page.accounts:
            own = self.configured.pop(member.account_id, None)
            if own and member.active:
                self._found.add(member.account_id)
                self.on_account(own.model_copy(update={"name": own.name or member.name}), path)
            elif not own and self._wanted(member):
                self._found.add(member.account_id)
                self.on_account(self._account(member), path)

    def _wanted(self, member: MemberAccount) -> bool:
        settings, account_id = self.settings, member.account_id
        return (
            member.active
            and account_id not in self._found
            and account_id not in settings.exclude_accounts
            and account_id not in self.left_out
            and (not self.only or account_id in self.only)
            and (settings.include_management_account or account_id != self.management_account)
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

    async def _fail(self, error: CallFailed, attempts: int, inquiry: OrganizationRequest) -> None:
        await self._tell(UNKNOWN_ACCOUNT, error, attempts, inquiry)
        if not self.failed:
            self.failed = True
            # Accounts that could not even be listed stand in the books as one target that failed.
            await self._fail_target(UNKNOWN_ACCOUNT)

    async def _tell(
        self, account_id: str, error: CallFailed, attempts: int, inquiry: OrganizationRequest
    ) -> None:
        failure = Failure(
            scope=FailureScope.ACCOUNT,
            account_id=account_id,
            operation=error.facts.operation or inquiry.operation,
            kind=error.facts.kind,
            code=error.facts.code,
            message=f"{inquiry.parent}: {error.facts.message}" if inquiry.parent else error.facts.message,
            attempts=attempts if error.facts.sent else 0,
            request_id=error.facts.request_id,
        )
        await self.emit(FailureSeen(failure))

    async def _fail_target(self, account_id: str) -> None:
        await self.emit(TargetPlanned(account_id, None, ANY_REGION))
        target = Target(account_id=account_id, region=ANY_REGION, status=TargetStatus.FAILED)
        await self.emit(TargetEnded(target))

    def _configured_remain(self) -> None:
        # What the walk did not meet is asked all the same: it may be of no organization.
        for account in self.configured.values():
            self.on_account(account, None)

    async def _miss(self) -> None:
        if self.failed:
            # Where the walk broke off they may well exist, and its failure stands for them.
            return
        for account_id in sorted(self.only - self.left_out - self._found - self.configured.keys()):
            message = "the organization has no such account, or it is suspended or left out; check --account"
            await self._tell(account_id, CallFailed.of(FailureKind.INVALID_REQUEST, message), 1, MEMBERS)
            await self._fail_target(account_id)
        for unit in sorted(set(self.settings.exclude_ous) - self._met):
            message = "no such unit was met, so it kept nothing out of the scan; look at exclude_ous"
            await self._fail(
                CallFailed.of(FailureKind.INVALID_REQUEST, message), 1, OrganizationRequest(UNITS, unit)
            )

    async def _closed(self) -> None:
        self._open -= 1
        if not self._open and not self.ended:
            self.ended = True
            self.queue.close()
            await self._miss()
            self._configured_remain()
            await self.on_end(self)

    async def stop(self, kind: FailureKind, message: str) -> None:
        """End now: the accounts not found yet are told as a failure."""
        if not self.ended:
            self.ended = True
            self.queue.close()
            await self._fail(CallFailed.of(kind, message), 0, MEMBERS)
            self._configured_remain()
            await self.on_end(self)
