"""What may be written as a policy, and what is refused."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from scanner.policy.rules import Match, Policy, Waiver
from tests.policy.facts import HOUR, rule


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ({"warn_at": 0}, "greater than 0"),
        ({"warn_at": 1.1}, "less than or equal to 1"),
        ({"warn_at": float("nan")}, "warn_at"),
        ({"rpo": "24"}, "has no unit; write 24h"),
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
