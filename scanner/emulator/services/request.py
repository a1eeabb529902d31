"""One call as the services see it: who calls, what with, and where."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..fleets.regions import partition_of
from ..protocol.errors import invalid
from ..protocol.service_models import ServiceModel
from ..state.backend import Backend
from ..state.principals import Principal


@dataclass(slots=True)
class Request:
    """An authenticated request."""

    backend: Backend
    service: ServiceModel
    operation: str
    region: str
    principal: Principal
    params: Mapping[str, Any]
    now: float
    # What the markers of its pages are bound to, once a page was cut.
    binding: str = ""

    @property
    def account_id(self) -> str:
        return self.principal.account_id

    @property
    def partition(self) -> str:
        return partition_of(self.region)

    def text(self, name: str, low: int = 1, high: int = 10_000, *, required: bool = False) -> str | None:
        """A text parameter within its length."""
        value = self.params.get(name)
        wire = name[0].lower() + name[1:]
        if value is None:
            if required:
                raise invalid(f"Value null at '{wire}' failed to satisfy constraint: Member must not be null")
            return None
        if not isinstance(value, str):
            raise invalid(f"Value at '{wire}' failed to satisfy constraint: Member must be a string")
        for wrong, bound in (
            (len(value) < low, f"greater than or equal to {low}"),
            (len(value) > high, f"less than or equal to {high}"),
        ):
            if wrong:
                raise invalid(
                    f"Value '{value}' at '{wire}' failed to satisfy constraint: "
                    f"Member must have length {bound}"
                )
        return value

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number within its bounds."""
        value = self.params.get(name)
        if value is None:
            return default
        wire = name[0].lower() + name[1:]
        if not isinstance(value, int) or isinstance(value, bool):
            raise invalid(f"Value at '{wire}' failed to satisfy constraint: Member must be an integer")
        if value < low:
            bound = f"greater than or equal to {low}"
        elif value > high:
            bound = f"less than or equal to {high}"
        else:
            return value
        raise invalid(
            f"Value '{value}' at '{wire}' failed to satisfy constraint: Member must have value {bound}"
        )

    def page(
        self, keys: Sequence[str], size: int, marker: str | None, *, extra: str = ""
    ) -> tuple[range, str | None] | None:
        """Which of the ordered keys come now and the next marker; None for a marker of another request."""
        self.binding = f"{self.service.name}:{self.operation}:{self.account_id}:{self.region}:{extra}"
        start = 0
        if marker is not None:
            position = self.backend.markers.read(marker, self.binding)
            if position is None:
                return None
            start = bisect_right(keys, position)
        stop = min(start + size, len(keys))
        following = self.backend.markers.issue(keys[stop - 1], self.binding) if stop < len(keys) else None
        return range(start, stop), following


Handler = Callable[[Request], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """What answers an operation, and the parameters that it honours; all others are refused."""

    handler: Handler
    parameters: frozenset[str] = frozenset()


def operation(handler: Handler, *parameters: str) -> Operation:
    return Operation(handler, frozenset(parameters))
