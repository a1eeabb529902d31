"""What goes wrong on purpose: which call a rule is about, and how its answer differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import Any

from .world import Call

# The names under which AWS services throttle, with the status that each comes with.
THROTTLES = {
    "ThrottlingException": 400,
    "Throttling": 400,
    "ThrottledException": 400,
    "RequestThrottled": 400,
    "RequestThrottledException": 400,
    "RequestLimitExceeded": 503,
    "BandwidthLimitExceeded": 509,
    "LimitExceededException": 400,
    "PriorRequestNotComplete": 400,
    "ProvisionedThroughputExceededException": 400,
    "SlowDown": 503,
    "TooManyRequestsException": 429,
    "TransactionInProgressException": 400,
    "EC2ThrottledException": 503,
}
# These answer something else than the truth.
ANSWERS = (
    "throttle",
    "error",
    "inner",
    "server_error",
    "access_denied",
    "expired_token",
    "not_enabled",
    "wrong_clock",
    "vanished",
    "html",
    "empty",
    "other_shape",
    "mutate",
    "duplicate",
    "foreign_account",
    "foreign_region",
    "repeat_marker",
    "endless_markers",
    "empty_page",
)
# These answer in a way that no client should have to bear.
DELIVERIES = (
    "refuse",
    "reset_before_headers",
    "reset_within_headers",
    "reset_after_headers",
    "cut_body",
    "hang",
    "hang_body",
    "trickle",
    "slow",
)
KINDS = (*ANSWERS, *DELIVERIES)


@dataclass
class Fault:
    """A rule: every condition must hold; names may be globs. `gateway` is its id or ARN, or a role's ARN.

    `nth` hits the n-th matching call only, `from_nth` that and all later ones, `times` bounds how often it
    hits, `probability` lets a seeded coin decide: the same seed hits the same calls, in whatever order they
    come. `each` counts for every account, Region and gateway apart.
    """

    kind: str
    account: str = "*"
    region: str = "*"
    service: str = "storagegateway"
    operation: str = "*"
    gateway: str = "*"
    nth: int | None = None
    from_nth: int | None = None
    times: int | None = None
    each: bool = False
    probability: float = 1.0
    seed: int = 0

    code: str | None = None
    status: int | None = None
    message: str | None = None
    inner: str | None = None
    retry_after: str | None = None
    body: str | None = None
    # The account or Region whose records the foreign_ kinds send.
    other: str | None = None
    seconds: float = 3600.0
    patch: Mapping[str, Any] = field(default_factory=dict)
    remove: Sequence[str] = ()
    change: Callable[[dict[str, Any]], Any] | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault is called {self.kind!r}; there are {', '.join(KINDS)}")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability must be between 0 and 1, not {self.probability}")

    def lands(self, place: str, number: int) -> bool:
        """Which side the coin falls on for the `number`-th call of its kind at a place."""
        toss = blake2b(f"{self.seed}:{place}:{number}".encode(), digest_size=8).digest()
        return int.from_bytes(toss) / 2**64 < self.probability

    def speaks_of(self, call: Call) -> bool:
        """Whether the rule's names match; counting comes after."""
        if not (
            fnmatchcase(call.service, self.service)
            and fnmatchcase(call.operation, self.operation)
            and fnmatchcase(call.account_id, self.account)
            and fnmatchcase(call.region, self.region)
        ):
            return False
        if self.gateway == "*":
            return True
        arn = gateway_of(call)
        return arn is not None and (
            fnmatchcase(arn, self.gateway) or fnmatchcase(arn.rpartition("/")[2], self.gateway)
        )


def gateway_of(call: Call) -> str | None:
    """The ARN of the gateway that a call is about; of the role for AssumeRole."""
    named = (call.params.get(name) for name in ("GatewayARN", "ResourceARN", "RoleArn"))
    arn = next((arn for arn in named if arn is not None), None)
    if arn is None:
        arns = call.params.get("VolumeARNs")
        arn = arns[0] if isinstance(arns, list) and arns else None
    return arn.partition("/volume/")[0] if isinstance(arn, str) else None


class Faults:
    """The rules in force and how often each one has matched and hit."""

    def __init__(self, rules: Iterable[Fault] = ()) -> None:
        self._rules: list[Fault] = []
        self._matched: Counter[tuple[int, str]] = Counter()
        self._tossed: Counter[tuple[int, str]] = Counter()
        self._hit: Counter[tuple[int, str]] = Counter()
        self.hits: Counter[str] = Counter()
        for rule in rules:
            self.add(rule)

    def add(self, rule: Fault) -> Fault:
        """Puts a rule in force; earlier ones come first."""
        self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """From now on nothing goes wrong."""
        self._rules.clear()
        self._matched.clear()
        self._tossed.clear()
        self._hit.clear()

    def strike(self, call: Call) -> Fault | None:
        """The first rule that hits this call, if any does."""
        for rule in self._rules:
            if rule.speaks_of(call) and self._hits(rule, call):
                self.hits[rule.kind] += 1
                return rule
        return None

    def _hits(self, rule: Fault, call: Call) -> bool:
        """Counts a call that the rule speaks of, and says whether it is one to hit."""
        place = f"{call.account_id}:{call.region}:{gateway_of(call) or ''}"
        key = (id(rule), place if rule.each else "")
        self._matched[key] += 1
        number = self._matched[key]
        if (
            (rule.nth is not None and number != rule.nth)
            or (rule.from_nth is not None and number < rule.from_nth)
            or (rule.times is not None and self._hit[key] >= rule.times)
            or (rule.probability < 1 and not self._toss(rule, f"{place}:{call.operation}"))
        ):
            return False
        self._hit[key] += 1
        return True

    def _toss(self, rule: Fault, place: str) -> bool:
        # A coin for each place: calls that race each other must not change who is hit.
        key = (id(rule), place)
        self._tossed[key] += 1
        return rule.lands(place, self._tossed[key])
