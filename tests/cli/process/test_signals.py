"""The first signal ends a scan in order, the second the process."""

import asyncio
import os
import signal
from typing import Any

import anyio
import pytest

from scanner.cli.process.signals import Signals


class Events:
    interrupted = 0

    def interrupt(self) -> None:
        self.interrupted += 1


def after(*steps: Any) -> Events:
    """The events after these steps, each a signal that came or None for the start of the stream."""
    events, signals = Events(), Signals(print)

    async def scan() -> None:
        with signals.handled():
            for step in steps:
                if step is None:
                    signals.end(events)
                else:
                    signal.raise_signal(step)
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)

    asyncio.run(scan())
    return events


def test_a_signal_interrupts_the_stream() -> None:
    assert after(None, signal.SIGTERM).interrupted == 1
    assert after(None).interrupted == 0


def test_a_signal_that_came_too_early_interrupts_as_soon_as_there_is_a_stream(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert after(signal.SIGINT, None).interrupted == 1
    assert "SIGINT: ending in order; a second one ends at once" in capsys.readouterr().out


def test_the_second_signal_is_left_to_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    after(None, signal.SIGINT, signal.SIGTERM)
    assert sent == [(os.getpid(), signal.SIGTERM)]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_first_signal_after_all_was_written_leaves_the_exit_code_of_the_scan() -> None:
    """And a second one ends even what hangs then."""
    after(None)
    signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == signal.getsignal(signal.SIGINT) == signal.SIG_DFL


def bounded(*steps: Any, grace: float = 0.0) -> bool:
    """Whether a scope that these signals find open was cancelled."""

    async def scan() -> bool:
        signals = Signals(print)
        with signals.handled(), signals.bounded(grace) as scope:
            for step in steps:
                signal.raise_signal(step)
            await anyio.sleep(0.2)
        return scope.cancelled_caught

    return asyncio.run(scan())


def test_a_signal_ends_what_goes_on_besides_after_its_grace() -> None:
    assert bounded(signal.SIGTERM)
    assert not bounded(signal.SIGTERM, grace=60)
    assert not bounded()


def test_what_begins_after_a_signal_has_its_grace_from_then_on() -> None:
    async def scan() -> bool:
        signals = Signals(print)
        with signals.handled():
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(0.01)
            with signals.bounded(0) as scope:
                await anyio.sleep(60)
        return scope.cancelled_caught

    assert asyncio.run(scan())
