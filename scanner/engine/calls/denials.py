"""What a target has denied. After a few denials and no success it is asked one gateway at a time."""

from dataclasses import dataclass, field

from scanner.inventory.records import FailureKind
from scanner.service.errors import FailureFacts

DENIALS = 3
"""Gateways that must be refused, with none admitted, until a target counts as refusing."""


@dataclass(slots=True)
class Denials:
    """One target's answers to each operation, as far as permissions go.

    A role may be allowed to read only some gateways, by tags for example, so every gateway is asked all the
    same: a target that denies them all costs one call each, but holds only one slot.
    """

    _denied: dict[str, int] = field(default_factory=dict)
    _admitted: set[str] = field(default_factory=set)

    @property
    def likely(self) -> bool:
        """Whether what is asked next will probably be denied, too."""
        return any(
            denied >= DENIALS and operation not in self._admitted
            for operation, denied in self._denied.items()
        )

    def admit(self, operation: str) -> None:
        self._admitted.add(operation)

    def deny(self, operation: str, facts: FailureFacts) -> None:
        """Counts a denial. Other failures, and denials by one gateway's own policy, are ignored."""
        if facts.kind is FailureKind.ACCESS_DENIED and facts.sent and not facts.by_resource_policy:
            self._denied[operation] = self._denied.get(operation, 0) + 1
