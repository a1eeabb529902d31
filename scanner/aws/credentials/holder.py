"""Credentials: had once for each account, shared by its Regions, renewed in time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import inf

import anyio

from scanner.service.errors import CallFailed

HIDDEN = "[hidden]"
SHORTEST_SECRET = 8
"""Characters; anything shorter is no key, and could be part of any word."""
RENEW_BEFORE = timedelta(minutes=5)
FAILURE_STANDS = 10.0
"""Seconds in which all accounts of a scan share one failure; whoever mends its cause waits no longer."""
ASK_AGAIN = 60.0
"""Seconds for which credentials are used that are all there is to be had, although they end soon."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs for one account. Its repr shows no secret."""

    account_id: str | None
    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None

    def hidden_in(self, text: str) -> str:
        """`text` without these secrets: a service that refuses a signature may quote what was signed."""
        for secret in (self.secret_key, self.token):
            if secret and len(secret) >= SHORTEST_SECRET:
                text = text.replace(secret, HIDDEN)
        return text

    def lasts(self, now: datetime) -> bool:
        return self.expires_at is None or now + RENEW_BEFORE < self.expires_at


class Identity:
    """One account's way in. However many ask at once, credentials are obtained once.

    `clock` tells the service's time: that decides when they end.
    """

    def __init__(
        self,
        obtain: Callable[[], Awaitable[Credentials]],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._obtain = obtain
        self._clock = clock
        self._lock = anyio.Lock()
        self._current: Credentials | None = None
        self._failure: CallFailed | None = None
        self._round = 0
        self._asked_at = -inf
        self._scarce = False

    async def credentials(self) -> Credentials:
        """Credentials good for five minutes at least; raises CallFailed where they cannot be had."""
        if self._current and self._good(self._current):
            return self._current
        asked = self._round
        async with self._lock:
            if self._current and self._good(self._current):
                return self._current
            if self._failure and self._shared(self._failure, asked):
                raise self._failure
            self._round += 1
            self._failure = None
            try:
                self._current = await self._obtain()
                self._scarce = not self._current.lasts(self._clock())
            except CallFailed as failure:
                self._failure = failure
                raise
            finally:
                self._asked_at = anyio.current_time()
            return self._current

    def _good(self, credentials: Credentials) -> bool:
        return credentials.lasts(self._clock()) or (self._scarce and self._age() < ASK_AGAIN)

    def _shared(self, failure: CallFailed, asked: int) -> bool:
        # Whoever waited for a round that failed shares its failure, or all would ask one by one. One that no
        # retry can mend stands for those too who come a little later.
        if self._round != asked:
            return True
        return not (failure.facts.retryable or failure.facts.repeat) and self._age() < FAILURE_STANDS

    def _age(self) -> float:
        return anyio.current_time() - self._asked_at

    def reject(self, credentials: Credentials) -> None:
        """The service did not take `credentials`; the next caller obtains new ones."""
        if self._current and replace(self._current, account_id=credentials.account_id) == credentials:
            self._current = None
