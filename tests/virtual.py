"""An event loop whose clock jumps to the next timer instead of waiting for it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time passes only when nothing else is left to do; a loop that would wait for ever is an error."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__()
        look = self._selector.select  # type: ignore[attr-defined]

        def select(timeout: float | None) -> Any:
            if timeout is None:
                raise RuntimeError("nothing will ever happen again: the code under test is stuck")
            # Never less than a tick of the clock, or a sum of tiny steps may not reach its timer.
            self.now += max(timeout, 1e-9) if timeout > 0 else 0.0
            return look(0)

        self._selector.select = select  # type: ignore[attr-defined]

    def time(self) -> float:
        return self.now


def run(main: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """What `main` returns, and how many virtual seconds it took."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main), loop.now
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
