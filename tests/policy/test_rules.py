"""What a policy promises: one verdict for every volume, by the first rule that matches."""

from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scanner.inventory.records import GatewayStatus, Verdict, VerdictStatus, is_breach
from scanner.policy.explain import explain
from scanner.policy.rater import Rater, status_of
from scanner.policy.rules import Match, Policy, Rule, Waiver
from tests.strategies import NOW, gateway, volume

HOUR = timedelta(hours=1)
ARN = "arn:aws:storagegateway:us-east-1:111122223333:gateway/sgw-1"
FACTS: dict[str, Any] = {
    "volume_arn": f"{ARN}/volume/vol-1",
    "volume_id": "vol-1",
    "volume_tags": {"tier": "1"},
    "recovery_point_time": NOW - 2 * HOUR,
    "gateway_arn": ARN,
    "gateway_id": "sgw-1",
    "gateway_name": "db-1",
    "gateway_tags": {"env": "prod"},
    "account_id": "111122223333",
    "account_name": "prod-eu",
    "region": "us-east-1",
    "account_rpo": None,
    "observed_at": NOW,
}
SEVERITY = [VerdictStatus.OK, VerdictStatus.AT_RISK, VerdictStatus.BREACH]


def rule(name: str = "tier-1", rpo: timedelta = HOUR, **match: Any) -> Rule:
    return Rule(name=name, rpo=rpo, match=Match(**match))


def rate(policy: Policy, **changed: Any) -> Verdict:
    return Rater(policy).verdict(**{**FACTS, **changed})


@pytest.mark.parametrize(
    ("match", "hits"),
    [
        ({"accounts": ["prod*"]}, True),
        ({"accounts": ["1111*"]}, True),
        ({"accounts": ["dev", "111122223333"]}, True),
        ({"accounts": ["dev*"]}, False),
        ({"accounts": ["PROD*"]}, False),
        ({"regions": ["us-*"]}, True),
        ({"regions": ["eu-*"]}, False),
        ({"gateways": ["db-*"]}, True),
        ({"gateways": ["sgw-1"]}, True),
        ({"gateways": ["*:gateway/sgw-1"]}, True),
        ({"gateways": ["db"]}, False),
        ({"volumes": ["vol-?"]}, True),
        ({"volumes": ["vol-[2-9]"]}, False),
        ({"tags": {"tier": "1"}}, True),
        ({"tags": {"env": "pr*"}}, True),
        ({"tags": {"tier": "1", "env": "prod"}}, True),
        ({"tags": {"tier": "1", "env": "dev"}}, False),
        ({"tags": {"owner": "*"}}, False),
        ({"accounts": ["prod*"], "regions": ["eu-*"]}, False),
        ({"accounts": ["prod*"], "volumes": ["vol-1"], "tags": {"tier": "?"}}, True),
    ],
)
def test_a_rule_applies_when_every_condition_holds(match: dict[str, Any], hits: bool) -> None:
    """Accounts and gateways by id or name, globs, tags of the volume or of its gateway."""
    policy = Policy(rpo=24 * HOUR, rules=(rule(**match),))
    assert rate(policy).rule == ("tier-1" if hits else "default")
    steps = explain(
        policy,
        volume(gateway("111122223333", "us-east-1", 1, GatewayStatus.SCANNED), 1).model_copy(
            update={"id": "vol-1", "gateway_arn": ARN, "tags": {"tier": "1"}}
        ),
        gateway("111122223333", "us-east-1", 1, GatewayStatus.SCANNED).model_copy(
            update={"id": "sgw-1", "name": "db-1", "arn": ARN, "tags": {"env": "prod"}}
        ),
        account_name="prod-eu",
    )
    assert steps[0].applies is hits
    assert steps[-1].applies is not hits


def test_the_first_rule_wins_then_the_account_then_the_default() -> None:
    """Order is the file's order."""
    first, second = rule("first", HOUR, regions=["us-*"]), rule("second", 9 * HOUR, accounts=["*"])
    policy = Policy(rpo=24 * HOUR, rules=(first, second))
    assert rate(policy).rule == "first"
    assert rate(policy, region="eu-west-1").rule == "second"
    bare = Policy(rpo=24 * HOUR)
    assert rate(bare, account_rpo=3 * HOUR).model_dump() == {
        "status": VerdictStatus.OK,
        "age_seconds": 7200.0,
        "rpo_seconds": 10800.0,
        "rule": "account",
        "waived": None,
    }
    assert rate(bare).rule == "default"
    assert rate(Policy()).rule is None
    assert rate(Policy()).status is VerdictStatus.UNRATED
    assert rate(Policy()).age_seconds == 7200.0


