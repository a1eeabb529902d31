"""How many calls came, of what kind, for whom."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

_NAMES = ("service", "operation", "account_id", "region")
CallKey = tuple[str, str, str, str]


@dataclass(slots=True)
class CountedCall:
    """A call as far as it is known: account and Region follow from its signature."""

    service: str
    operation: str
    account_id: str = ""
    region: str = ""

    @property
    def key(self) -> CallKey:
        return self.service, self.operation, self.account_id, self.region


class Counters:
    """Counts calls by (service, operation, account, Region), and those with mixed-up credentials."""

    def __init__(self, log_size: int) -> None:
        self.requests: Counter[CallKey] = Counter()
        self.log: deque[tuple[str, str, str, str, int]] = deque(maxlen=log_size)
        self.mismatches = 0

    def record(self, call: CountedCall, status: int) -> None:
        self.requests[call.key] += 1
        if self.log.maxlen:
            self.log.append((*call.key, status))

    def count(self, wanted: CallKey) -> int:
        """How many calls came, by names or globs."""
        return sum(
            number
            for names, number in self.requests.items()
            if all(fnmatchcase(name, pattern) for name, pattern in zip(names, wanted, strict=True))
        )

    def calls(self) -> list[dict[str, Any]]:
        """One entry for each kind of call, target by target, as JSON has them."""
        return [
            {**dict(zip(_NAMES, key, strict=True)), "count": number}
            for key, number in sorted(self.requests.items())
        ]

    def reset(self) -> None:
        self.requests.clear()
        self.log.clear()
        self.mismatches = 0
