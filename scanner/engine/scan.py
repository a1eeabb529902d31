"""A scan: plan, list, fan out; each call as soon as its target's pace and the scan's limits admit it."""

import os
import random
import time
from collections import Counter, deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from uuid import UUID

import anyio
from anyio.abc import TaskGroup

from scanner.config.settings import AccountSettings, OrganizationSettings, ScannerConfig
from scanner.engine.account import AccountPlan
from scanner.engine.calls.circuit_breaker import Gate
from scanner.engine.calls.retry import RATIONED, RetryBudget, RetryPolicy
from scanner.engine.calls.scheduler import Job, Limits, Queue, Schedule
from scanner.engine.organization import Discovery
from scanner.engine.target import Emit, TargetScan
from scanner.inventory.events import CallRetried, Event, ScanEnded, ScanStarted, TargetEnded
from scanner.inventory.records import (
    CallCounts,
    FailureKind,
    ScanInfo,
    TargetCounts,
    TargetStatus,
    outcome_of,
)
from scanner.policy.rules import Rater
from scanner.service.errors import CallFailed
from scanner.service.protocol import Service, TargetKey

ACTIVE_PER_SLOT = 64
"""Targets under way for each call in flight: throttled ones wait, and must not keep others from starting."""


def new_scan_id() -> str:
    """A UUID of version 7: scans sort by the moment at which they began."""
    stamp = time.time_ns() // 1_000_000
    noise = int.from_bytes(os.urandom(10), "big")
    value = stamp << 80 | 7 << 76 | (noise >> 68) << 64 | 2 << 62 | noise & (1 << 62) - 1
    return str(UUID(int=value))


