"""Which RPO holds for which volume, the verdict that follows, and why."""

from scanner.policy.durations import Duration, format_duration, parse_duration
from scanner.policy.explain import Step, explain
from scanner.policy.rules import Match, Policy, Rater, Rule, Waiver, is_breach, status_of, urgency

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
    "is_breach",
    "parse_duration",
    "status_of",
    "urgency",
]
