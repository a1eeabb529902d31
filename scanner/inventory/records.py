"""The parts of an inventory: one record for each target, gateway, volume and failure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

SCHEMA_VERSION = "1"
MAX_SIZE = 2**63 - 1
ANY_ACCOUNT = "*"
"""Stands for the accounts where not even those are known."""
ANY_REGION = "*"
"""Stands for the Regions of an account where not even those are known."""


def rfc3339(moment: datetime) -> str:
    """`moment` in UTC with `Z`, in milliseconds, or microseconds where it has some."""
    whole = moment.microsecond % 1000 == 0
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds" if whole else "microseconds")
    return text.removesuffix("+00:00") + "Z"


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is no time that a calendar has in UTC") from None


Time = Annotated[
    AwareDatetime,
    AfterValidator(_utc),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
AccountId = Annotated[str, Field(pattern=r"^([0-9]{12}|\*)$")]
Count = Annotated[int, Field(ge=0, le=MAX_SIZE)]
MOST_SECONDS = 1e12
"""More than any calendar holds."""
Age = Annotated[float, Field(allow_inf_nan=False, ge=-MOST_SECONDS, le=MOST_SECONDS)]
Seconds = Annotated[float, Field(allow_inf_nan=False, ge=0, le=MOST_SECONDS)]
Size = Annotated[int, Field(ge=0, le=MAX_SIZE, strict=True)]


class Outcome(StrEnum):
    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"


class ListVolumes(StrEnum):
    """Which targets are asked for their volumes, whether or not a recovery point exists."""

    WITH_GATEWAYS = "with_gateways"
    ALWAYS = "always"
    NEVER = "never"


class TargetStatus(StrEnum):
    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"
    SKIPPED = "skipped"


class SkipReason(StrEnum):
    EXCLUDED = "excluded"
    NOT_ENABLED = "not_enabled"
    NOT_OFFERED = "not_offered"


class GatewayStatus(StrEnum):
    SCANNED = "scanned"
    NOT_APPLICABLE = "not_applicable"
    FAILED = "failed"
    VANISHED = "vanished"


class VerdictStatus(StrEnum):
    OK = "ok"
    AT_RISK = "at_risk"
    BREACH = "breach"
    NO_RECOVERY_POINT = "no_recovery_point"
    UNRATED = "unrated"
    UNKNOWN = "unknown"


IN_DANGER = (VerdictStatus.BREACH, VerdictStatus.NO_RECOVERY_POINT)
"""Verdicts of volumes that need action, unless a waiver excuses them."""


class FailureScope(StrEnum):
    ACCOUNT = "account"
    TARGET = "target"
    GATEWAY = "gateway"


class FailureKind(StrEnum):
    THROTTLED = "throttled"
    TIMEOUT = "timeout"
    NETWORK = "network"
    SERVER_ERROR = "server_error"
    ACCESS_DENIED = "access_denied"
    CREDENTIALS = "credentials"
    WRONG_ACCOUNT = "wrong_account"
    GATEWAY_UNREACHABLE = "gateway_unreachable"
    INVALID_REQUEST = "invalid_request"
    INVALID_RESPONSE = "invalid_response"
    DEADLINE = "deadline"
    INTERRUPTED = "interrupted"


_set = object.__setattr__


def _is_none(value: Any) -> bool:
    return value is None


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", use_enum_values=False)

    _names: ClassVar[set[str]]

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        cls._names = set(cls.model_fields)

    def model_post_init(self, context: Any) -> None:
        # Which fields were given is of no interest, but a set of their names for each record would be a third
        # of an inventory's memory: all records of a kind share one.
        _set(self, "__pydantic_fields_set__", self._names)


def as_json(record: Record) -> bytes:
    """One record as JSON on one line."""
    # The serializer of the class yields bytes; model_dump_json would decode them and we encode them again.
    return record.__pydantic_serializer__.to_json(record)


class Shard(Record):
    """Which part of a fleet a scan read: part `index`, counted from 1, of `count`."""

    index: Annotated[int, Field(ge=1)]
    count: Annotated[int, Field(ge=1)]


class AskedRule(Record):
    """A rule of the policy: an RPO for the volumes that match."""

    name: str
    rpo_seconds: Seconds


class AskedWaiver(Record):
    """A waiver of the policy: what it excuses (`breach`, `unreachable`), why, and up to which day."""

    reason: str
    until: date
    excuses: tuple[str, ...] = ()


class Asked(Record):
    """What a scan was asked for: the accounts and Regions it was narrowed to, and by which policy it judged.

    No `accounts` and no `regions`: all of the configuration. `source` tells where the policy was set.
    """

    source: str | None = None
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    rpo_seconds: Seconds | None = None
    warn_at: float | None = None
    rules: tuple[AskedRule, ...] = ()
    waivers: tuple[AskedWaiver, ...] = ()

    @classmethod
    def of_parts(cls, parts: "Sequence[Asked | None]") -> "Asked | None":
        """What several scans were asked for together; None where their policies are not one."""
        known = [each for each in parts if each is not None]
        bare = [each.model_copy(update={"accounts": (), "regions": ()}) for each in known]
        if len(known) < len(parts) or any(each != bare[0] for each in bare):
            return None
        wanted: dict[str, tuple[str, ...]] = {}
        for name in ("accounts", "regions"):
            narrowed = [set(getattr(each, name)) for each in known]
            wanted[name] = tuple(sorted(set().union(*narrowed))) if all(narrowed) else ()
        return bare[0].model_copy(update=wanted)


class ScanInfo(Record):
    """Which scan this was, what it asked for, when, and how it ended.

    `missing_shards` names the parts of a fleet that a merge was not given.
    """

    id: str
    started_at: Time
    finished_at: Time
    outcome: Outcome
    deadline_reached: bool = False
    interrupted: bool = False
    scanner_version: str
    details: tuple[str, ...] = ()
    list_volumes: ListVolumes = ListVolumes.WITH_GATEWAYS
    shard: Shard | None = None
    missing_shards: tuple[int, ...] = ()
    asked: Asked | None = None


class TargetCounts(Record):
    planned: Count = 0
    complete: Count = 0
    partial: Count = 0
    failed: Count = 0
    skipped: Count = 0


class GatewayCounts(Record):
    listed: Count = 0
    scanned: Count = 0
    not_applicable: Count = 0
    failed: Count = 0
    vanished: Count = 0


class VolumeCounts(Record):
    """Volumes by verdict; `known` is their sum.

    `waived` counts those in breach or without a recovery point that a waiver excuses, `need_action` the others.
    """

    known: Count = 0
    ok: Count = 0
    at_risk: Count = 0
    breach: Count = 0
    no_recovery_point: Count = 0
    unrated: Count = 0
    unknown: Count = 0
    waived: Count = 0
    need_action: Count = 0

    @classmethod
    def of(cls, verdicts: Mapping["VerdictStatus", int], waived: int) -> "VolumeCounts":
        """The counts of these verdicts, of which a waiver excuses `waived` that would need action."""
        in_danger = sum(verdicts.get(status, 0) for status in IN_DANGER)
        return cls(
            known=sum(verdicts.values()),
            **{status.value: verdicts.get(status, 0) for status in VerdictStatus},
            waived=waived,
            need_action=in_danger - waived,
        )


class CallCounts(Record):
    """Storage Gateway calls sent, those beyond a call's first try, and the answers that throttled."""

    attempted: Count = 0
    retried: Count = 0
    throttled: Count = 0


