"""What a target has denied: after a few denials of an operation, and none admitted, it is not asked again."""

from dataclasses import dataclass, field

from scanner.inventory.records import FailureKind
from scanner.service.errors import CallFailed

DENIALS = 3
"""Gateways that must be refused, with none admitted, until the whole target counts as refusing."""


@dataclass(slots=True)
class Refusals:
    """One target's answers to each operation, as far as permissions go."""

    _denied: dict[str, int] = field(default_factory=dict)
    _admitted: set[str] = field(default_factory=set)
    _last: dict[str, CallFailed] = field(default_factory=dict)

    def check(self, operation: str) -> None:
        """Raises CallFailed, with nothing sent, for an operation that this target denies."""
        refusal = self._last.get(operation)
        if refusal and self._denied[operation] >= DENIALS and operation not in self._admitted:
            raise CallFailed.of(
                refusal.facts.kind,
                f"not asked: {operation} was denied for {DENIALS} other gateways here:"
                f" {refusal.facts.message}",
                code=refusal.facts.code,
                sent=False,
            )

    def admitted(self, operation: str) -> None:
        self._admitted.add(operation)

    def failed(self, operation: str, error: CallFailed) -> None:
        # A gateway's own resource policy says nothing about its neighbours.
        if (
            error.facts.kind is FailureKind.ACCESS_DENIED
            and error.facts.sent
            and not error.facts.by_resource_policy
        ):
            self._denied[operation] = self._denied.get(operation, 0) + 1
            self._last[operation] = error
