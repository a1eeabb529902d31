"""Why a rule applied to a volume, and why the others did not."""

from datetime import date

from scanner.inventory.records import GatewayStatus
from scanner.policy.explain import explain
from scanner.policy.rules import Match, Policy, Waiver
from tests.policy.facts import HOUR, rule
from tests.strategies import gateway, volume


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
        "regions: 'eu-west-1' does not match us-*; tags: neither the volume nor its gateway has tier = 1"
    )
    assert steps[2].why == "matches, but the rule all comes first"
    assert steps[5].why == "expired on 2026-11-23"
    assert explain(Policy(), volume(one, 1), one)[-1].why == "it is not set"
    assert explain(Policy(), volume(one, 1), one, account_rpo=HOUR)[0].applies


def test_explain_tells_where_tags_were_not_read() -> None:
    one = gateway("000000000001", "eu-west-1", 1, GatewayStatus.SCANNED)
    (step, *_) = explain(Policy(rules=(rule("tags", tags={"tier": "1"}),)), volume(one, 1), one)
    assert (step.applies, step.why) == (False, "tags: tier was not read, so 1 may match")
