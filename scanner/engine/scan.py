"""A scan: signs in to accounts, lists their targets and reads their gateways, all concurrently."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

import anyio
from anyio.abc import TaskGroup

from scanner.config.asked import asked_of
from scanner.config.settings import AccountSettings, OrganizationSettings, ScannerConfig
from scanner.engine.account import AccountScan
from scanner.engine.calls.calls import Calls
from scanner.engine.calls.retry import RetryPolicy
from scanner.engine.calls.scheduler import Limits
from scanner.engine.calls.sign_in import SignIns
from scanner.engine.context import TargetContext
from scanner.engine.organization import OrganizationWalk
from scanner.engine.target import TargetScan, Task
from scanner.inventory.events import Emit, Event, ScanEnded, ScanStarted, TargetEnded
from scanner.inventory.records import (
    CallCounts,
    FailureKind,
    ScanInfo,
    TargetCounts,
    TargetStatus,
    outcome_of,
)
from scanner.inventory.scan_id import new_scan_id
from scanner.policy.rater import Rater
from scanner.service.protocol import Service, TargetKey


class PlannedAccount(NamedTuple):
    """An account that a scan is to read, and where it stands in its organization; without settings the own one."""

    settings: AccountSettings | None
    ou_path: str | None = None


TakeAccount = Callable[[AccountSettings | None, str | None], Awaitable[None]]
ACTIVE_PER_SLOT = 64
"""Targets under way for each call in flight: throttled ones wait, and must not keep others from starting."""


@dataclass(slots=True)
class Scan:
    """One run over all accounts; `run` drives it and hands every event to `emit`."""

    config: ScannerConfig
    service: Service
    limits: Limits
    version: str
    emit_to: Emit
    scan_id: str | None = None
    planned: Sequence[PlannedAccount] | None = None
    """The accounts to scan, where the organization has been walked before."""
    hand_over: TakeAccount | None = None
    """Takes the accounts that are found; then none is scanned here."""
    _calls: Calls = field(init=False)
    _sign_ins: SignIns = field(init=False)
    _rater: Rater = field(init=False)
    _targets: Counter[TargetStatus] = field(default_factory=Counter)
    _accounts_free: anyio.Semaphore = field(init=False)
    _targets_free: anyio.Semaphore = field(init=False)
    _group: TaskGroup = field(init=False)

    def __post_init__(self) -> None:
        self._calls = Calls(self.limits, RetryPolicy.of(self.config.retry), self._emit)
        self._sign_ins = SignIns(self.service, self._calls)
        self._rater = Rater(self.config.policy)
        slots = int(self.limits.slots.total_tokens)
        # Accounts wait for targets, and targets never for accounts: this cannot deadlock.
        self._accounts_free = anyio.Semaphore(max(slots, ACTIVE_PER_SLOT))
        self._targets_free = anyio.Semaphore(slots * ACTIVE_PER_SLOT)

    async def run(self) -> None:
        """Scans until everything is read, the deadline comes, or `interrupt` is called."""
        started = datetime.now(UTC)
        scan_id = self.scan_id or new_scan_id()
        await self.emit_to(ScanStarted(scan_id, started))
        try:
            async with anyio.create_task_group() as helpers:
                helpers.start_soon(self._calls.run)
                helpers.start_soon(self._end_at_deadline)
                async with anyio.create_task_group() as self._group:
                    await self._start_accounts()
                helpers.cancel_scope.cancel()
        finally:
            self._calls.close()
        counts = TargetCounts(**{status.value: self._targets[status] for status in TargetStatus})
        calls = self._calls.counts
        await self.emit_to(
            ScanEnded(
                ScanInfo(
                    id=scan_id,
                    started_at=started,
                    finished_at=max(started, datetime.now(UTC)),
                    outcome=outcome_of(counts),
                    deadline_reached=self._calls.stopped is FailureKind.DEADLINE,
                    interrupted=self._calls.stopped is FailureKind.INTERRUPTED,
                    scanner_version=self.version,
                    details=tuple(self.config.scan.details),
                    list_volumes=self.config.scan.list_volumes,
                    shard=self.config.selection.shard,
                    asked=asked_of(self.config),
                ),
                CallCounts(attempted=calls.attempted, retried=calls.retried, throttled=calls.throttled),
            )
        )

    def interrupt(self) -> None:
        """Ends the scan in order; what is unfinished is reported as interrupted."""
        self._calls.stop(FailureKind.INTERRUPTED)

    async def _end_at_deadline(self) -> None:
        if self.config.scan.deadline:
            await anyio.sleep(self.config.scan.deadline.total_seconds())
            self._calls.stop(FailureKind.DEADLINE)

    async def _start_accounts(self) -> None:
        if self.planned is not None:
            for each in self.planned:
                await self._start_account(*each)
            return
        if self.config.organization:
            await self._walk(self.config.organization)
            return
        for account in self.config.accounts or (None,):
            await self._start_account(account, None)

    async def _walk(self, settings: OrganizationSettings) -> None:
        await OrganizationWalk(
            settings=settings,
            configured={account.id: account for account in self.config.accounts},
            only=frozenset(self.config.selection.accounts),
            left_out=self.config.selection.left_out,
            service=self.service,
            calls=self._calls,
            sign_ins=self._sign_ins,
            queue=self._calls.queue("organization", "Organizations"),
            emit=self._emit,
            start_account=self._start_account,
        ).run()

    async def _start_account(self, settings: AccountSettings | None, ou_path: str | None) -> None:
        if settings and not self.config.holds(settings.id):
            return
        if self.hand_over:
            await self.hand_over(settings, ou_path)
            return
        await self._accounts_free.acquire()
        self._group.start_soon(self._scan_account, settings, ou_path)

    async def _scan_account(self, settings: AccountSettings | None, ou_path: str | None) -> None:
        account = AccountScan(
            settings=settings,
            ou_path=ou_path,
            config=self.config,
            service=self.service,
            calls=self._calls,
            sign_ins=self._sign_ins,
            emit=self._emit,
            start_target=self._start_target,
        )
        try:
            await account.run()
        finally:
            self._accounts_free.release()

    async def _start_target(self, account: AccountScan, key: TargetKey) -> None:
        await self._targets_free.acquire()
        context = TargetContext(
            key=key,
            account_name=account.name,
            ou_path=account.ou_path,
            account_rpo=account.settings.rpo if account.settings else None,
            details=frozenset(self.config.scan.details),
            service=self.service,
            calls=self._calls,
            queue=self._calls.queue(key, key.region),
            emit=self._emit,
            rater=self._rater,
            prepare=account.prepare,
        )
        target = TargetScan(
            context=context,
            tag_queue=self._calls.queue(("tags", key), f"tagging in {key.region}")
            if "tags" in context.details
            else None,
            workers=self.limits.per_target,
            spawn=self._spawn,
            enabled_in=account.enabled_in,
            list_volumes=self.config.scan.list_volumes,
            on_end=self._target_ended,
        )
        self._group.start_soon(target.run)

    def _spawn(self, task: Task) -> None:
        self._group.start_soon(task)

    def _target_ended(self, target: TargetScan) -> None:
        key = target.context.key
        self.limits.leave(key, ("tags", key))
        self._targets_free.release()

    async def _emit(self, event: Event) -> None:
        if isinstance(event, TargetEnded):
            self._targets[event.target.status] += 1
        await self.emit_to(event)
