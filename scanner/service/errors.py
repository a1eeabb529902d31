"""Why a call failed: frozen facts, which travel unchanged from the service to the inventory."""

from dataclasses import dataclass, replace
from typing import Any, Self

from scanner.inventory.records import FailureKind, Refused


@dataclass(frozen=True, slots=True)
class FailureFacts:
    """What is known of a call that failed.

    `message` holds the service's own words, or the cause where nothing answered; no advice.
    `operation` names the call that failed where it is another than the one asked for, such as the renewal
    of credentials before it. `remedy` is set where only the place of the failure knows what helps: a file,
    a variable, a profile. `refused` says who was refused what. `endpoint` is the URL that was asked.

    `retryable`: another try may help. `repeat`: the cause is gone already (fresh credentials, a corrected
    clock), so the same call is worth repeating at once. `retry_after`: seconds for which the service asked
    to be left alone. `sent` is False where nothing was sent, `connected` where no connection came about.
    `by_resource_policy`: a policy of the gateway itself refused, which says nothing of its neighbours.
    `unrecognized`: the Region does not know the credentials, as one that the account has not enabled does.
    `unresolved`: there is no host of the endpoint's name.
    """

    kind: FailureKind
    message: str
    operation: str | None = None
    code: str | None = None
    request_id: str | None = None
    endpoint: str | None = None
    refused: Refused | None = None
    remedy: str | None = None
    retryable: bool = False
    repeat: bool = False
    retry_after: float | None = None
    sent: bool = True
    connected: bool = True
    by_resource_policy: bool = False
    unrecognized: bool = False
    unresolved: bool = False


class CallFailed(Exception):
    """A call was refused, broke, or its answer cannot be trusted; `facts` say which and why."""

    def __init__(self, facts: FailureFacts) -> None:
        super().__init__(facts.message)
        self.facts = facts

    @classmethod
    def of(cls, kind: FailureKind, message: str, **facts: Any) -> Self:
        """A failure of `kind`; `facts` are other fields of FailureFacts."""
        return cls(FailureFacts(kind, message, **facts))

    def but(self, **changes: Any) -> Self:
        """A failure of the same class with some facts changed; this one stays as it is."""
        return type(self)(replace(self.facts, **changes))


class GatewayVanished(CallFailed):
    """The gateway was deleted between listing and asking."""


class GatewayNotApplicable(CallFailed):
    """The gateway is of a type that has no recovery points."""


class RegionNotOffered(CallFailed):
    """The Region does not offer Storage Gateway: its name does not resolve, or it knows no such operation."""


class InvalidResponse(CallFailed):
    """The answer is not what the service documents."""

    @classmethod
    def because(cls, message: str, *, whole: bool = False) -> Self:
        """A failure for this reason; `whole`: all of the answer is wrong, so another try may help."""
        remedy = "look for a proxy that answers in the service's place" if whole else None
        return cls(FailureFacts(FailureKind.INVALID_RESPONSE, message, remedy=remedy, retryable=whole))
