"""Denials: what one gateway's own policy refuses says nothing of its neighbours."""

from typing import Any

from scanner.engine.calls.denials import DENIALS, Denials
from scanner.inventory.records import FailureKind
from scanner.service.errors import FailureFacts


def denied(**facts: Any) -> FailureFacts:
    return FailureFacts(FailureKind.ACCESS_DENIED, "no", **facts)


def test_after_some_denials_and_no_answer_more_are_likely() -> None:
    denials = Denials()
    for _ in range(DENIALS):
        assert not denials.likely
        denials.deny("Read", denied())
    assert denials.likely
    denials.admit("Read")
    assert not denials.likely


def test_what_a_resource_policy_refuses_and_what_was_never_sent_count_for_nothing() -> None:
    denials = Denials()
    for _ in range(2 * DENIALS):
        denials.deny("Read", denied(by_resource_policy=True))
        denials.deny("Read", denied(sent=False))
        denials.deny("Read", FailureFacts(FailureKind.THROTTLED, "slow"))
    assert not denials.likely
