"""Who calls: the users and sessions whose credentials are good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..fleets.accounts import Account
from ..fleets.fleet import Fleet
from ..fleets.statements import ALLOW_ALL, Statement
from ..protocol.errors import EXPIRED, NOT_A_CLIENT, AuthenticationError

# The same words for both, as local stand-ins for AWS commonly have it.
BASE_KEY = BASE_SECRET = "test"  # noqa: S105 - opens nothing but the emulator


@dataclass(slots=True)
class Principal:
    """An account's user or an assumed role's session, with its credentials."""

    key_id: str
    secret: str
    account_id: str
    arn: str
    user_id: str
    policy: Sequence[Statement]
    session_policy: Sequence[Statement] | None = None
    token: str | None = None
    expires_at: float | None = None
    role_arn: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def partition(self) -> str:
        return self.arn.split(":")[1]


class CredentialStore:
    """The static keys of the fleet's users, and the sessions that STS has issued."""

    def __init__(self) -> None:
        self.sessions: dict[str, Principal] = {}
        self._users: dict[str, Principal] = {}

    def read_users(self, fleet: Fleet) -> None:
        """Takes over the keys of a fleet; sessions stay."""
        self._users = {BASE_KEY: _base_user(fleet)}
        for account in fleet.accounts:
            for principal in _users(account):
                self._users[principal.key_id] = principal

    def add_session(self, session: Principal) -> None:
        self.sessions[session.key_id] = session

    def authenticate(self, key_id: str, token: str | None, now: float) -> Principal:
        """Whose key this is; AuthenticationError if it is nobody's, expired or has another's token."""
        principal = self._find(key_id)
        if principal is None or principal.token != token:
            raise AuthenticationError("unknown", NOT_A_CLIENT)
        if principal.expires_at is not None and principal.expires_at <= now:
            raise AuthenticationError("expired", EXPIRED)
        return principal

    def has_token_of_another(self, key_id: str, token: str | None) -> bool:
        """Whether a known key comes with a token that is not its own: the two were mixed up."""
        principal = self._find(key_id)
        return principal is not None and principal.token != token

    def _find(self, key_id: str) -> Principal | None:
        return self.sessions.get(key_id) or self._users.get(key_id)


def _base_user(fleet: Fleet) -> Principal:
    account_id = fleet.base_account_id
    partition = next((each.partition for each in fleet.accounts if each.id == account_id), "aws")
    arn = f"arn:{partition}:iam::{account_id}:user/test"
    return Principal(BASE_KEY, BASE_SECRET, account_id, arn, "AIDAEMULATEDBASEUSER", (ALLOW_ALL,))


def _users(account: Account) -> list[Principal]:
    return [
        Principal(
            key.id,
            key.secret,
            account.id,
            f"arn:{account.partition}:iam::{account.id}:user/{key.user}",
            f"AIDA{key.id[-16:].upper():0>16}",
            key.policy,
        )
        for key in account.keys
    ]
