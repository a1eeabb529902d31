"""Which RPO holds for which volume, the verdict that follows, and why."""

from scanner.policy.durations import Duration, format_duration, parse_duration
from scanner.policy.explain import Step, explain
from scanner.policy.rules import Match, Policy, Rater, Rule, Waiver, status_of

__all__ = [
    "Duration",
    "Match",
    "Policy",
    "Rater",
    "Rule",
    "Step",
    "Waiver",
    "explain",
    "format_duration",
    "parse_duration",
    "status_of",
]
