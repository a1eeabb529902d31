"""The worst of several verdicts at once: none of them hides another."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from scanner.inventory.records import VerdictStatus

_T = TypeVar("_T")

SHARES = (
    (VerdictStatus.BREACH, 4),
    (VerdictStatus.NO_RECOVERY_POINT, 3),
    (VerdictStatus.AT_RISK, 2),
    (VerdictStatus.UNKNOWN, 1),
)
"""How often each verdict has its turn while places are given away."""


def in_turn(
    ranked: Mapping[VerdictStatus, Sequence[_T]], name: Callable[[_T], object] = lambda one: one
) -> Iterator[_T]:
    """What is ranked under each verdict, in turns that follow `SHARES`; nothing twice."""
    left = {status: iter(ranked.get(status, ())) for status, _ in SHARES}
    given: set[object] = set()
    while left:
        for status, turns in SHARES:
            for _ in range(turns if status in left else 0):
                one = next((one for one in left[status] if name(one) not in given), None)
                if one is None:
                    del left[status]
                    break
                given.add(name(one))
                yield one
