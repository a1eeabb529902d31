"""Whether an answer has come to the SDK's calls: what breaks before is a defect, what breaks after is the answer's."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

BROKEN_ANSWER = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RuntimeError)
"""What reading an answer may raise, in the SDK's parsers as in ours, if it is of another shape than documented."""


@dataclass(slots=True)
class Watch:
    """`answered`: an answer to a call of the block has come."""

    answered: bool = False


_watch: ContextVar[Watch] = ContextVar("watch")


def watch_answers(client: Any) -> None:
    """Lets `client` tell of each answer before anything is read of it."""
    client.meta.events.register_first(
        f"before-parse.{client.meta.service_model.service_id.hyphenize()}", _note
    )


@contextmanager
def watched() -> Iterator[Watch]:
    """Watches the calls that are made in the block."""
    watch = Watch()
    token = _watch.set(watch)
    try:
        yield watch
    finally:
        _watch.reset(token)


def _note(**_: Any) -> None:
    watch = _watch.get(None)
    if watch:
        watch.answered = True
