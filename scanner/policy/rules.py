"""The settings of a policy: rules that give volumes an RPO, and waivers that excuse them for a while."""

from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import chain
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from scanner.errors import Remedy
from scanner.policy.durations import Duration

RESERVED = frozenset({"account", "default"})
"""What `verdict.rule` says when no rule matched, and so no rule may be called."""


def _date_only(value: Any) -> Any:
    # pydantic would read 20270131 as seconds since 1970: a waiver that expired long ago.
    if isinstance(value, str | date):
        return value
    raise ValueError(f"{value!r} is no date; write it like 2027-01-31, without quotes")


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


Text = Annotated[str, Field(max_length=1000), AfterValidator(_not_blank)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Match(_Part):
    """Conditions that must all hold; each holds when one of its globs matches. Case counts."""

    accounts: Annotated[tuple[Text, ...], Remedy('write a list of globs, such as ["prod*"]')] = ()
    regions: Annotated[tuple[Text, ...], Remedy('write a list of globs, such as ["us-*"]')] = ()
    gateways: Annotated[tuple[Text, ...], Remedy('write a list of globs, such as ["db-*"]')] = ()
    volumes: Annotated[tuple[Text, ...], Remedy('write a list of globs, such as ["vol-*"]')] = ()
    tags: Annotated[dict[Text, str], Remedy('write globs by tag, such as { tier = "1" }')] = {}

    @field_validator("*")
    @classmethod
    def _something(cls, globs: Any) -> Any:
        # A list left empty by mistake would otherwise widen a waiver to everything.
        if not globs:
            raise ValueError("an empty condition matches nothing; leave it out or give it a glob")
        return globs

    @model_validator(mode="after")
    def _not_everything(self) -> Self:
        if not (self.accounts or self.regions or self.gateways or self.volumes or self.tags):
            raise ValueError(
                "an empty match would match every volume; give accounts, regions, gateways, volumes or tags, "
                "or set policy.rpo instead"
            )
        return self

    @model_serializer(mode="wrap")
    def _only_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: globs for name, globs in handler(self).items() if globs}


class Rule(_Part):
    """An RPO for the volumes that match; the first matching rule decides."""

    name: Text
    rpo: Duration
    match: Annotated[Match, Remedy('write conditions, such as match = { gateways = ["db-*"] }')]

    @field_validator("name")
    @classmethod
    def _not_reserved(cls, name: str) -> str:
        if name in RESERVED:
            raise ValueError(f"{name!r} already names the RPO of an account or of the policy; choose another")
        return name


class Excuse(StrEnum):
    """What a waiver excuses: volumes in danger, or gateways that cannot be reached."""

    BREACH = "breach"
    UNREACHABLE = "unreachable"


class Waiver(_Part):
    """What is excused up to and including the day `until`, in UTC, and why."""

    match: Annotated[Match, Remedy('write conditions, such as match = { gateways = ["db-*"] }')]
    until: Annotated[date, BeforeValidator(_date_only)]
    reason: Text
    excuses: Annotated[
        tuple[Excuse, ...], Field(min_length=1), Remedy('choose from "breach", "unreachable"')
    ] = (Excuse.BREACH,)

    @model_validator(mode="after")
    def _matches_gateways(self) -> Self:
        if Excuse.UNREACHABLE in self.excuses and (self.match.volumes or self.match.tags):
            raise ValueError(
                'a waiver that excuses "unreachable" is of gateways; leave volumes and tags out of its match'
            )
        return self

    def holds(self, moment: datetime) -> bool:
        return moment.astimezone(UTC).date() <= self.until


class Policy(_Part):
    """Which RPO holds for which volume, and which volumes are excused for a while."""

    rpo: Duration | None = None
    warn_at: Annotated[float, Field(gt=0, le=1), Remedy("write a fraction of the RPO, such as 0.8")] = 0.8
    rules: Annotated[
        tuple[Rule, ...], Remedy("write each rule as a table of its own, under [[policy.rules]]")
    ] = ()
    waivers: Annotated[
        tuple[Waiver, ...], Remedy("write each waiver as a table of its own, under [[policy.waivers]]")
    ] = ()

    @field_validator("rules")
    @classmethod
    def _distinct(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        names = [rule.name for rule in rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two rules are named {twice[0]!r}; rename one, a verdict names its rule")
        return rules

    @property
    def matching_tags(self) -> str | None:
        """The first rule or waiver that matches tags, as an error names it."""
        rules = (f"policy.rules: the rule {rule.name!r}" for rule in self.rules if rule.match.tags)
        waivers = (f"policy.waivers[{n}]" for n, waiver in enumerate(self.waivers, 1) if waiver.match.tags)
        return next(chain(rules, waivers), None)

    def expired(self, moment: datetime) -> tuple[Waiver, ...]:
        return tuple(waiver for waiver in self.waivers if not waiver.holds(moment))
