"""The context that all calls to one target share."""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from scanner.engine import failures
from scanner.engine.calls.calls import Call, Calls, GivenUp
from scanner.engine.calls.denials import Denials
from scanner.engine.calls.scheduler import CallQueue
from scanner.engine.volume_list import VolumeList
from scanner.inventory.arns import VOLUME_ARN, id_of
from scanner.inventory.events import Emit, FailureSeen
from scanner.inventory.records import Failure, FailureKind
from scanner.policy.rater import Rater
from scanner.service.answers import RecoveryPoint
from scanner.service.errors import InvalidResponse
from scanner.service.protocol import Service, TargetKey

Answer = TypeVar("Answer")
INEXCUSABLE = frozenset(
    {
        FailureKind.ACCESS_DENIED,
        FailureKind.CREDENTIALS,
        FailureKind.WRONG_ACCOUNT,
        FailureKind.DEADLINE,
        FailureKind.INTERRUPTED,
    }
)
"""Failures that are not about reaching the gateway, so no waiver with `unreachable` excuses them."""
Prepare = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class TargetContext:
    """One target: its key, the means to call it, and its failures so far."""

    key: TargetKey
    account_name: str | None
    ou_path: str | None
    account_rpo: timedelta | None
    details: frozenset[str]
    service: Service
    calls: Calls
    queue: CallQueue
    emit: Emit
    rater: Rater
    prepare: Prepare
    denials: Denials = field(default_factory=Denials)
    failures: int = 0
    unread: int = 0
    """Gateways that were listed and have not ended."""
    tags: dict[str, dict[str, str]] | None = None
    volumes: VolumeList = field(default_factory=VolumeList)
    _arns: dict[str, str] = field(default_factory=dict)
    """The ARN of each volume by its id, in the form in which it was seen first."""
    _owner: tuple[str, str, str] = ("", "", "")
    """The partition, account and Region that every ARN of this target names."""

    def __post_init__(self) -> None:
        self._owner = self.service.partition_of(self.key.region), self.key.account_id, self.key.region

    async def ask(self, operation: str, gateway_arn: str, perform: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer about one gateway; raises GivenUp."""
        call = Call(
            operation, self.queue, self.key, gateway_arn, prepare=self.prepare, unread=lambda: self.unread
        )
        try:
            answer = await self.calls.send(call, perform)
        except GivenUp as failure:
            self.denials.deny(operation, failure.facts)
            self._follow_denials()
            raise
        self.denials.admit(operation)
        self._follow_denials()
        return answer

    def _follow_denials(self) -> None:
        if self.queue.one_at_a_time != self.denials.likely:
            self.queue.one_at_a_time = self.denials.likely
            self.queue.changed()

    def owns(self, arn: re.Match[str]) -> bool:
        """Whether an ARN is of this target's partition, account and Region."""
        return arn.group(1, 3, 2) == self._owner

    def owns_volume(self, arn: str) -> bool:
        """Whether a text is the ARN of a volume of this target."""
        parts = VOLUME_ARN.fullmatch(arn)
        return parts is not None and self.owns(parts)

    def canonical(self, volume_arn: str) -> str:
        """The form of a volume's ARN that was seen first.

        Within a target the id alone identifies a volume: its ARN may name no gateway, or one that held it before.
        """
        return self._arns.setdefault(id_of(volume_arn), volume_arn)

    def check_volumes(self, records: Iterable[RecoveryPoint], request_id: str | None = None) -> None:
        """Raises InvalidResponse for a record of another target, and for two that contradict each other."""
        seen: dict[str, RecoveryPoint] = {}
        for record in records:
            problem = None
            if not self.owns_volume(record.arn):
                problem = f"a record names the volume {record.arn[:200]!r}, which is not of this target"
            elif not record.same_as(seen.setdefault(self.canonical(record.arn), record)):
                problem = f"two records of the volume {record.arn} contradict each other"
            if problem:
                raise InvalidResponse.because(problem).but(request_id=request_id)

    async def fail(self, failure: Failure) -> None:
        """Emits a failure. Unless a waiver excuses it, the target is not complete."""
        self.failures += failure.waived is None
        await self.emit(FailureSeen(failure))

    async def fail_gateway(
        self, gateway_arn: str, gateway_name: str | None, operation: str, failure: GivenUp
    ) -> None:
        """Emits the failure of one gateway, which a waiver may excuse."""
        waived = None
        if failure.facts.kind not in INEXCUSABLE:
            waived = self.rater.excuse(
                account_id=self.key.account_id,
                account_name=self.account_name,
                region=self.key.region,
                gateway_arn=gateway_arn,
                gateway_id=id_of(gateway_arn),
                gateway_name=gateway_name,
                moment=datetime.now(UTC),
            )
        await self.fail(failures.of_gateway(failure, self.key, gateway_arn, operation, waived=waived))
