"""The history: every scan as immutable files, and what can be asked of them."""

from scanner.history.changes import Change, ChangeKind, diff
from scanner.history.last_known import last_known
from scanner.history.manifest import Manifest
from scanner.history.open import OpenHistory, open_history
from scanner.history.past import past_of
from scanner.history.queries import Answer, query
from scanner.history.retention import Pruning, prune
from scanner.history.since import Since, since
from scanner.history.store import History, KeptScan
from scanner.history.trend import Trend, trend
from scanner.summary.past import Compliance, Past

__all__ = [
    "Answer",
    "Change",
    "ChangeKind",
    "Compliance",
    "History",
    "KeptScan",
    "Manifest",
    "OpenHistory",
    "Past",
    "Pruning",
    "Since",
    "Trend",
    "diff",
    "last_known",
    "open_history",
    "past_of",
    "prune",
    "query",
    "since",
    "trend",
]
