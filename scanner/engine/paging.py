"""How long a listing is followed: a marker leads on, unless it came before or its pages bring nothing new."""

from dataclasses import dataclass, field

PAGES_WITHOUT_NEWS = 10
"""Pages in a row without anything not seen before, after which a listing counts as endless."""
EMPTY_PAGES = 100
"""The same for services that say of themselves that pages may be empty: Organizations and tagging."""


@dataclass(slots=True)
class Paging:
    """One listing, as far as it was followed."""

    patience: int = PAGES_WITHOUT_NEWS
    _stale: int = 0
    _markers: set[str] = field(default_factory=set)

    def follow(self, marker: str | None, *, news: bool) -> bool:
        """Whether another page follows one that brought `news`; ValueError for a listing without end."""
        self._stale = 0 if news else self._stale + 1
        if not marker:
            return False
        if marker in self._markers:
            raise ValueError("the listing did not end: a marker came twice")
        if self._stale >= self.patience:
            raise ValueError(f"the listing did not end: {self._stale} pages in a row brought nothing new")
        self._markers.add(marker)
        return True
