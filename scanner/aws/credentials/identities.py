"""Who we are in each account: profiles, roles and chains of them; had once and shared by all Regions."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from scanner.aws.clients import Answer, Clients
from scanner.aws.credentials.holder import HIDDEN, SHORTEST_SECRET, Credentials, Identity
from scanner.aws.credentials.sessions import Sessions
from scanner.aws.errors import EXPIRED
from scanner.aws.regions import Regions
from scanner.config.settings import AccountSettings, ScannerConfig
from scanner.iam.permissions import base_statements, compact, session_policy
from scanner.inventory.records import FailureKind
from scanner.service.errors import CallFailed, InvalidResponse

ASSUME = "AssumeRole"
WHOAMI = "GetCallerIdentity"
TRUST_REMEDY = (
    "let the role's trust policy name this identity and the external id, and allow it sts:AssumeRole on the"
    " role (the same is said of a role that does not exist, and of a suspended account)"
)
TAGS_REMEDY = "session_tags also need sts:TagSession in both"
SESSION_NAME = "sgw-scanner"


class Identities:
    """The identities of one Scanner, by account."""

    def __init__(self, config: ScannerConfig, sessions: Sessions, clients: Clients, regions: Regions) -> None:
        self._config = config
        self._sessions = sessions
        self._clients = clients
        self._regions = regions
        self._base = self._identity(self._base_credentials)
        self._hubs: dict[tuple[str, str], Identity] = {}
        self._by_settings: dict[AccountSettings | None, Identity] = {}
        self._by_account: dict[str, tuple[Identity, str]] = {}

    @property
    def base(self) -> Identity:
        """The base identity itself: assumes roles and asks the organization."""
        return self._base

    async def open(self, account: AccountSettings | None) -> str:
        """Credentials for `account` (None: the base identity's own); returns its id, or raises CallFailed."""
        identity = self._by_settings.setdefault(account, self._identity(self._way_into(account)))
        credentials = await identity.credentials()
        account_id = credentials.account_id
        assert account_id is not None
        self._by_account[account_id] = identity, self._regions.partition(self._config, account)
        return account_id

    def of(self, account_id: str) -> Identity:
        """The identity of an account that has been opened."""
        return self._by_account[account_id][0]

    def partition_of(self, account_id: str) -> str:
        return self._by_account[account_id][1]

    async def ask(
        self, identity: Identity, service: str, region: str, operation: str, **parameters: Any
    ) -> Answer:
        """One call as `identity`. An expired token is given up, so that the same call may be repeated."""
        try:
            credentials = await identity.credentials()
        except CallFailed as failure:
            # The call itself never went out, whatever happened to the one for its credentials.
            raise failure.but(sent=False) from None
        try:
            return await self._clients.call(service, region, operation, credentials, **parameters)
        except CallFailed as failure:
            if failure.facts.code in EXPIRED:
                identity.reject(credentials)
                self._sessions.reject(credentials)
                raise failure.but(repeat=True) from None
            raise

    def _identity(self, obtain: Callable[[], Awaitable[Credentials]]) -> Identity:
        return Identity(obtain, self._clients.now)

    def _way_into(self, account: AccountSettings | None) -> Callable[[], Any]:
        async def obtain() -> Credentials:
            if account is None or account.role is None:
                return await self._as_it_is(account)
            return await self._assumed(account)

        return obtain

    async def _base_credentials(self) -> Credentials:
        return await self._sessions.credentials(None)

    async def _as_it_is(self, account: AccountSettings | None) -> Credentials:
        profile = account.profile if account else None
        credentials = await self._sessions.credentials(profile)
        answer = await self._sts(credentials, self._partition(account), WHOAMI)
        return _belonging(credentials, str(answer.body.get("Account", "")), account)

    async def _assumed(self, account: AccountSettings) -> Credentials:
        partition = self._partition(account)
        source = self._hub(account.via, partition) if account.via else self._base
        parameters: dict[str, Any] = {
            "RoleArn": account.role_arn_in(partition),
            "RoleSessionName": account.session_name,
            "Policy": session_policy(self._config.scan.details, partition=partition),
        }
        if account.external_id:
            parameters["ExternalId"] = account.external_id
        if self._config.credentials.session_tags:
            tags = self._config.credentials.session_tags
            parameters["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        credentials, arn = await self._assume(source, partition, parameters)
        return _belonging(credentials, arn.split(":")[4] if arn.count(":") >= 5 else "", account)

    def _hub(self, arn: str, partition: str) -> Identity:
        async def obtain() -> Credentials:
            parameters = {
                "RoleArn": arn,
                "RoleSessionName": SESSION_NAME,
                "Policy": compact(
                    base_statements(
                        f"arn:{partition}:iam::*:role/*",
                        partition=partition,
                        session_tags=bool(self._config.credentials.session_tags),
                    )
                ),
            }
            credentials, _ = await self._assume(self._base, partition, parameters)
            return credentials

        return self._hubs.setdefault((arn, partition), self._identity(obtain))

    async def _assume(
        self, source: Identity, partition: str, parameters: dict[str, Any]
    ) -> tuple[Credentials, str]:
        try:
            answer = await self.ask(source, "sts", self._regions.home(partition), ASSUME, **parameters)
        except CallFailed as failure:
            # What broke on the way to the credentials of the source tells its own operation.
            message = failure.facts.message
            if failure.facts.operation is None and failure.facts.kind is FailureKind.ACCESS_DENIED:
                tags = f"; {TAGS_REMEDY}" if "Tags" in parameters else ""
                message = f"{message.partition('; allow the action')[0]}; {TRUST_REMEDY}{tags}"
            external_id = parameters.get("ExternalId", "")
            if len(external_id) >= SHORTEST_SECRET:
                message = message.replace(external_id, HIDDEN)
            raise failure.but(operation=failure.facts.operation or ASSUME, message=message) from None
        found = answer.body.get("Credentials") or {}
        expires_at = found.get("Expiration")
        try:
            credentials = Credentials(
                None,
                found["AccessKeyId"],
                found["SecretAccessKey"],
                found["SessionToken"],
                expires_at if isinstance(expires_at, datetime) else None,
            )
            return credentials, str(answer.body["AssumedRoleUser"]["Arn"])
        except KeyError as error:
            broken = InvalidResponse.because(f"the answer of AssumeRole lacks {error}", whole=True)
            raise broken.but(operation=ASSUME) from None

    async def _sts(self, credentials: Credentials, partition: str, operation: str) -> Answer:
        try:
            return await self._clients.call("sts", self._regions.home(partition), operation, credentials)
        except CallFailed as failure:
            raise failure.but(operation=operation) from None

    def _partition(self, account: AccountSettings | None) -> str:
        return self._regions.partition(self._config, account)


def _belonging(found: Credentials, account_id: str, account: AccountSettings | None) -> Credentials:
    if len(account_id) != 12 or not (account_id.isascii() and account_id.isdigit()):
        raise InvalidResponse.because(f"the answer names no account: {account_id[:50]!r}", whole=True)
    if account and account.id != account_id:
        raise CallFailed.of(
            FailureKind.WRONG_ACCOUNT,
            f"the credentials belong to account {account_id}, not to {account.id}; mend its role or profile",
            operation=WHOAMI,
        )
    return Credentials(account_id, found.access_key, found.secret_key, found.token, found.expires_at)
