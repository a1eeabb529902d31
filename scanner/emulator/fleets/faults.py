"""Fault rules: which call a rule is about, and how its answer differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, Strict

from .checked import Flag, MustBe, Table, Text, Texts, Whole

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
RESPONSE_KINDS = (
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
CONNECTION_KINDS = (
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
KINDS = (*RESPONSE_KINDS, *CONNECTION_KINDS)


def _known_kind(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError("unknown")
    return kind


Kind = Annotated[str, AfterValidator(_known_kind), MustBe(f"one of {', '.join(KINDS)}")]
Probability = Annotated[float, Strict(), Field(ge=0, le=1), MustBe("a number between 0 and 1")]
Seconds = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False), MustBe("a number of seconds")]
Status = Annotated[int, Strict(), Field(ge=100, le=599), MustBe("an HTTP status")]


@dataclass
class Fault(Table):
    """A rule: every condition must hold; names may be globs. `gateway` is its id or ARN, or a role's ARN.

    `nth` hits the n-th matching call only, `from_nth` that and all later ones, `times` bounds how often it
    hits, `probability` draws from a seeded generator: the same seed hits the same calls, in whatever order
    they come. `each` counts for every account, Region and gateway apart.
    """

    python_keys: ClassVar[tuple[str, ...]] = ("change",)

    kind: Kind
    account: Text = "*"
    region: Text = "*"
    service: Text = "storagegateway"
    operation: Text = "*"
    gateway: Text = "*"
    nth: Whole | None = None
    from_nth: Whole | None = None
    times: Whole | None = None
    each: Flag = False
    probability: Probability = 1.0
    seed: Whole = 0

    code: Text | None = None
    status: Status | None = None
    message: Text | None = None
    inner: Text | None = None
    retry_after: Text | None = None
    body: Text | None = None
    # The account or Region whose records the foreign_ kinds send.
    other: Text | None = None
    seconds: Seconds = 3600.0
    patch: Annotated[Mapping[str, Any], MustBe("a table of paths and values")] = field(default_factory=dict)
    remove: Texts = ()
    change: Callable[[dict[str, Any]], Any] | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault is called {self.kind!r}; there are {', '.join(KINDS)}")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability must be between 0 and 1, not {self.probability}")
