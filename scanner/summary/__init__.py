"""What is said of a scan as a whole: counts, exit code, and the one table of verdicts."""

from scanner.summary.statistics import Group, Statistics, exit_code
from scanner.summary.verdicts import BREACHES, SIGNS, URGENT, WORST_FIRST, VerdictKind, is_breach, urgency

__all__ = [
    "BREACHES",
    "SIGNS",
    "URGENT",
    "WORST_FIRST",
    "Group",
    "Statistics",
    "VerdictKind",
    "exit_code",
    "is_breach",
    "urgency",
]
