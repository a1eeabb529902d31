"""Which RPO holds for which volume, the verdict that follows, and why."""

from scanner.policy.durations import Duration, format_duration, parse_duration
from scanner.policy.explain import Step, explain, rate
from scanner.policy.rater import Rater, status_of
from scanner.policy.rules import Excuse, Match, Policy, Rule, Waiver

__all__ = [
    "Duration",
    "Excuse",
    "Match",
    "Policy",
    "Rater",
    "Rule",
    "Step",
    "Waiver",
    "explain",
    "format_duration",
    "parse_duration",
    "rate",
    "status_of",
]
