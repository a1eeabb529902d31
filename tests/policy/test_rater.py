"""What a policy promises: one verdict for every volume, by the first rule that matches."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.inventory.records import GatewayStatus, VerdictStatus, is_breach
from scanner.policy.explain import explain
from scanner.policy.rater import Rater, status_of
from scanner.policy.rules import Excuse, Match, Policy, Rule, Waiver
from tests.policy.facts import ARN, FACTS, HOUR, rate, rule
from tests.strategies import NOW, gateway, volume

SEVERITY = [VerdictStatus.OK, VerdictStatus.AT_RISK, VerdictStatus.BREACH]


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
    assert verdict.status == status == status_of(age, HOUR, 0.8)
    assert verdict.age_seconds == age.total_seconds()


def test_what_no_rpo_can_say() -> None:
    """No point is told apart from an old one; a failed gateway is unknown, whatever else is known."""
    assert rate(Policy(), recovery_point_time=None).status is VerdictStatus.NO_RECOVERY_POINT
    assert rate(Policy(rpo=HOUR), recovery_point_time=None).rpo_seconds == 3600.0
    failed = rate(Policy(rpo=HOUR), gateway_failed=True)
    assert (failed.status, failed.age_seconds, failed.rule) == (VerdictStatus.UNKNOWN, 7200.0, "default")


@pytest.mark.parametrize(
    ("rpo", "status", "name"),
    [(HOUR, VerdictStatus.UNKNOWN, None), (23 * HOUR, VerdictStatus.OK, "default")],
)
def test_tags_that_were_not_read_matter_only_where_they_could_change_the_verdict(
    rpo: timedelta, status: VerdictStatus, name: str | None
) -> None:
    """Two hours old: a breach by a rule of one hour, and well by one of 23 hours as by the default."""
    policy = Policy(rpo=24 * HOUR, rules=(rule(rpo=rpo, tags={"tier": "2"}),))
    for unread in ("volume_tags", "gateway_tags"):
        verdict = rate(policy, **{unread: None})
        assert (verdict.status, verdict.rule) == (status, name)
    assert rate(policy, volume_tags=None, gateway_tags={"tier": "2"}).rule == "tier-1"


def test_a_rule_for_other_volumes_of_the_gateway_leaves_no_doubt_about_this_one() -> None:
    policy = Policy(rpo=24 * HOUR, rules=(rule(volumes=["vol-2"], tags={"tier": "2"}),))
    assert rate(policy, volume_tags=None).rule == "default"


def test_a_waiver_on_tags_that_were_not_read_does_not_hold() -> None:
    waiver = Waiver(match=Match(tags={"tier": "1"}), until=date(2027, 1, 31), reason="x")
    assert rate(Policy(rpo=HOUR, waivers=(waiver,))).waived == "x"
    assert rate(Policy(rpo=HOUR, waivers=(waiver,)), volume_tags=None).waived is None


def test_a_gateway_that_cannot_be_reached_is_excused_by_a_waiver_that_says_so() -> None:
    """By the first that matches and has not ended; one for breaches alone excuses no gateway, and the reverse."""

    def waiver(reason: str, *excuses: Excuse, until: date = date(2027, 1, 31), **match: Any) -> Waiver:
        return Waiver(match=Match(**match), until=until, reason=reason, excuses=excuses)

    unreachable = waiver("moved", Excuse.UNREACHABLE, gateways=["db-*"])
    policy = Policy(
        rpo=HOUR,
        waivers=(
            waiver("breaches only", Excuse.BREACH, gateways=["db-*"]),
            waiver("elsewhere", Excuse.UNREACHABLE, regions=["eu-*"]),
            waiver("ended", Excuse.UNREACHABLE, until=date(2026, 1, 1), gateways=["db-*"]),
            unreachable,
            waiver("later", Excuse.UNREACHABLE, gateways=["db-*"]),
        ),
    )
    facts = {key: FACTS[key] for key in ("account_id", "account_name", "region", "gateway_arn", "gateway_id")}
    assert Rater(policy).excuse(**facts, gateway_name="db-1", moment=NOW) == "moved"
    assert Rater(policy).excuse(**facts, gateway_name="lab", moment=NOW) is None
    assert rate(policy).waived == "breaches only"
    assert rate(Policy(rpo=HOUR, waivers=(unreachable,))).waived is None


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
