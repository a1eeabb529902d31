"""The one table of verdicts: their order, their signs, and which of them ask for a look."""

from dataclasses import dataclass

from scanner.inventory.records import VerdictStatus, Volume, is_breach


@dataclass(frozen=True)
class VerdictKind:
    """What every reader says of a verdict.

    `sign` tells it apart without colours, and `urgent` is worth a look.
    """

    status: VerdictStatus
    sign: str
    urgent: bool = True


WORST_FIRST = (
    VerdictKind(VerdictStatus.NO_RECOVERY_POINT, "⊘"),
    VerdictKind(VerdictStatus.BREACH, "✖"),
    VerdictKind(VerdictStatus.UNKNOWN, "?"),
    VerdictKind(VerdictStatus.AT_RISK, "▲"),
    VerdictKind(VerdictStatus.UNRATED, "–", urgent=False),
    VerdictKind(VerdictStatus.OK, "✓", urgent=False),
)
SIGNS = {kind.status: kind.sign for kind in WORST_FIRST}
"""The sign of each verdict, worst first."""
URGENT = frozenset(kind.status for kind in WORST_FIRST if kind.urgent)
_RANK = {kind.status: rank for rank, kind in enumerate(WORST_FIRST)}


def urgency(volume: Volume) -> tuple[bool, int, float, str]:
    """Sorts volumes worst first: breaches not waived, then by status, then by age against the RPO."""
    verdict = volume.verdict
    age = verdict.age_seconds or 0.0
    share = age / verdict.rpo_seconds if verdict.rpo_seconds else age
    return not is_breach(verdict), _RANK[verdict.status], -share, volume.arn
