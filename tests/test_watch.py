"""`Scanner.watch`: again and again, never two at once, without drift."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta

import anyio
import pytest

from scanner import Inventory, Scanner, ScannerConfig
from tests.output.fleet import inventory
from tests.virtual import run

WHOLE = inventory(1, 1)


class Slow(Scanner):
    """A Scanner whose scans take `lengths` seconds, one after the other; it notes when each began."""

    def __init__(self, *lengths: float) -> None:
        super().__init__(ScannerConfig())
        self.lengths = list(lengths)
        self.began: list[float] = []

    async def scan(self, scan_id: str | None = None) -> Inventory:
        self.began.append(anyio.current_time())
        await anyio.sleep(self.lengths.pop(0))
        return WHOLE


def begun(every: float, *lengths: float, jitter: float = 0.0, reading: float = 0.0) -> list[float]:
    scanner = Slow(*lengths)

    async def main() -> None:
        left = len(lengths)
        async with aclosing(scanner.watch(timedelta(seconds=every), jitter)) as inventories:
            async for _ in inventories:
                await anyio.sleep(reading)
                left -= 1
                if not left:
                    break

    run(main())
    return scanner.began


def test_the_first_scan_begins_at_once_and_the_others_without_drift() -> None:
    assert begun(60, 7, 3, 59) == [0, 60, 120]


def test_starts_that_a_slow_scan_misses_are_left_out() -> None:
    """No scan is made up for, and the next one begins in time again."""
    assert begun(60, 130, 1, 1) == [0, 180, 240]


def test_starts_that_a_slow_reader_misses_are_left_out() -> None:
    assert begun(60, 1, 1, 1, reading=100) == [0, 120, 240]


def test_each_start_is_later_by_its_jitter_and_by_no_more() -> None:
    starts = begun(60, *[1.0] * 50, jitter=0.5)[1:]
    late = [start - 60 * number for number, start in enumerate(starts, 1)]
    assert all(0 <= each <= 30 for each in late)
    assert max(late) - min(late) > 5


@pytest.mark.parametrize(("every", "jitter"), [(0, 0), (-1, 0), (60, -0.1), (60, 1.1)])
def test_an_interval_that_is_none_is_refused(every: float, jitter: float) -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match="every must be"):
            await anext(Slow(1).watch(timedelta(seconds=every), jitter))

    run(main())


def test_it_can_be_left_while_it_waits() -> None:
    async def main() -> None:
        watching: AsyncGenerator[Inventory, None] = Slow(1, 1).watch(timedelta(hours=1))
        await anext(watching)
        waiting = asyncio.ensure_future(anext(watching))
        await asyncio.sleep(5)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await watching.aclose()

    _, seconds = run(main())
    assert seconds < 10