class Coverage(Record):
    """The books of a scan: what was planned and listed, and what became of each."""

    targets: TargetCounts
    gateways: GatewayCounts
    volumes: VolumeCounts
    calls: CallCounts


def coverage_of(
    targets: Mapping[TargetStatus, int],
    listed: int,
    gateways: Mapping[GatewayStatus, int],
    verdicts: Mapping[VerdictStatus, int],
    waived: int,
    calls: CallCounts,
) -> Coverage:
    """The coverage that follows from these counts; of the gateways `listed` some may have no record."""
    fates = {status.value: gateways.get(status, 0) for status in GatewayStatus}
    # A listed entry with a broken ARN counts as failed but cannot stand among the gateways.
    fates["failed"] += listed - sum(fates.values())
    return Coverage(
        targets=TargetCounts(
            planned=sum(targets.values()), **{status.value: targets.get(status, 0) for status in TargetStatus}
        ),
        gateways=GatewayCounts(listed=listed, **fates),
        volumes=VolumeCounts.of(verdicts, waived),
        calls=calls,
    )


class Target(Record):
    """One account in one Region; `gateways` counts those listed, `volumes` those known.

    `volumes_listed`: whether ListVolumes named all of its volumes; None where it was not asked.

    `ou_path` names the organizational units above the account, as in `Root/Workloads/Prod`, where it was
    discovered through its organization.
    """

    account_id: AccountId
    account_name: str | None = None
    ou_path: Annotated[str | None, Field(exclude_if=_is_none)] = None
    region: str
    status: TargetStatus
    reason: SkipReason | None = None
    gateways: Count = 0
    volumes: Count = 0
    volumes_listed: bool | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.account_id, self.region


