"""Python's garbage collector, spared what a scan makes."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

COLLECTED_AFTER = 10_000
"""Objects, instead of Python's 700: a scan makes many that live on, and few that only a collector finds."""
NEVER = 2**31 - 1


@contextmanager
def spared_collector(*, whole: bool = True) -> Iterator[None]:
    """Has the collector pass over all that is loaded by now, and look at the rest less often.

    It is a quarter of a scan's CPU otherwise. The command line may do that, for the process is its own. Unless
    `whole`, it never looks at everything by itself: for half a second nothing else would run.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER, 5, 10 if whole else NEVER)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
