"""Finds the records that others name by their ARN."""

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from scanner.inventory.arns import id_of
from scanner.inventory.records import Gateway, LastKnown, Volume
from scanner.inventory.spooled import SpooledRecords

R = TypeVar("R", Gateway, Volume, LastKnown)


def target_of(arn: str) -> str:
    """The part of an ARN that partition, Region and account are in; ARNs are sorted by it first."""
    return arn.rpartition(":")[0]


def same(arn: str) -> str:
    return arn


def volume_key(arn: str) -> str:
    """One for both forms of a volume's ARN, of which one names a gateway."""
    return f"{target_of(arn)}:{id_of(arn)}"


class Lookup(Generic[R]):
    """Records by their ARN. Of those in a file it holds one target's: ask in the order of ARNs."""

    def __init__(self, records: Iterable[R], key: Callable[[str], str] = same) -> None:
        self._key = key
        self._spooled = records if isinstance(records, SpooledRecords) else None
        self._held: dict[str, R] = {} if self._spooled else {key(record.arn): record for record in records}
        self._target = ""
        self._next: R | None = None
        self._rest: Iterator[R] = iter(())
        if self._spooled:
            self._restart(self._spooled)

    def get(self, arn: str | None) -> R | None:
        """The record with this ARN, if there is one."""
        if arn is None:
            return None
        if self._spooled and target_of(arn) != self._target:
            self._go_to(self._spooled, target_of(arn))
        return self._held.get(self._key(arn))

    def _go_to(self, records: "SpooledRecords[R]", target: str) -> None:
        if target < self._target:
            self._restart(records)
        self._target = target
        self._held.clear()
        while self._next and (found := target_of(self._next.arn)) <= target:
            if found == target:
                self._held[self._key(self._next.arn)] = self._next
            self._next = next(self._rest, None)

    def _restart(self, records: "SpooledRecords[R]") -> None:
        self._rest = iter(records)
        self._next = next(self._rest, None)
