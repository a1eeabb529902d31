"""What a scan is asked: the settings, their defaults, and what each may hold."""

import re
import typing
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails

from scanner.config.load import Origins, load
from scanner.config.shards import in_shard
from scanner.errors import Remedy
from scanner.inventory.arns import ROLE_ARN, ROLE_NAME, role_arn
from scanner.inventory.records import ANY_REGION, ListVolumes, Shard
from scanner.policy.durations import Duration
from scanner.policy.rules import Policy


def _role_arn(via: str) -> str:
    if not ROLE_ARN.fullmatch(via):
        raise ValueError(f"{via!r} is no role ARN; write arn:aws:iam::ACCOUNT:role/NAME")
    return via


PositiveInt = Annotated[int, Field(strict=True, ge=1)]
AccountIdSetting = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
SessionName = Annotated[str, Field(min_length=2, max_length=64, pattern=r"^[A-Za-z0-9_+=,.@-]+$")]
ExternalId = Annotated[str, Field(min_length=2, max_length=1224, pattern=r"^[A-Za-z0-9_+=,.@:/-]+$")]
RegionName = Annotated[str, Field(pattern=r"^[a-z]{2,}(-[a-z]+)+-[0-9]+$")]
RoleArn = Annotated[str, AfterValidator(_role_arn)]
Regions = Annotated[tuple[RegionName, ...], Field(min_length=1)]
Detail = Literal["gateway", "volumes", "tags"]
Unit = Annotated[str, Field(pattern=r"^ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}$")]
UnitOrRoot = Annotated[str, Field(pattern=r"^(ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|r-[0-9a-z]{4,32})$")]
ACCOUNT_REMEDY = Remedy("an account id is a string of 12 digits")
REGIONS_REMEDY = Remedy('write "enabled" or a list of Region names such as ["us-east-1"]')
PROFILE_REMEDY = Remedy("write the name of a profile in ~/.aws/config, or leave it out")
EXTERNAL_ID_REMEDY = Remedy("2 to 1224 letters, digits or any of _+=,.@:/-")
SESSION_NAME_REMEDY = Remedy("2 to 64 letters, digits or any of _+=,.@-")


class Settings(BaseModel):
    # Without its input, for that may be an external id.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ScanSettings(Settings):
    """`[scan]`: where to look, and how hard."""

    regions: Annotated[Literal["enabled"] | Regions, REGIONS_REMEDY] = "enabled"
    max_concurrency: PositiveInt = 64
    max_concurrency_per_target: PositiveInt = 8
    deadline: Duration | None = None
    call_timeout: Duration = timedelta(seconds=30)
    connect_timeout: Duration = timedelta(seconds=5)
    exclude_regions: Annotated[tuple[RegionName, ...], Remedy('write Region names such as "us-east-1"')] = ()
    list_volumes: Annotated[ListVolumes, Remedy('choose "with_gateways", "always" or "never"')] = (
        ListVolumes.WITH_GATEWAYS
    )
    details: Annotated[tuple[Detail, ...], Remedy('choose from "gateway", "volumes", "tags"')] = ()
    shard_by: Annotated[Literal["account", "target"], Remedy('choose "account" or "target"')] = "account"


class RetrySettings(Settings):
    """`[retry]`: how often a call is tried, and the bounds of its jittered, doubling delay."""

    max_attempts: PositiveInt = 8
    base_delay: Duration = timedelta(milliseconds=100)
    max_delay: Duration = timedelta(seconds=20)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.base_delay > self.max_delay:
            raise ValueError("base_delay is longer than max_delay; make max_delay the longer one")
        return self


ProfileName = Annotated[str, Field(min_length=1)]
TagKey = Annotated[str, Field(min_length=1, max_length=128)]
TagValue = Annotated[str, Field(max_length=256)]


class CredentialSettings(Settings):
    """`[credentials]`: the base identity; without a profile, or with an empty one, the SDK's own chain."""

    profile: Annotated[str | None, AfterValidator(lambda profile: profile or None), PROFILE_REMEDY] = None
    session_tags: Annotated[dict[TagKey, TagValue], Field(max_length=50)] = {}