class Gateway(Record):
    """What ListGateways said of a gateway, and whether its recovery points could be read."""

    arn: str
    id: str
    name: str | None = None
    account_id: AccountId
    region: str
    type: str | None = None
    operational_state: str | None = None
    host_environment: str | None = None
    ec2_instance_id: str | None = None
    software_version: str | None = None
    deprecation_date: str | None = None
    status: GatewayStatus
    observed_at: Time | None = None
    details: dict[str, Any] | None = None
    tags: dict[str, str] | None = None


class Verdict(Record):
    """How a volume stands against its RPO; age and RPO in seconds."""

    status: VerdictStatus
    age_seconds: Age | None = None
    rpo_seconds: Seconds | None = None
    rule: str | None = None
    waived: str | None = None


class Volume(Record):
    """A volume and its latest recovery point.

    `gateway_arn` is the gateway that answered for it, else the one that ListVolumes names; None where it is detached.
    """

    arn: str
    id: str
    gateway_arn: str | None
    account_id: AccountId
    region: str
    size_bytes: Size | None = None
    usage_bytes: Size | None = None
    recovery_point_time: Time | None = None
    attachment_status: str | None = None
    details: Annotated[dict[str, Any] | None, Field(exclude_if=_is_none)] = None
    tags: dict[str, str] | None = None
    verdict: Verdict


class LastKnown(Record):
    """The last recovery point ever seen of a volume that could not be read this time.

    Points only advance, so its age is at most `at_most_age_seconds`: `within_rpo` true is certain, false is not.
    `observed_at` and `scan_id` tell when, and by which scan, it was seen; `verdict` and `waived` what that scan made
    of it. A volume that had no point then has none here.
    """

    arn: str
    gateway_arn: str | None = None
    account_id: AccountId
    region: str
    recovery_point_time: Time | None
    observed_at: Time
    scan_id: str
    at_most_age_seconds: Age | None
    rpo_seconds: Seconds | None = None
    within_rpo: bool | None = None
    verdict: VerdictStatus | None = None
    waived: str | None = None


class Refused(Record):
    """Who was refused what: the principal's ARN, the IAM action and the resource, as far as AWS says."""

    principal: str | None = None
    action: str | None = None
    resource: str | None = None


class Failure(Record):
    """What could not be read, why, and after how many attempts (0: nothing was sent).

    `message` holds the service's own words, `remedy` what helps, `refused` the facts of a denied permission,
    `waived` the reason of a waiver that excuses an unreachable gateway.
    """

    scope: FailureScope
    account_id: AccountId
    region: str | None = None
    gateway_arn: str | None = None
    operation: str
    kind: FailureKind
    code: str | None = None
    message: str
    remedy: str | None = None
    refused: Refused | None = None
    waived: str | None = None
    attempts: Count = 0
    request_id: str | None = None

    @property
    def order(self) -> tuple[str, str, str, str]:
        return self.account_id, self.region or "", self.gateway_arn or "", self.operation


def is_breach(verdict: Verdict) -> bool:
    """Whether this volume alone makes the exit code 1."""
    return verdict.status in IN_DANGER and verdict.waived is None


def is_excused(verdict: Verdict) -> bool:
    """Whether this volume would need action if no waiver excused it."""
    return verdict.status in IN_DANGER and verdict.waived is not None


def outcome_of(targets: TargetCounts, missing_shards: Sequence[int] = ()) -> Outcome:
    """How a scan of these targets ended.

    `failed` when nothing of what was planned was read, `complete` when nothing that was asked failed, else `partial`.
    """
    read, unread = targets.complete + targets.partial, targets.failed + targets.skipped
    if unread and not read:
        return Outcome.FAILED
    return Outcome.PARTIAL if targets.partial + targets.failed or missing_shards else Outcome.COMPLETE
