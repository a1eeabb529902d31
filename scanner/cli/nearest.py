"""What somebody may have meant who wrote a name that there is not."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The name among `known` that is most like `name`, whatever its case; None where none is like it."""
    by_case = {each.casefold(): each for each in known}
    close = get_close_matches(name.casefold(), by_case, n=1, cutoff=0.75)
    return by_case[close[0]] if close else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that suggests it: `; did you mean vol-1122AABB?`."""
    close = nearest(name, known)
    return f"; did you mean {close}?" if close else ""