class AccountSettings(Settings):
    """One `[[accounts]]` entry: an account, and how to be let in."""

    id: Annotated[AccountIdSetting, ACCOUNT_REMEDY]
    name: Annotated[str, Field(max_length=1000)] | None = None
    role: str | None = None
    external_id: Annotated[ExternalId | None, Field(repr=False), EXTERNAL_ID_REMEDY] = None
    session_name: Annotated[SessionName, SESSION_NAME_REMEDY] = "sgw-scanner"
    via: RoleArn | None = None
    profile: Annotated[ProfileName | None, PROFILE_REMEDY] = None
    regions: Annotated[Literal["enabled"] | Regions | None, REGIONS_REMEDY] = None
    rpo: Duration | None = None

    @field_validator("role")
    @classmethod
    def _role(cls, role: str | None) -> str | None:
        if role is not None and not (ROLE_ARN.fullmatch(role) or ROLE_NAME.fullmatch(role)):
            raise ValueError(
                f"{role!r} is neither a role name nor a role ARN (arn:aws:iam::ACCOUNT:role/NAME)"
            )
        return role

    @model_validator(mode="after")
    def _no_clash(self) -> Self:
        if self.role and self.profile:
            raise ValueError("role and profile clash; keep the one that leads into the account")
        for key in ("external_id", "via"):
            if getattr(self, key) and not self.role:
                raise ValueError(f"{key} needs a role to be assumed; add role, or remove {key}")
        arn = ROLE_ARN.fullmatch(self.role or "")
        if arn and arn["account"] != self.id:
            raise ValueError(
                f"role is of account {arn['account']}, but id is {self.id}; mend the one that is wrong"
            )
        return self

    @property
    def named_partition(self) -> str | None:
        """The partition that the role's or `via`'s ARN names."""
        for arn in (self.role, self.via):
            match = ROLE_ARN.fullmatch(arn or "")
            if match:
                return match["partition"]
        return None

    def role_arn_in(self, partition: str) -> str | None:
        """The role's ARN; a bare name is a role of this account."""
        if self.role is None or self.role.startswith("arn:"):
            return self.role
        return role_arn(partition, self.id, self.role)


class OrganizationSettings(Settings):
    """`[organization]`: accounts discovered through AWS Organizations, and the role to assume in each."""

    role: Annotated[
        str,
        Field(max_length=512, pattern=r"^[A-Za-z0-9_+=,.@-]+(?:/[A-Za-z0-9_+=,.@-]+)*$"),
        Remedy("write the role's name, such as sgw-scanner; it is the same in every account"),
    ]
    external_id: Annotated[ExternalId | None, Field(repr=False), EXTERNAL_ID_REMEDY] = None
    session_name: Annotated[SessionName, SESSION_NAME_REMEDY] = "sgw-scanner"
    via: RoleArn | None = None
    include_ous: Annotated[
        tuple[UnitOrRoot, ...], Remedy("write ids of units or roots, such as ou-ab12-11111111")
    ] = ()
    exclude_ous: Annotated[tuple[Unit, ...], Remedy("write ids of units, such as ou-ab12-11111111")] = ()
    exclude_accounts: Annotated[tuple[AccountIdSetting, ...], ACCOUNT_REMEDY] = ()
    include_management_account: bool = True


class OutputSettings(Settings):
    """`[output]`: files that each scan writes, as `-o` does."""

    files: Annotated[tuple[str, ...], Remedy('write a list of places, such as ["inventory.json"]')] = ()
    fleet: str | None = None
    encryption: Literal["AES256", "aws:kms", "aws:kms:dsse"] | None = None
    kms_key: str | None = None

    @model_validator(mode="after")
    def _key_fits(self) -> Self:
        if self.kms_key and self.encryption == "AES256":
            raise ValueError("AES256 takes no kms_key; use aws:kms, or remove kms_key")
        return self


