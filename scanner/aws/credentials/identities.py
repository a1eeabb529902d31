"""Who we are in each account: profiles, roles and chains of them, each obtained in steps of one call."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from scanner.aws.clients import Answer, Clients
from scanner.aws.codes import EXPIRED, UNRECOGNIZED
from scanner.aws.credentials.credentials import SENDABLE, SHORTEST_SECRET, Credentials, Identity
from scanner.aws.credentials.sessions import Sessions
from scanner.aws.regions import Regions
from scanner.config.settings import AccountSettings, ScannerConfig
from scanner.iam.permissions import base_statements, compact, session_policy
from scanner.inventory.arns import owner_of, role_arn
from scanner.inventory.records import FailureKind, ListVolumes
from scanner.service.errors import CallFailed, InvalidResponse
from scanner.service.protocol import SignIn
from scanner.service.secrets import HIDDEN

CHAIN, ASSUME, WHOAMI = "GetCredentials", "AssumeRole", "GetCallerIdentity"
SESSION_NAME = "sgw-scanner"
SIGN_IN_REMEDIES = {
    **dict.fromkeys(
        UNRECOGNIZED,
        "the keys are not known: they may be deleted or exchanged; make new keys, or sign in again",
    ),
    "PackedPolicyTooLarge": (
        "the session's policy and its tags share one limit: shorten credentials.session_tags, or remove some"
    ),
    "RegionDisabledException": (
        "the STS of this Region is switched off for the account: switch it on in IAM's account settings, or set"
        " another Region as the default"
    ),
}
"""What helps against refusals of STS, by their code."""
WRONG_ACCOUNT_REMEDY = "name the role or profile that leads into the account that is configured"


class _Of(NamedTuple):
    """Which identity a step signs in; equal for all accounts that share it."""

    kind: str
    """`chain`: what the SDK finds for a profile; `caller`: the same, of a known account; `hub`; `role`."""
    profile: str | None = None
    hub: str | None = None
    partition: str = ""
    account: AccountSettings | None = None
    """Only what decides who one is in it."""


class Identities:
    """The identities of one Scanner. No method sends more than one call."""

    def __init__(self, config: ScannerConfig, sessions: Sessions, clients: Clients, regions: Regions) -> None:
        self._config = config
        self._sessions = sessions
        self._clients = clients
        self._regions = regions
        self._held: dict[_Of, Identity] = {}
        self._by_account: dict[str, _Of] = {}

    def steps(self, account: AccountSettings | None) -> tuple[SignIn, ...]:
        """The steps into `account` (None: the base identity's own), each resting on those before."""
        partition = self._partition(account)
        profile = self._sessions.own(account.profile if account else None)
        chain = SignIn(CHAIN, _Of("chain", profile), None, account)
        limiter = "STS", partition
        # What else is said of an account, such as its name, may change and makes nobody else of it.
        account_key = account and account.model_copy(update={"name": None, "regions": None, "rpo": None})
        if account is None or account.role is None:
            caller = _Of("caller", profile, partition=partition, account=account_key)
            return chain, SignIn(WHOAMI, caller, limiter, account)
        role = SignIn(ASSUME, _Of("role", None, account.via, partition, account_key), limiter, account)
        if account.via:
            return chain, SignIn(ASSUME, _Of("hub", None, account.via, partition), limiter, account), role
        return chain, role

    def base_steps(self) -> tuple[SignIn, ...]:
        """The one step to the base identity itself, which asks the organization."""
        return (SignIn(CHAIN, _Of("chain"), None, None),)

    def signed_in(self, step: SignIn) -> bool:
        """Whether the credentials of a step are good for the next minutes, and still rest on those below."""
        of = step.identity
        assert isinstance(of, _Of)
        held = self._identity(of)
        if not held.fresh(self._now(of)):
            return False
        # Another account may stand behind credentials that were exchanged: they are checked at every change.
        return of.kind != "caller" or bool(held.current and held.current.same_as(self._below(of).current))

    def account_of(self, step: SignIn) -> str:
        """The id of the account that the last step, signed in, leads into."""
        of = step.identity
        assert isinstance(of, _Of)
        current = self._identity(of).current
        assert current is not None
        assert current.account_id is not None
        return current.account_id

    async def sign_in(self, step: SignIn) -> None:
        """Does one step; raises CallFailed."""
        of = step.identity
        assert isinstance(of, _Of)
        held = self._identity(of)
        async with held.lock:
            if self.signed_in(step):
                return
            held.check()
            try:
                credentials = await self._obtain(of)
            except CallFailed as failure:
                remedy = failure.facts.remedy
                if of.kind != "chain":
                    remedy = SIGN_IN_REMEDIES.get(failure.facts.code or "", remedy)
                named = failure.but(operation=failure.facts.operation or step.operation, remedy=remedy)
                held.fail(named)
                raise named from None
            held.take(credentials, self._now(of))
        if credentials.account_id and of.kind in ("caller", "role"):
            self._by_account[credentials.account_id] = of

    def partition_of(self, account_id: str) -> str:
        """The partition of an account that has been signed in to."""
        return self._by_account[account_id].partition

    async def ask(
        self, account_id: str | None, service: str, region: str, operation: str, **parameters: Any
    ) -> Answer:
        """One call in an account that has been signed in to (None: as the base identity)."""
        of = self._by_account[account_id] if account_id else _Of("chain")
        credentials = self.credentials(account_id)
        return await self._call(of, credentials, service, region, operation, parameters)

    def credentials(self, account_id: str | None) -> Credentials:
        """What signs for an account; raises CallFailed, with nothing sent, where there is nothing to sign with."""
        of = self._by_account[account_id] if account_id else _Of("chain")
        found = self._identity(of).current
        if found is None:
            raise CallFailed.of(
                FailureKind.CREDENTIALS, "the credentials were given up meanwhile", sent=False, repeat=True
            )
        if account_id and found.account_id != account_id:
            raise _wrong_account(found.account_id, account_id)
        return found

    def refuse(self, account_id: str | None, credentials: Credentials, failure: CallFailed) -> CallFailed:
        """What becomes of `failure` once credentials that have ended or were exchanged are given up."""
        return self._given_up(
            self._by_account[account_id] if account_id else _Of("chain"), credentials, failure
        )

    async def _obtain(self, of: _Of) -> Credentials:
        if of.kind == "chain":
            return await self._sessions.obtain(of.profile)
        if of.kind == "caller":
            return await self._checked(of)
        return await self._assumed(of)

    async def _checked(self, of: _Of) -> Credentials:
        below = self._needed(of)
        region = self._regions.sts(of.partition, of.profile)
        answer = await self._call(self._chain_of(of), below, "sts", region, WHOAMI, {})
        return _belonging(below, str(answer.body.get("Account", "")), of.account)

    async def _assumed(self, of: _Of) -> Credentials:
        below, below_of = self._needed(of), self._below_of(of)
        parameters = self._hub_parameters(of) if of.kind == "hub" else self._role_parameters(of)
        external_id = parameters.get("ExternalId", "")
        try:
            region = self._regions.sts(of.partition, None)
            answer = await self._call(below_of, below, "sts", region, ASSUME, parameters)
        except CallFailed as failure:
            message = failure.facts.message
            if len(external_id) >= SHORTEST_SECRET:
                message = message.replace(external_id, HIDDEN)
            raise failure.but(message=message) from None
        credentials, arn = answer.read(_session)
        if of.kind == "hub":
            return credentials
        return _belonging(credentials, (owner_of(arn) or ("", ""))[1], of.account)

    def _role_parameters(self, of: _Of) -> dict[str, Any]:
        account = of.account
        assert account is not None
        parameters: dict[str, Any] = {
            "RoleArn": account.role_arn_in(of.partition),
            "RoleSessionName": account.session_name,
            "Policy": session_policy(
                self._config.scan.details,
                partition=of.partition,
                list_volumes=self._config.scan.list_volumes is not ListVolumes.NEVER,
            ),
        }
        if account.external_id:
            parameters["ExternalId"] = account.external_id
        if self._config.credentials.session_tags:
            tags = self._config.credentials.session_tags
            parameters["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        return parameters

    def _hub_parameters(self, of: _Of) -> dict[str, Any]:
        tagged = bool(self._config.credentials.session_tags)
        roles = role_arn(of.partition, "*", "*")
        statements = base_statements(roles, partition=of.partition, session_tags=tagged)
        return {"RoleArn": of.hub, "RoleSessionName": SESSION_NAME, "Policy": compact(statements)}

    async def _call(
        self,
        of: _Of,
        credentials: Credentials,
        service: str,
        region: str,
        operation: str,
        parameters: dict[str, Any],
    ) -> Answer:
        try:
            return await self._clients.call(service, region, operation, credentials, **parameters)
        except CallFailed as failure:
            raise self._given_up(of, credentials, failure) from None

    def _given_up(self, of: _Of, credentials: Credentials, failure: CallFailed) -> CallFailed:
        code = failure.facts.code
        chain = self._identity(self._chain_of(of))
        if code in EXPIRED:
            self._identity(of).reject(credentials)
            chain.reject(credentials)
            return failure.but(repeat=True)
        # Keys of a role are never exchanged; those of a file, a process or the environment may be at any time.
        if code in UNRECOGNIZED and of.kind in ("chain", "caller") and chain.doubt(credentials):
            return failure.but(repeat=True)
        return failure

    def _identity(self, of: _Of) -> Identity:
        return self._held.setdefault(of, Identity())

    def _chain_of(self, of: _Of) -> _Of:
        return _Of("chain", of.profile)

    def _below_of(self, of: _Of) -> _Of:
        if of.kind == "role" and of.hub:
            return _Of("hub", None, of.hub, of.partition)
        return self._chain_of(of)

    def _below(self, of: _Of) -> Identity:
        return self._identity(self._below_of(of))

    def _needed(self, of: _Of) -> Credentials:
        below = self._below(of).current
        if below is None:
            raise CallFailed.of(
                FailureKind.CREDENTIALS, "the credentials were given up meanwhile", sent=False, repeat=True
            )
        return below

    def _now(self, of: _Of) -> datetime:
        """The time by the clock of the STS that makes the credentials: that decides when they end."""
        partition = of.partition or self._partition(None)
        return self._clients.clocks.now(("sts", self._regions.sts(partition, of.profile)))

    def _partition(self, account: AccountSettings | None) -> str:
        return self._regions.partition(self._config, account)


def _session(body: Any) -> tuple[Credentials, str]:
    """The credentials in an answer of AssumeRole, and the ARN of the session."""
    found, arn = body["Credentials"], body["AssumedRoleUser"]["Arn"]
    keys = [found.get(name) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
    if not all(isinstance(key, str) and SENDABLE.fullmatch(key) for key in (*keys, arn)):
        raise InvalidResponse.because("the answer of AssumeRole lacks credentials", whole=True)
    access_key, secret_key, token = keys
    return Credentials(None, access_key, secret_key, token, _moment(found.get("Expiration"))), arn


def _moment(value: Any) -> datetime | None:
    """A time of the SDK's, which may lack its zone: UTC then."""
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _belonging(found: Credentials, account_id: str, account: AccountSettings | None) -> Credentials:
    if len(account_id) != 12 or not (account_id.isascii() and account_id.isdigit()):
        raise InvalidResponse.because(f"the answer names no account: {account_id[:50]!r}", whole=True)
    if account and account.id != account_id:
        raise _wrong_account(account_id, account.id)
    return replace(found, account_id=account_id)


def _wrong_account(found: str | None, wanted: str) -> CallFailed:
    return CallFailed.of(
        FailureKind.WRONG_ACCOUNT,
        f"the credentials belong to account {found or 'nobody knows which'}, not to {wanted}",
        operation=WHOAMI,
        remedy=WRONG_ACCOUNT_REMEDY,
        sent=False,
    )