@pytest.mark.parametrize(
    ("age", "status"),
    [
        (timedelta(), "ok"),
        (timedelta(minutes=47, seconds=59), "ok"),
        (timedelta(minutes=48), "at_risk"),
        (HOUR, "at_risk"),
        (HOUR + timedelta(microseconds=1), "breach"),
        (-timedelta(minutes=5), "ok"),
        (-timedelta(minutes=5, microseconds=1), "unknown"),
    ],
)
def test_age_against_the_rpo(age: timedelta, status: str) -> None:
    """The RPO is the greatest age a volume may have; five minutes ahead is a clock, more an anomaly."""
    verdict = rate(Policy(rpo=HOUR), recovery_point_time=NOW - age)
    assert verdict.status == status
    assert verdict.age_seconds == age.total_seconds()


def test_what_no_rpo_can_say() -> None:
    """No point is told apart from an old one; a failed gateway is unknown, whatever else is known."""
    assert rate(Policy(), recovery_point_time=None).status is VerdictStatus.NO_RECOVERY_POINT
    assert rate(Policy(rpo=HOUR), recovery_point_time=None).rpo_seconds == 3600.0
    failed = rate(Policy(rpo=HOUR), gateway_failed=True)
    assert (failed.status, failed.age_seconds, failed.rule) == (VerdictStatus.UNKNOWN, 7200.0, "default")


def test_a_waiver_keeps_the_verdict_but_counts_for_no_breach() -> None:
    """The day `until` is included, in UTC, by the service's clock."""
    waiver = Waiver(match=Match(gateways=("db-*",)), until=date(2027, 1, 31), reason="ticket 4711")
    policy = Policy(rpo=HOUR, waivers=(waiver,))
    last = datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC)
    held = rate(policy, observed_at=last)
    assert (held.status, held.waived, is_breach(held)) == (VerdictStatus.BREACH, "ticket 4711", False)
    assert rate(policy, observed_at=last, recovery_point_time=last).waived == "ticket 4711"
    over = rate(policy, observed_at=last + timedelta(seconds=1))
    assert over.waived is None
    assert is_breach(over)
    assert policy.expired(last) == ()
    assert policy.expired(last + timedelta(seconds=1)) == (waiver,)
    by_tag = Policy(waivers=(waiver.model_copy(update={"match": Match(tags={"tier": "2"})}),))
    assert rate(by_tag).waived is None
    assert rate(by_tag, volume_tags={"tier": "2"}).waived == "ticket 4711"


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ({"warn_at": 0}, "greater than 0"),
        ({"warn_at": 1.1}, "less than or equal to 1"),
        ({"warn_at": float("nan")}, "warn_at"),
        ({"rpo": "24"}, "no duration"),
        ({"rpos": "24h"}, "Extra inputs"),
        ({"rules": [{"name": "a", "rpo": "1h", "match": {}}]}, "empty match"),
        ({"rules": [{"name": "a", "rpo": "1h", "match": {"regions": []}}]}, "empty condition"),
        ({"rules": [{"name": "a", "rpo": "1h", "match": {"regions": [""]}}]}, "must not be empty"),
        ({"rules": [{"name": "a", "rpo": "1h", "match": {"regions": "us-*"}}]}, "valid tuple"),
        ({"rules": [{"name": "account", "rpo": "1h", "match": {"regions": ["*"]}}]}, "already names"),
        ({"rules": [{"name": "a", "rpo": "1h", "match": {"regions": ["*"]}}] * 2}, "two rules are named 'a'"),
        ({"waivers": [{"match": {"regions": ["*"]}, "reason": "x"}]}, "Field required"),
        ({"waivers": [{"match": {"regions": ["*"]}, "until": date.max, "reason": " "}]}, "must not be empty"),
        ({"waivers": [{"match": {"regions": ["*"]}, "until": 20270131, "reason": "x"}]}, "no date"),
    ],
)
def test_a_wrong_policy_is_refused(policy: dict[str, Any], says: str) -> None:
    """Each mistake says what is wrong with it."""
    with pytest.raises(ValidationError, match=says):
        Policy.model_validate(policy)


def test_a_policy_survives_its_own_json() -> None:
    """Conditions that were not given are not written."""
    waiver = Waiver(match=Match(accounts=("*",)), until=date(2027, 1, 31), reason="x")
    policy = Policy(rpo=HOUR, rules=(rule(tags={"a": "b"}),), waivers=(waiver,))
    assert Policy.model_validate_json(policy.model_dump_json()) == policy
    assert policy.matching_tags == f"policy.rules: the rule {policy.rules[0].name!r}"
    assert not Policy(waivers=(waiver,)).matching_tags


