"""What is said of a scan as a whole: counts, exit code, and the one table of verdicts."""

from scanner.summary.statistics import Group, Statistics, exit_code
from scanner.summary.verdicts import SIGNS, URGENT, WORST_FIRST, VerdictKind, urgency

__all__ = [
    "SIGNS",
    "URGENT",
    "WORST_FIRST",
    "Group",
    "Statistics",
    "VerdictKind",
    "exit_code",
    "urgency",
]