_BUCKET = re.compile(
    r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>[\w!*'().=/-]*))?", re.ASCII
)


class HistorySettings(Settings):
    """`[history]`: where scans are kept, a folder or `s3://bucket/prefix`, and for how long `prune` keeps them.

    `keep` is counted back from the newest scan; the newest scan that read a target always stays.
    """

    path: str | None = None
    keep: Duration = timedelta(days=400)

    @field_validator("path")
    @classmethod
    def _path(cls, path: str | None) -> str | None:
        if not path:
            return None
        if path.startswith("s3:") and not _BUCKET.fullmatch(path):
            raise ValueError(f"{path!r} names no bucket; write s3://bucket/prefix")
        if "://" in path and not path.startswith("s3:"):
            raise ValueError(f"{path!r} is no place for a history; write a folder, or s3://bucket/prefix")
        return path

    @property
    def bucket(self) -> tuple[str, str] | None:
        """The bucket and the prefix, without slashes around it; None for a folder."""
        found = _BUCKET.fullmatch(self.path or "")
        return (found["bucket"], (found["prefix"] or "").strip("/")) if found else None


AlertName = Literal[
    "breach", "no_recovery_point", "backwards", "vanished", "left_scope", "coverage_lost", "scan_failed"
]
EVERY_ALERT: tuple[AlertName, ...] = typing.get_args(AlertName)


class NotifySettings(Settings):
    """`[notify]`: who is told what changed, and who hears that scans still run.

    `${NAME}` in an address or a secret is read from the environment. With a secret, a webhook's body is signed.
    """

    urls: Annotated[tuple[str, ...], Field(repr=False)] = ()
    secret: Annotated[str | None, Field(repr=False)] = None
    on: tuple[AlertName, ...] = EVERY_ALERT
    repeat: Duration = timedelta(hours=24)
    confirm: PositiveInt = 2
    timeout: Duration = timedelta(seconds=10)
    ping_url: Annotated[str | None, Field(repr=False)] = None
    ping_status: Literal["exit", "scan"] = "exit"


class TelemetrySettings(Settings):
    """`[telemetry]`: what OpenTelemetry is given, where the process has set it up."""

    gateways: bool = False


class LockSettings(Settings):
    """`[lock]`: one scan at a time; without a path in the user's runtime folder, "" for no lock."""

    path: str | None = None


@dataclass(frozen=True)
class Selection:
    """The accounts and Regions to scan, of all that are configured; none named means all of them.

    `left_out` are the configured accounts that have none of the Regions named; `select` fills it in. `shard` is the
    part of the fleet that is scanned here.
    """

    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    left_out: frozenset[str] = frozenset()
    shard: Shard | None = None


SECRET_KEYS = frozenset({"external_id", "secret", "urls", "ping_url"})
"""Settings whose values no error repeats."""


def _without_secret(problem: ErrorDetails) -> InitErrorDetails:
    value = problem["input"]
    plain = isinstance(value, str | int | float | bool) and SECRET_KEYS.isdisjoint(problem["loc"])
    return InitErrorDetails(
        type=problem["type"], loc=problem["loc"], input=value if plain else None, ctx=problem.get("ctx", {})
    )


class ScannerConfig(Settings):
    """All that a scan is asked. Build it in code, or `load` it from TOML."""

    scan: ScanSettings = ScanSettings()
    retry: RetrySettings = RetrySettings()
    credentials: CredentialSettings = CredentialSettings()
    accounts: Annotated[
        tuple[AccountSettings, ...],
        Remedy("write each account as a table of its own, under [[accounts]]"),
    ] = ()
    organization: OrganizationSettings | None = None
    policy: Policy = Policy()
    output: OutputSettings = OutputSettings()
    history: HistorySettings = HistorySettings()
    notify: NotifySettings = NotifySettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    lock: LockSettings = LockSettings()
    _selection: Selection = PrivateAttr(default=Selection())
    _origins: Origins = PrivateAttr(default_factory=Origins)

    @property
    def fleet(self) -> str:
        """What the fleet is called: `output.fleet`, else after the configuration's file."""
        if self.output.fleet:
            return self.output.fleet
        try:
            file = Path(self._origins.file or "scanner.toml").absolute()
        except OSError:
            # The working folder is gone.
            return "fleet"
        return (file.parent.name if file.name == "scanner.toml" else file.stem) or "fleet"

    @property
    def file(self) -> str | None:
        """The file that it was loaded from."""
        return self._origins.file

    @property
    def selection(self) -> Selection:
        """Which of its accounts and Regions are to be scanned."""
        return self._selection

    def selecting(self, selection: Selection, origins: Mapping[str, str], **changes: Any) -> Self:
        """A copy with these `changes` and this selection; `origins` tells what has set which key."""
        copy = self.model_copy(update=changes)
        copy._selection = selection
        copy._origins = Origins(self._origins.file, {**self._origins.set_by, **origins})
        return copy

    def origin_of(self, key: str) -> str:
        """Where `key` was set, as an error names it: the file, variable or flag, and the key."""
        return self._origins.origin_of(key)

    @property
    def policy_source(self) -> str | None:
        """Where the policy was set: the file, and the variables and flags that override it; None for nowhere."""
        others = [by for key, by in self._origins.set_by.items() if key.partition(".")[0] == "policy"]
        return ", ".join(filter(None, (self._origins.file, *others))) or None

    @model_validator(mode="wrap")
    @classmethod
    def _without_secrets(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        # `errors()` repeats what was given, and for a missing key the whole table around it.
        try:
            return handler(values)
        except ValidationError as error:
            raise ValidationError.from_exception_data(
                cls.__name__, [_without_secret(problem) for problem in error.errors()], hide_input=True
            ) from None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        twice = [id for id, count in Counter(account.id for account in self.accounts).items() if count > 1]
        if twice:
            raise ValueError(f"account {twice[0]} stands twice in accounts; keep one entry")
        if self.policy.matching_tags and "tags" not in self.scan.details:
            raise ValueError(f'{self.policy.matching_tags} matches tags; add "tags" to scan.details')
        if self.notify.urls and not self.history.path:
            raise ValueError("notify.urls need a history, to tell what is new; set history.path")
        return self

    @classmethod
    def load(
        cls,
        path: str | PathLike[str] | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        flags: Mapping[str, Any] | None = None,
    ) -> Self:
        """The configuration from a TOML file, overridden by environment variables, then by `flags`.

        Without `path` the file is `$SGW_SCANNER_CONFIG`, else `./scanner.toml`, else none. `flags` are
        values by dotted key, such as `{"scan.deadline": "10m"}`. Raises `ConfigError`, which names the
        place of each mistake and its remedy.
        """
        config, config_origins = load(cls, path, environ, flags)
        config._origins = config_origins
        return config

    def holds(self, account_id: str, region: str | None = None) -> bool:
        """Whether an account, or one of its Regions, is of the shard that is scanned here.

        Where targets are cut, every shard enters every account.
        """
        shard = self.selection.shard
        if shard is None:
            return True
        if self.scan.shard_by == "account":
            return in_shard(shard, account_id)
        return region in (None, ANY_REGION) or in_shard(shard, f"{account_id} {region}")

    @property
    def asks_for_regions(self) -> bool:
        """Whether any account is asked which Regions it has enabled."""
        return any(self.regions_of(account) == "enabled" for account in self.planned)

    @property
    def planned(self) -> tuple[AccountSettings | None, ...]:
        """The accounts that it names, and None for those that it does not: the own one, or an organization's."""
        return (*self.accounts, *((None,) if self.organization or not self.accounts else ()))

    @property
    def roles(self) -> tuple[str, ...]:
        """The names or ARNs of the roles that the base identity assumes, each once."""
        chained = [(account.via or account.role) for account in self.accounts]
        named = [*chained, self.organization.role if self.organization else None]
        return tuple(dict.fromkeys(role for role in named if role))

    def regions_of(self, account: AccountSettings | None) -> Literal["enabled"] | tuple[str, ...]:
        """The Regions to plan in `account`: its own, else the scan's."""
        return (account.regions if account else None) or self.scan.regions