@dataclass(slots=True)
class Scan:
    """One run over all accounts; `run` drives it and hands every event to `emit`."""

    config: ScannerConfig
    source: Service
    limits: Limits
    version: str
    emit_to: Emit
    stop_reason: FailureKind | None = None
    dice: random.Random = field(default_factory=random.Random)
    _wake: anyio.Event = field(init=False)
    _schedule: Schedule = field(init=False)
    _doors: dict[str | None, Queue] = field(default_factory=dict)
    _tasks: int = 0
    _active: dict[int, TargetScan | AccountPlan | Discovery] = field(default_factory=dict)
    _accounts: deque[tuple[AccountSettings | None, str | None]] = field(default_factory=deque)
    _gates: dict[str, Gate] = field(default_factory=dict)
    _calls: dict[str, int] = field(default_factory=lambda: {"attempted": 0, "retried": 0, "throttled": 0})
    _targets: Counter[TargetStatus] = field(default_factory=Counter)
    _retry: RetryPolicy = field(init=False)
    _rater: Rater = field(init=False)
    _scope: anyio.CancelScope = field(init=False)

    def __post_init__(self) -> None:
        self._wake = anyio.Event()
        self._schedule = Schedule(anyio.current_time, lambda: self._wake.set())
        self._retry = RetryPolicy.of(self.config.retry)
        self._rater = Rater(self.config.policy)
        self._scope = anyio.CancelScope()

    async def run(self) -> None:
        """Scan, until all is known, the deadline has come, or `interrupt` was called."""
        started = datetime.now(UTC)
        scan_id = new_scan_id()
        await self.emit_to(ScanStarted(scan_id, started))
        if self.config.organization:
            self._discover(self.config.organization)
        else:
            self._accounts.extend((account, None) for account in self.config.accounts or (None,))
        deadline = self.config.scan.deadline
        if deadline:
            self._scope.deadline = anyio.current_time() + deadline.total_seconds()
        try:
            with self._scope:
                async with anyio.create_task_group() as group:
                    await self._dispatch(group)
            if self._scope.cancelled_caught and self.stop_reason is None:
                self.stop_reason = FailureKind.DEADLINE
            if self.stop_reason:
                await self._leave(self.stop_reason)
        finally:
            self._schedule.close()
        counts = TargetCounts(**{status.value: self._targets[status] for status in TargetStatus})
        await self.emit_to(
            ScanEnded(
                ScanInfo(
                    id=scan_id,
                    started_at=started,
                    finished_at=max(started, datetime.now(UTC)),
                    outcome=outcome_of(counts),
                    deadline_reached=self.stop_reason is FailureKind.DEADLINE,
                    interrupted=self.stop_reason is FailureKind.INTERRUPTED,
                    scanner_version=self.version,
                ),
                CallCounts(**self._calls),
            )
        )

    def interrupt(self) -> None:
        """End the scan in order: what is unfinished is reported as interrupted."""
        self.stop_reason = self.stop_reason or FailureKind.INTERRUPTED
        self._scope.cancel()

    async def _dispatch(self, group: TaskGroup) -> None:
        most = int(self.limits.slots.total_tokens)
        while self._accounts or self._active or self._tasks:
            # Made anew before looking, so that no change after the look is missed.
            self._wake = wake = anyio.Event()
            now = anyio.current_time()
            while self._tasks < most and (job := self._schedule.take(now)):
                self._tasks += 1
                group.start_soon(self._perform, job, now)
            if self._tasks < most and self._accounts and len(self._active) < most * ACTIVE_PER_SLOT:
                plan = self._plan(*self._accounts.popleft())
                self._active[id(plan)] = plan
                plan.start()
                continue
            due = self._schedule.next_at() if self._tasks < most else None
            with anyio.move_on_after(None if due is None else max(0.0, due - now)):
                await wake.wait()

    def _discover(self, settings: OrganizationSettings) -> None:
        discovery = Discovery(
            settings,
            {account.id: account for account in self.config.accounts},
            self.config.only_accounts,
            self.config.left_out,
            self.source,
            self._queue("organization", "Organizations"),
            self._emit,
            self._account_found,
            self._end,
        )
        self._active[id(discovery)] = discovery
        discovery.start()

    def _account_found(self, account: AccountSettings, ou_path: str | None) -> None:
        self._accounts.append((account, ou_path))
        self._wake.set()

    def _plan(self, settings: AccountSettings | None, ou_path: str | None) -> AccountPlan:
        return AccountPlan(
            settings,
            self.config,
            self.source,
            self._door(settings.named_partition if settings else None),
            self._queue(("regions", settings.id if settings else None), "Account Management"),
            self._emit,
            self._start_target,
            self._end,
            ou_path,
        )

    def _door(self, partition: str | None) -> Queue:
        # One queue lets all accounts in: STS throttles the identity that asks, not those asked for.
        if partition not in self._doors:
            name = f"STS of {partition}" if partition else "STS"
            # All accounts pass it, so a ration of retries would be theirs together; its gate is bound enough.
            door = self._queue(("credentials", partition), name, RetryBudget(inf))
            self._doors[partition] = door
        return self._doors[partition]

    def _queue(self, lane: Hashable, endpoint: str, budget: RetryBudget | None = None) -> Queue:
        gate = self._gates.setdefault(endpoint, Gate(endpoint))
        return Queue(self._schedule, self.limits.lane(lane), gate, budget)

    async def _start_target(self, plan: AccountPlan, place: TargetKey) -> None:
        target = TargetScan(
            place,
            plan.name,
            plan.ou_path,
            plan.settings.rpo if plan.settings else None,
            frozenset(self.config.scan.details),
            self.source,
            self._queue(place, place.region),
            self._queue(("tags", place), f"tagging in {place.region}"),
            self._emit,
            self._rater,
            self._end,
        )
        self._active[id(target)] = target
        target.start()

    async def _end(self, ended: AccountPlan | TargetScan | Discovery) -> None:
        self._active.pop(id(ended), None)
        if isinstance(ended, TargetScan):
            self.limits.leave(ended.place, ("tags", ended.place))
        elif isinstance(ended, AccountPlan):
            self.limits.leave(("regions", ended.settings.id if ended.settings else None))
        self._wake.set()

    async def _perform(self, job: Job, sent_at: float) -> None:
        lane, answer, error = job.queue.lane, None, None
        answered = False
        try:
            async with self.limits.slots:
                self._count_call(job)
                try:
                    if job.queue.gate:
                        job.queue.gate.check(job.left())
                    answer = await job.call()
                except CallFailed as failure:
                    error = failure
            answered = True
        finally:
            self._tasks -= 0 if answered else 1
            lane.in_flight -= 1
            self._teach(job, error, answered, sent_at)
            lane.changed()
        # What was answered is told even when the scan ends at this moment: a popped gateway must not be lost.
        with anyio.CancelScope(shield=True):
            await self._conclude(job, answer, error)
        self._tasks -= 1
        self._wake.set()

    def _count_call(self, job: Job) -> None:
        job.attempts += 1
        job.tries += 1
        if job.counted:
            self._calls["attempted"] += 1
            self._calls["retried"] += job.attempts > 1

    def _teach(self, job: Job, error: CallFailed | None, answered: bool, sent_at: float) -> None:
        now = anyio.current_time()
        pace, gate = job.queue.lane.pace, job.queue.gate
        # What broke on the way to credentials says nothing of the place that would have been asked.
        told = answered and (error is None or error.facts.sent)
        silent = error is not None and (error.facts.kind is FailureKind.TIMEOUT or not error.facts.connected)
        if gate and told:
            gate.ended(error if silent else None, sent_at, now, again=job.tries > 1)
        elif gate:
            gate.passed()
        if not told or silent:
            pace.lost(now)
        elif error and error.facts.kind is FailureKind.THROTTLED:
            pace.throttled(sent_at, now, error.facts.retry_after)
        else:
            pace.admitted(sent_at, now)

    async def _conclude(self, job: Job, answer: object, error: CallFailed | None) -> None:
        if error is None:
            try:
                await job.done(answer)
            except CallFailed as nonsense:
                await job.failed(nonsense, job.attempts)
            return
        if not error.facts.sent:
            job.attempts -= 1
            if job.counted:
                self._calls["attempted"] -= 1
                self._calls["retried"] -= job.attempts > 0
        if job.counted and error.facts.kind is FailureKind.THROTTLED:
            self._calls["throttled"] += 1
        delay = self._delay(job, error)
        if delay is None:
            await job.failed(error, job.attempts)
            return
        job.queue.push_again(job, anyio.current_time() + delay)
        place = job.place
        await self._emit(
            CallRetried(
                place.account_id if place else None,
                place.region if place else None,
                job.gateway_arn,
                job.operation,
                error.facts.kind,
                error.facts.code,
                error.facts.request_id,
                job.attempts,
                delay,
            )
        )

    def _delay(self, job: Job, error: CallFailed) -> float | None:
        if error.facts.repeat and not job.mended:
            job.mended = True
            return 0.0
        gate = job.queue.gate
        if gate and gate.shut and error.facts.retryable and error.facts.sent:
            # It only proved that nobody answers yet, which the gate has the patience for.
            job.tries -= 1
            return 0.0
        delay = self._retry.delay(error, job.tries, self.dice)
        # An endpoint that answers, whatever it answers, is not dead: only silence is rationed.
        if delay is not None and error.facts.kind in RATIONED and not job.queue.budget.spend():
            return None
        return delay

    async def _leave(self, kind: FailureKind) -> None:
        message = {
            FailureKind.DEADLINE: "the deadline came first; raise scan.deadline or narrow the scan",
            FailureKind.INTERRUPTED: "the scan was interrupted first; scan again",
        }[kind]
        for unfinished in list(self._active.values()):
            await unfinished.stop(kind, message)
        while self._accounts:
            await self._plan(*self._accounts.popleft()).stop(kind, message)

    async def _emit(self, event: Event) -> None:
        if isinstance(event, TargetEnded):
            self._targets[event.target.status] += 1
        await self.emit_to(event)
