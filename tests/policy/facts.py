"""One volume with all that a policy may look at, and what a policy makes of it."""

from datetime import timedelta
from typing import Any

from scanner.inventory.records import Verdict
from scanner.policy.rater import Rater
from scanner.policy.rules import Match, Policy, Rule
from tests.strategies import NOW

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


def rule(name: str = "tier-1", rpo: timedelta = HOUR, **match: Any) -> Rule:
    return Rule(name=name, rpo=rpo, match=Match(**match))


def rate(policy: Policy, **changed: Any) -> Verdict:
    return Rater(policy).verdict(**{**FACTS, **changed})
