"""The history as commands ask it: opened as the configuration says, with warnings on stderr."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio

from scanner.cli.settings import settings_of
from scanner.cli.terminal.logs import Loudness, logging_to_stderr
from scanner.config.settings import ScannerConfig
from scanner.errors import ConfigError, HistoryError
from scanner.history.open import open_history
from scanner.history.store import History
from scanner.policy.durations import parse_duration


@dataclass(frozen=True)
class Kept:
    """A history that is open, and the configuration that named it."""

    config: ScannerConfig
    history: History

    def remove(self, names: Iterable[str]) -> None:
        """Removes files from the bucket, if the history lies in one; raises HistoryError."""

        async def removed() -> None:
            async with open_history(self.config) as kept:
                await kept.remove(names)

        anyio.run(removed)


@contextmanager
def opened(
    config: Path | None, history: str | None, flags: Mapping[str, Any] | None = None
) -> Iterator[Kept]:
    """The history that `--history` or the configuration names; raises HistoryError or ConfigError."""
    settings = settings_of(config, flags={"history.path": history, **(flags or {})})
    with logged():
        yield Kept(settings, history_of(settings))


@contextmanager
def logged() -> Iterator[None]:
    """Shows warnings on stderr."""
    with logging_to_stderr("text", Loudness.NORMAL):
        yield


def history_of(config: ScannerConfig) -> History:
    """The history that the configuration names, as it is now; raises HistoryError."""

    async def current() -> History:
        async with open_history(config) as kept:
            await kept.refresh()
            return kept.history

    history = anyio.run(current)
    if not history.manifest_names():
        raise HistoryError(
            f"{config.history.path}: there is no such history; scan with --history to begin one"
        )
    return history


def duration(flag: str, text: str) -> timedelta:
    """The duration that a flag gives; raises ConfigError."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigError(f"{flag}: {error}") from None
