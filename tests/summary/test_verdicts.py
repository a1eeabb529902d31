"""Verdicts are sorted, signed and counted by one table."""

from scanner.inventory.records import GatewayStatus, Verdict, VerdictStatus
from scanner.summary.verdicts import SIGNS, WORST_FIRST, urgency
from tests.strategies import gateway, volume


def test_every_verdict_stands_in_the_table_once_with_a_sign_of_its_own() -> None:
    assert sorted(kind.status for kind in WORST_FIRST) == sorted(VerdictStatus)
    assert len(set(SIGNS.values())) == len(VerdictStatus)


def test_urgency_puts_the_worst_first() -> None:
    """Breaches not waived come before waived ones, the greatest share of the RPO first."""
    one = gateway("000000000001", "eu-west-1", 1, GatewayStatus.SCANNED)
    verdicts = [
        Verdict(status=VerdictStatus.OK, age_seconds=1, rpo_seconds=10),
        Verdict(status=VerdictStatus.BREACH, age_seconds=90, rpo_seconds=10, waived="lab"),
        Verdict(status=VerdictStatus.BREACH, age_seconds=20, rpo_seconds=10),
        Verdict(status=VerdictStatus.BREACH, age_seconds=30, rpo_seconds=10),
        Verdict(status=VerdictStatus.UNRATED, age_seconds=99),
        Verdict(status=VerdictStatus.NO_RECOVERY_POINT),
    ]
    volumes = [volume(one, n).model_copy(update={"verdict": verdict}) for n, verdict in enumerate(verdicts)]
    assert [verdicts.index(each.verdict) for each in sorted(volumes, key=urgency)] == [5, 3, 2, 1, 4, 0]
