"""The first signal ends a scan in order, the second the process."""

import asyncio
import os
import signal
from typing import Any

import pytest

from scanner.cli.signals import Signals


class Events:
    interrupted = 0

    def interrupt(self) -> None:
        self.interrupted += 1


def after(*steps: Any) -> Events:
    """The events after these steps, each a signal that came or None for the start of the stream."""
    events, signals = Events(), Signals()

    async def scan() -> None:
        with signals.heard():
            for step in steps:
                if step is None:
                    signals.end(events)  # type: ignore[arg-type]
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
    assert "SIGINT: ending in order; a second one ends at once" in capsys.readouterr().err


def test_the_second_signal_is_left_to_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    before = signal.getsignal(signal.SIGTERM)
    after(None, signal.SIGINT, signal.SIGTERM)
    assert sent == [(os.getpid(), signal.SIGTERM)]
    assert signal.getsignal(signal.SIGTERM) == before == signal.SIG_DFL