def test_explain_names_what_failed_and_what_came_first() -> None:
    """A reader learns why the rule they expected did not apply."""
    one = gateway("000000000001", "eu-west-1", 1, GatewayStatus.SCANNED)
    waivers = (
        Waiver(match=Match(accounts=("*",)), until=date(2026, 11, 23), reason="old"),
        Waiver(match=Match(accounts=("*",)), until=date(2026, 11, 24), reason="new"),
    )
    policy = Policy(
        rpo=24 * HOUR,
        rules=(
            rule("tags", tags={"tier": "1"}, regions=["us-*"]),
            rule("all", regions=["*"]),
            rule("late", regions=["*"]),
        ),
        waivers=waivers,
    )
    tagged, tags = volume(one, 1).model_copy(update={"tags": {}}), {"tags": {"tier": "2"}}
    steps = explain(policy, tagged, one.model_copy(update=tags))
    assert [(step.kind, step.name, step.applies) for step in steps] == [
        ("rule", "tags", False),
        ("rule", "all", True),
        ("rule", "late", False),
        ("account", "account", False),
        ("default", "default", False),
        ("waiver", "old", False),
        ("waiver", "new", True),
    ]
    assert steps[0].why == (
        "regions: 'eu-west-1' matches none of us-*; tags: neither the volume nor its gateway has tier = 1"
    )
    assert steps[2].why == "matches, but all came first"
    assert steps[5].why == "expired on 2026-11-23"
    assert explain(Policy(), volume(one, 1), one)[-1].why == "policy.rpo is not set"
    assert explain(Policy(), volume(one, 1), one, account_rpo=HOUR)[0].applies


GLOBS = st.lists(st.sampled_from(["*", "us-*", "db-*", "prod*", "vol-1", "nope"]), max_size=2).map(tuple)
MATCHES = st.builds(
    Match.model_construct, accounts=GLOBS, regions=GLOBS, gateways=GLOBS, volumes=GLOBS, tags=st.just({})
)
SPANS = st.timedeltas(timedelta(seconds=1), timedelta(days=9999))
RULES = st.lists(st.tuples(SPANS, MATCHES), max_size=4).map(
    lambda pairs: tuple(
        Rule.model_construct(name=f"r{n}", rpo=rpo, match=match) for n, (rpo, match) in enumerate(pairs)
    )
)
POLICIES = st.builds(
    Policy.model_construct,
    rpo=st.none() | SPANS,
    warn_at=st.floats(0.01, 1),
    rules=RULES,
    waivers=st.just(()),
)
AGES = st.timedeltas(-timedelta(days=30), timedelta(days=9999))


@given(POLICIES, st.none() | AGES, st.none() | SPANS)
def test_every_volume_gets_one_verdict_by_the_first_that_applies(
    policy: Policy, age: timedelta | None, account_rpo: timedelta | None
) -> None:
    """Totality and order, and `explain` never disagrees with the verdict."""
    point = None if age is None else NOW - age
    verdict = rate(policy, recovery_point_time=point, account_rpo=account_rpo)
    one = gateway("111122223333", "us-east-1", 1, GatewayStatus.SCANNED)
    one = one.model_copy(update={"id": "sgw-1", "name": "db-1", "arn": ARN})
    read = volume(one, 1).model_copy(update={"id": "vol-1", "arn": f"{ARN}/volume/vol-1"})
    steps = explain(policy, read, one, account_name="prod-eu", account_rpo=account_rpo)
    applying = [step.name for step in steps if step.applies]
    assert applying == ([verdict.rule] if verdict.rule else [])
    assert (verdict.age_seconds is None) == (point is None)


@given(AGES, AGES, SPANS, st.floats(0.01, 1))
def test_older_is_never_better(one: timedelta, other: timedelta, rpo: timedelta, warn_at: float) -> None:
    """Monotony, for every age that is no anomaly."""
    younger, older = (status_of(age, rpo, warn_at) for age in sorted((one, other)))
    if VerdictStatus.UNKNOWN not in (younger, older):
        assert SEVERITY.index(younger) <= SEVERITY.index(older)


@given(AGES, SPANS, SPANS, st.floats(0.01, 1))
def test_a_stricter_rpo_is_never_kinder(
    age: timedelta, one: timedelta, other: timedelta, warn: float
) -> None:
    """Monotony in the RPO."""
    strict, lax = (status_of(age, rpo, warn) for rpo in sorted((one, other)))
    if strict is not VerdictStatus.UNKNOWN:
        assert SEVERITY.index(lax) <= SEVERITY.index(strict)


def test_a_rater_may_be_asked_about_gateways_in_any_order() -> None:
    """What it remembers of one gateway never colours another."""
    rater = Rater(Policy(rpo=24 * HOUR, rules=(rule(gateways=["db-*"]),)))
    names = ["db-1", "lab", "db-1", None, "lab"]
    rules = [rater.verdict(**{**FACTS, "gateway_name": name}).rule for name in names]
    assert rules == ["tier-1", "default", "tier-1", "default", "default"]


def test_rating_keeps_up_with_reading() -> None:
    """A fifth of the fleet of the benchmark, in well under its share of a slow machine's time."""
    rater = Rater(Policy(rpo=HOUR, rules=tuple(rule(f"r{n}", gateways=[f"x{n}-*"]) for n in range(20))))
    began = perf_counter()
    for _ in range(30_000):
        rater.verdict(**FACTS)
    assert perf_counter() - began < 2


def test_explain_tells_where_tags_were_not_read() -> None:
    one = gateway("000000000001", "eu-west-1", 1, GatewayStatus.SCANNED)
    (step, *_) = explain(Policy(rules=(rule("tags", tags={"tier": "1"}),)), volume(one, 1), one)
    assert (step.applies, step.why) == (False, "tags: tier was not read, so 1 may match")
