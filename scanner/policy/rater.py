"""A policy to verdicts: pure functions of what was read, the policy, and the moment it was read."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from fnmatch import translate
from typing import NamedTuple

from scanner.inventory.records import Verdict, VerdictStatus
from scanner.policy.rules import Excuse, Match, Policy, Waiver

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far ahead of the service's clock a recovery point may be before it counts as an anomaly."""


class _Globs:
    """One `Match`, compiled, in two halves: what a gateway settles, and what each volume does."""

    def __init__(self, match: Match) -> None:
        self._accounts, self._regions, self._gateways, self._volumes = (
            compiled(globs) for globs in (match.accounts, match.regions, match.gateways, match.volumes)
        )
        self._tags = [(name, compiled((glob,))) for name, glob in match.tags.items()]
        self.settled_by_gateway = not match.volumes and not match.tags

    def gateway(self, account: Sequence[str], region: str, gateway: Sequence[str]) -> bool:
        return hit(self._gateways, gateway) and hit(self._accounts, account) and hit(self._regions, (region,))

    def volume(self, volume: Sequence[str], *tags: Mapping[str, str] | None) -> bool | None:
        """Whether the match holds for a volume of the gateway; None where tags that are not known decide."""
        if not hit(self._volumes, volume):
            return False
        missed = [
            name
            for name, glob in self._tags
            if not hit(glob, known_of(each.get(name) for each in tags if each))
        ]
        if not missed:
            return True
        return None if None in tags else False


def compiled(globs: Iterable[str]) -> re.Pattern[str] | None:
    """One pattern for all of `globs`; `None`, which holds for anything, for none."""
    pattern = "|".join(translate(glob) for glob in globs)
    return re.compile(pattern) if pattern else None


