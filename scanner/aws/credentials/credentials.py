"""Credentials, and how long those of one identity may be used."""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import inf

import anyio

from scanner.service.errors import CallFailed
from scanner.service.secrets import HIDDEN

SHORTEST_SECRET = 8
"""Characters; anything shorter is no key, and could be part of any word."""
SENDABLE = re.compile(r"[!-~]+")
"""What keys and tokens consist of. A line break that came along with one would end the header that carries it."""
RENEW_BEFORE = timedelta(minutes=5)
FAILURE_STANDS = 10.0
"""Seconds in which all accounts of a scan share one failure; whoever removes its cause waits no longer."""
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
    profile: str | None = None
    """The profile whose settings lead to the services: its endpoints and CA bundle. None: the base identity's."""

    def hidden_in(self, text: str) -> str:
        """`text` without these secrets: a service that refuses a signature may quote what was signed."""
        for secret in (self.secret_key, self.token):
            if secret and len(secret) >= SHORTEST_SECRET:
                text = text.replace(secret, HIDDEN)
        return text

    def lasts(self, now: datetime) -> bool:
        """Whether they are good for five more minutes."""
        return self.expires_at is None or now + RENEW_BEFORE < self.expires_at

    def same_as(self, other: "Credentials | None") -> bool:
        """Whether both sign alike, whatever account they are known to be of."""
        return other is not None and replace(self, account_id=None) == replace(other, account_id=None)


class Identity:
    """The credentials of one identity, from one sign-in to the next. It obtains nothing itself."""

    def __init__(self) -> None:
        self.current: Credentials | None = None
        self.lock = anyio.Lock()
        """Held while it is signed in: two scans of one Scanner must not both do it."""
        self._failure: CallFailed | None = None
        self._taken_at = self._failed_at = self._doubted_at = -inf
        self._scarce = False

    def fresh(self, now: datetime | None = None) -> bool:
        """Whether there are credentials that may be used without asking for newer ones."""
        if self.current is None:
            return False
        # Nothing better may be to be had than credentials that end soon: then they are used, and asked for anew.
        scarce = self._scarce and anyio.current_time() - self._taken_at < ASK_AGAIN
        return self.current.lasts(now or datetime.now(UTC)) or scarce

    def check(self) -> None:
        """Raises the failure of the last try again, if another try could hardly do better; nothing is sent."""
        failure = self._failure
        if failure and anyio.current_time() - self._failed_at < FAILURE_STANDS:
            raise failure.but(sent=False)

    def take(self, credentials: Credentials, now: datetime | None = None) -> None:
        """These are the credentials from now on."""
        self.current, self._failure = credentials, None
        self._taken_at = anyio.current_time()
        self._scarce = not credentials.lasts(now or datetime.now(UTC))

    def fail(self, failure: CallFailed) -> None:
        """They could not be had."""
        self.current = None
        if not (failure.facts.retryable or failure.facts.repeat):
            self._failure, self._failed_at = failure, anyio.current_time()

    def reject(self, credentials: Credentials) -> None:
        """The service says that `credentials` have ended: others are needed."""
        if credentials.same_as(self.current):
            self.current = None

    def doubt(self, credentials: Credentials) -> bool:
        """The service does not know `credentials`; says whether it is worthwhile to have newer ones.

        They may have been exchanged, or the Region is not enabled: then newer ones are the same again.
        """
        if not credentials.same_as(self.current):
            return True
        if anyio.current_time() - self._doubted_at < ASK_AGAIN:
            return False
        self._doubted_at = anyio.current_time()
        self.current = None
        return True
