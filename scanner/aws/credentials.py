"""Credentials: had once for each account, shared by its Regions, renewed in time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import anyio

from scanner.engine.source import CallFailed

RENEW_BEFORE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs for one account. Its repr shows no secret."""

    account_id: str | None
    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None

    def lasts(self, now: datetime) -> bool:
        return self.expires_at is None or now < self.expires_at - RENEW_BEFORE


class Identity:
    """One account's way in. However many ask at once, credentials are obtained once."""

    def __init__(self, obtain: Callable[[], Awaitable[Credentials]]) -> None:
        self._obtain = obtain
        self._lock = anyio.Lock()
        self._current: Credentials | None = None
        self._failure: CallFailed | None = None
        self._round = 0

    async def credentials(self) -> Credentials:
        """Credentials good for five minutes at least; raises CallFailed where they cannot be had."""
        if self._current and self._current.lasts(datetime.now(UTC)):
            return self._current
        asked = self._round
        async with self._lock:
            if self._current and self._current.lasts(datetime.now(UTC)):
                return self._current
            # Whoever waited for a round that failed shares its failure, or all would ask one by one.
            if self._round != asked and self._failure:
                raise self._failure
            self._round += 1
            self._failure = None
            try:
                self._current = await self._obtain()
            except CallFailed as failure:
                self._failure = failure
                raise
            return self._current

    def reject(self, credentials: Credentials) -> None:
        """The service did not take `credentials`; the next caller obtains new ones."""
        if self._current is credentials:
            self._current = None
