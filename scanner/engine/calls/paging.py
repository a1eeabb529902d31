"""How long a listing is followed: a marker leads on, unless it came before or its pages bring nothing new."""

from dataclasses import dataclass, field

from scanner.inventory.records import FailureKind
from scanner.service.errors import CallFailed

PAGES_WITHOUT_NEWS = 10
"""Pages in a row without anything not seen before, after which a listing counts as endless."""
EMPTY_PAGES = 100
"""The same for services that say of themselves that pages may be empty: Organizations and tagging."""
MOST_PAGES = 1000
"""Pages after which even a listing that brings ever new entries counts as endless: 100,000 gateways."""


@dataclass(slots=True)
class Paging:
    """One listing, as far as it was followed."""

    patience: int = PAGES_WITHOUT_NEWS
    _pages: int = 0
    _stale: int = 0
    _markers: set[str] = field(default_factory=set)

    def follow(self, marker: str | None, *, news: bool) -> bool:
        """Whether another page follows one that brought `news`; raises CallFailed if there is no end."""
        self._pages += 1
        self._stale = 0 if news else self._stale + 1
        if not marker:
            return False
        if marker in self._markers:
            raise _endless("a marker came twice")
        if self._stale >= self.patience:
            raise _endless(f"{self._stale} pages in a row brought nothing new")
        if self._pages >= MOST_PAGES:
            raise _endless(f"{self._pages} pages did not hold it")
        self._markers.add(marker)
        return True


def _endless(why: str) -> CallFailed:
    return CallFailed.of(FailureKind.INVALID_RESPONSE, f"the listing did not end: {why}")