def known_of(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(value for value in values if value is not None)


def hit(pattern: re.Pattern[str] | None, values: Sequence[str]) -> bool:
    """Whether the condition holds for any of `values`."""
    # A loop in C: each gateway is held against each rule.
    return pattern is None or any(map(pattern.match, values))


_BothTags = tuple[Mapping[str, str] | None, Mapping[str, str] | None]


class _Candidate(NamedTuple):
    """A rule, or what holds where none does, that may decide for the volumes of a gateway."""

    globs: _Globs
    name: str | None
    rpo: timedelta | None
    warn_from: timedelta | None


_Rules = list[_Candidate]
_Waivers = list[tuple[_Globs, Waiver]]


class Rater:
    """Rates volumes one at a time, as they are read; those of one gateway in a row are cheapest.

    Tags of None could not be read: then a verdict is `unknown` if a rule that they decide would make it
    another, and a waiver that they decide does not hold.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._rules = [(_Globs(rule.match), rule) for rule in policy.rules]
        waivers = [(_Globs(waiver.match), waiver) for waiver in policy.waivers]
        self._waivers = [each for each in waivers if Excuse.BREACH in each[1].excuses]
        self._excuses = [each for each in waivers if Excuse.UNREACHABLE in each[1].excuses]
        self._key: tuple[object, ...] | None = None
        self._left: tuple[_Rules, _Waivers] = ([], [])

    def verdict(
        self,
        *,
        volume_arn: str,
        volume_id: str,
        volume_tags: Mapping[str, str] | None,
        recovery_point_time: datetime | None,
        gateway_arn: str | None,
        gateway_id: str | None,
        gateway_name: str | None,
        gateway_tags: Mapping[str, str] | None,
        account_id: str,
        account_name: str | None,
        region: str,
        account_rpo: timedelta | None,
        observed_at: datetime,
        gateway_failed: bool = False,
    ) -> Verdict:
        key = (account_id, account_name, region, gateway_arn, gateway_id, gateway_name, account_rpo)
        if key != self._key:
            account = known_of((account_id, account_name))
            gateway = known_of((gateway_id, gateway_name, gateway_arn))
            self._left, self._key = self._of_gateway(account, region, gateway, account_rpo), key
        rules, waivers = self._left
        volume, tags = (volume_id, volume_arn), (volume_tags, gateway_tags)
        age = None if recovery_point_time is None else observed_at - recovery_point_time
        status, name, rpo = self._decided(rules, volume, tags, age)
        return Verdict(
            status=VerdictStatus.UNKNOWN if gateway_failed else status,
            age_seconds=None if age is None else age.total_seconds(),
            rpo_seconds=None if rpo is None else rpo.total_seconds(),
            rule=name,
            waived=self._waived(waivers, volume, tags, observed_at) if waivers else None,
        )

    def excuse(
        self,
        *,
        account_id: str,
        account_name: str | None,
        region: str,
        gateway_arn: str,
        gateway_id: str,
        gateway_name: str | None,
        moment: datetime,
    ) -> str | None:
        """The reason of the waiver that excuses that a gateway cannot be reached; None if there is none."""
        account = known_of((account_id, account_name))
        gateway = known_of((gateway_id, gateway_name, gateway_arn))
        return next(
            (
                waiver.reason
                for globs, waiver in self._excuses
                if waiver.holds(moment) and globs.gateway(account, region, gateway)
            ),
            None,
        )

    def _decided(
        self, rules: _Rules, volume: tuple[str, str], tags: _BothTags, age: timedelta | None
    ) -> tuple[VerdictStatus, str | None, timedelta | None]:
        doubtful: set[VerdictStatus] = set()
        for globs, name, rpo, warn_from in rules:
            holds = globs.settled_by_gateway or globs.volume(volume, *tags)
            if holds:
                status = _status(age, rpo, warn_from)
                if doubtful <= {status}:
                    return status, name, rpo
                break
            if holds is None:
                doubtful.add(_status(age, rpo, warn_from))
        # A rule for tags that could not be read may have set another RPO, and that would matter.
        return VerdictStatus.UNKNOWN, None, None

    @staticmethod
    def _waived(waivers: _Waivers, volume: tuple[str, str], tags: _BothTags, moment: datetime) -> str | None:
        for globs, waiver in waivers:
            if waiver.holds(moment) and (globs.settled_by_gateway or globs.volume(volume, *tags)):
                return waiver.reason
        return None

    def _of_gateway(
        self,
        account: Sequence[str],
        region: str,
        gateway: Sequence[str],
        account_rpo: timedelta | None,
    ) -> tuple[_Rules, _Waivers]:
        rules: _Rules = []
        for globs, rule in self._rules:
            if globs.gateway(account, region, gateway):
                rules.append(self._rule(globs, rule.name, rule.rpo))
                if globs.settled_by_gateway:
                    break  # No volume of this gateway gets past it.
        else:
            rules.append(self._rule(_ANYTHING, *self._fallback(account_rpo)))
        return rules, [each for each in self._waivers if each[0].gateway(account, region, gateway)]

    def _rule(self, globs: _Globs, name: str | None, rpo: timedelta | None) -> _Candidate:
        return _Candidate(globs, name, rpo, None if rpo is None else rpo * self.policy.warn_at)

    def _fallback(self, account_rpo: timedelta | None) -> tuple[str | None, timedelta | None]:
        if account_rpo is not None:
            return "account", account_rpo
        return ("default", self.policy.rpo) if self.policy.rpo is not None else (None, None)


_ANYTHING = _Globs(Match.model_construct())


def status_of(age: timedelta | None, rpo: timedelta | None, warn_at: float) -> VerdictStatus:
    """How an age stands against an RPO; `None` for no recovery point and for no RPO."""
    return _status(age, rpo, None if rpo is None else rpo * warn_at)


def _status(age: timedelta | None, rpo: timedelta | None, warn_from: timedelta | None) -> VerdictStatus:
    if age is None:
        return VerdictStatus.NO_RECOVERY_POINT
    if age < -CLOCK_TOLERANCE:
        return VerdictStatus.UNKNOWN
    if rpo is None or warn_from is None:
        return VerdictStatus.UNRATED
    if age > rpo:
        return VerdictStatus.BREACH
    return VerdictStatus.AT_RISK if age >= warn_from else VerdictStatus.OK
