"""Why a volume has the verdict it has: each rule, fallback and waiver, and whether it applied."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from scanner.inventory.arns import id_of
from scanner.inventory.records import Gateway, GatewayStatus, Verdict, Volume
from scanner.policy.durations import format_duration
from scanner.policy.rater import Rater, compiled, hit, known_of
from scanner.policy.rules import Excuse, Match, Policy


@dataclass(frozen=True)
class Step:
    """One rule, waiver or fallback, whether it applies to a volume, and why or why not."""

    kind: Literal["rule", "account", "default", "waiver"]
    name: str
    applies: bool
    why: str


def explain(
    policy: Policy,
    volume: Volume,
    gateway: Gateway | None,
    *,
    account_name: str | None = None,
    account_rpo: timedelta | None = None,
    observed_at: datetime | None = None,
) -> tuple[Step, ...]:
    """Every rule, fallback and waiver in the order they are tried; the first that applies decides.

    `gateway` is None for a volume that is detached, or whose gateway no listing named.
    """
    moment = observed_at or _observed_at(gateway)
    steps = []
    decided: str | None = None
    for rule in policy.rules:
        misses = _misses(rule.match, volume, gateway, account_name)
        if misses:
            steps.append(Step("rule", rule.name, False, "; ".join(misses)))
        elif decided:
            steps.append(Step("rule", rule.name, False, f"matches, but the rule {decided} comes first"))
        else:
            steps.append(Step("rule", rule.name, True, _holds(rule.rpo)))
            decided = rule.name
    fallbacks: tuple[tuple[Literal["account", "default"], timedelta | None, str], ...] = (
        ("account", account_rpo, "none is set for the account"),
        ("default", policy.rpo, "it is not set"),
    )
    for kind, rpo, missing in fallbacks:
        if rpo is None:
            steps.append(Step(kind, kind, False, missing))
        elif decided:
            steps.append(
                Step(
                    kind,
                    kind,
                    False,
                    "the account's rpo comes first"
                    if decided == "account"
                    else f"the rule {decided} comes first",
                )
            )
        else:
            steps.append(Step(kind, kind, True, f"no rule matches: RPO {format_duration(rpo)}"))
            decided = kind
    for waiver in policy.waivers:
        misses = _misses(waiver.match, volume, gateway, account_name)
        if not waiver.holds(moment):
            misses.append(f"expired on {waiver.until}")
        if Excuse.BREACH not in waiver.excuses:
            misses.append("excuses gateways that cannot be reached, and no breach")
        why = "; ".join(misses) or f"every condition holds until {waiver.until}"
        steps.append(Step("waiver", waiver.reason, not misses, why))
    return tuple(steps)


def rate(
    policy: Policy,
    volume: Volume,
    gateway: Gateway | None,
    *,
    account_name: str | None = None,
    account_rpo: timedelta | None = None,
) -> Verdict:
    """The verdict that `policy` gives to a volume that was read before, as it was read."""
    return Rater(policy).verdict(
        volume_arn=volume.arn,
        volume_id=volume.id,
        volume_tags=volume.tags,
        recovery_point_time=volume.recovery_point_time,
        gateway_arn=volume.gateway_arn,
        gateway_id=volume.gateway_arn and id_of(volume.gateway_arn),
        gateway_name=gateway.name if gateway else None,
        gateway_tags=gateway.tags if gateway else {},
        account_id=volume.account_id,
        account_name=account_name,
        region=volume.region,
        account_rpo=account_rpo,
        observed_at=_observed_at(gateway),
        gateway_failed=gateway is None or gateway.status is not GatewayStatus.SCANNED,
    )


def _observed_at(gateway: Gateway | None) -> datetime:
    # A gateway that gave no answer has no moment of it.
    return gateway.observed_at if gateway and gateway.observed_at else datetime.now(UTC)


def _holds(rpo: timedelta) -> str:
    return f"every condition holds: RPO {format_duration(rpo)}"


def _quoted(values: tuple[str | None, ...]) -> str:
    known = [repr(value) for value in values if value]
    return (
        f"none of {', '.join(known)} matches"
        if len(known) > 1
        else f"{known[0]} does not match"
        if known
        else "there is none that could match"
    )


def _misses(match: Match, volume: Volume, gateway: Gateway | None, account_name: str | None) -> list[str]:
    gateway_id = volume.gateway_arn and id_of(volume.gateway_arn)
    facts: tuple[tuple[str, tuple[str, ...], tuple[str | None, ...]], ...] = (
        ("accounts", match.accounts, (volume.account_id, account_name)),
        ("regions", match.regions, (volume.region,)),
        ("gateways", match.gateways, (gateway_id, gateway.name if gateway else None, volume.gateway_arn)),
        ("volumes", match.volumes, (volume.id, volume.arn)),
    )
    misses = [
        f"{name}: {_quoted(values)} {' or '.join(globs)}"
        for name, globs, values in facts
        if not hit(compiled(globs), known_of(values))
    ]
    for name, glob in match.tags.items():
        known = [tags for tags in (volume.tags, gateway.tags if gateway else {}) if tags is not None]
        if not hit(compiled((glob,)), known_of(tags.get(name) for tags in known)):
            cause = f"neither the volume nor its gateway has {name} = {glob}"
            misses.append(
                f"tags: {cause if len(known) == 2 else f'{name} was not read, so {glob} may match'}"
            )
    return misses
