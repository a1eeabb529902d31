"""Statistics say what the inventory says, in a memory that the fleet does not fill."""

import pytest
from hypothesis import given

from scanner.inventory.events import Event, GatewayEnded, ScanEnded, TargetEnded, TargetPlanned
from scanner.inventory.model import Inventory
from scanner.inventory.records import (
    CallCounts,
    GatewayStatus,
    Target,
    TargetStatus,
    VerdictStatus,
    is_breach,
)
from scanner.summary.statistics import MOST_EXAMPLES, MOST_VOLUMES, Statistics
from scanner.summary.verdicts import URGENT, urgency
from tests.cli.events import events_of, statistics_of
from tests.output.fleet import inventory, verdict
from tests.strategies import NOW, failure_of, gateway, inventories, scan_info, volume

ACCOUNT, REGION = "000000000001", "us-east-1"


@given(inventories())
def test_its_books_are_those_of_the_inventory(whole: Inventory) -> None:
    assert statistics_of(whole).coverage() == whole.coverage


def test_the_worst_volumes_come_first_and_are_few() -> None:
    whole = inventory(20, 30, whole=False)
    statistics = statistics_of(whole)
    worst = [each for each, _ in statistics.worst]
    assert len(worst) == MOST_VOLUMES
    assert worst == sorted(worst, key=urgency)
    # Of hundreds without a recovery point none hides the breaches; of each verdict it is the worst that are shown.
    assert {each.verdict.status for each in worst} == URGENT
    for status in URGENT:
        shown = [each for each in worst if each.verdict.status is status]
        there = sorted((each for each in whole.volumes if each.verdict.status is status), key=urgency)
        assert shown == there[: len(shown)]
    assert statistics.breaches == sum(is_breach(each.verdict) for each in whole.volumes)
    oldest = min(each.recovery_point_time or NOW for each in whole.volumes)
    assert statistics.oldest[0][0].recovery_point_time == oldest


def test_of_many_failures_only_the_first_few_are_kept() -> None:
    whole = inventory(1, 1, whole=False)
    statistics = statistics_of(whole)
    for _ in range(1000):
        statistics.add(next(each for each in events_of(whole) if "Failure" in type(each).__name__))
    assert max(group.count for group in statistics.failures.values()) == 1001
    assert all(len(group.examples) <= MOST_EXAMPLES for group in statistics.failures.values())


def told(*events: Event) -> Statistics:
    statistics = Statistics(planned=1)
    for event in events:
        statistics.add(event)
    return statistics


def test_a_volume_that_moved_counts_once_as_the_later_record_has_it() -> None:
    """In the statistics as in the inventory."""
    old, new = (gateway(ACCOUNT, REGION, number, GatewayStatus.SCANNED) for number in (1, 2))
    first = volume(old, 1).model_copy(update={"verdict": verdict(VerdictStatus.BREACH, 40)})
    fresh = {"gateway_arn": new.arn, "verdict": verdict(VerdictStatus.OK, 1), "recovery_point_time": NOW}
    second = first.model_copy(update=fresh)
    statistics = told(GatewayEnded(old, (first,)), GatewayEnded(new, (second,)))
    statistics.add(TargetEnded(_target(gateways=2, volumes=1)))
    assert +statistics.verdicts == {VerdictStatus.OK: 1}
    assert (statistics.breaches, statistics.worst, statistics.oldest) == (0, [], [(second, new)])


@pytest.mark.parametrize("gateways, volumes", [(0, 1), (1, 2)])
def test_a_target_that_lost_something_is_a_defect(gateways: int, volumes: int) -> None:
    one = gateway(ACCOUNT, REGION, 1, GatewayStatus.SCANNED)
    with pytest.raises(RuntimeError, match="lost gateways or volumes"):
        told(GatewayEnded(one, (volume(one, 1),)), TargetEnded(_target(gateways=gateways, volumes=volumes)))


def test_a_target_that_never_ended_is_a_defect() -> None:
    statistics = Statistics()
    statistics.add(TargetPlanned(ACCOUNT, None, REGION))
    with pytest.raises(RuntimeError, match="has not ended"):
        _ = statistics.scan
    statistics.add(ScanEnded(scan_info(), CallCounts()))
    with pytest.raises(RuntimeError, match="1 targets were planned, but 0 ended"):
        statistics.coverage()


def test_a_listed_gateway_without_a_usable_arn_counts_as_failed() -> None:
    target = _target(gateways=1, volumes=0, status=TargetStatus.PARTIAL)
    statistics = told(TargetEnded(target), ScanEnded(scan_info(), CallCounts()))
    assert statistics.coverage().gateways.failed == 1


def test_failed_gateways_among_the_examples_are_known_by_name() -> None:
    one = gateway(ACCOUNT, REGION, 1, GatewayStatus.FAILED)
    failure = failure_of(one)
    target = _target(gateways=1, volumes=0, status=TargetStatus.PARTIAL)
    whole = Inventory.build(scan_info(), CallCounts(), [target], [one], [], [failure])
    assert statistics_of(whole).gateway_names == {one.arn: "gateway 1"}


def _target(*, gateways: int, volumes: int, status: TargetStatus = TargetStatus.COMPLETE) -> Target:
    return Target(account_id=ACCOUNT, region=REGION, status=status, gateways=gateways, volumes=volumes)
