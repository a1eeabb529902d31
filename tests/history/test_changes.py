"""What changed between two scans is told as what it is; what was not read is never told as gone."""

import pytest

from scanner.history.changes import Change, ChangeKind, diff
from scanner.inventory.model import Inventory
from scanner.inventory.records import GatewayStatus, LastKnown, TargetStatus, VerdictStatus
from tests.strategies import failure_of

from .scans import DAY, HOUR, ONE, START, TWO, Seen, scan


def changes(old: Inventory, new: Inventory, what: str = "volume", **options: bool) -> list[Change]:
    return [change for change in diff(old, new, **options) if change.what == what]


def kinds(old: Inventory, new: Inventory, what: str = "volume", **options: bool) -> list[str]:
    return [change.kind.value for change in changes(old, new, what, **options)]


def test_two_scans_of_the_same_fleet_differ_in_nothing() -> None:
    assert list(diff(scan(0), scan(1))) == []


def test_volumes_that_came_went_and_changed_their_verdict() -> None:
    old = scan(0, [Seen(ages={1: HOUR, 2: HOUR})])
    new = scan(1, [Seen(ages={2: 30 * HOUR, 3: HOUR})])
    assert [(each.kind.value, each.key[-1], each.before, each.after) for each in changes(old, new)] == [
        ("vanished", "1", "ok", None),
        ("backwards", "2", "2024-11-01T02:00:00.000Z", "2024-10-31T21:00:00.000Z"),
        ("status", "2", "ok", "breach"),
        ("came", "3", None, "ok"),
    ]


@pytest.mark.parametrize(
    "new",
    [Seen(status=TargetStatus.FAILED), Seen(status=TargetStatus.PARTIAL, gateway=GatewayStatus.FAILED)],
    ids=["target", "gateway"],
)
def test_what_was_not_read_is_neither_gone_nor_new_once_it_is_read_again(new: Seen) -> None:
    failed = scan(1, [new])
    assert kinds(scan(0), failed) == ["not_read"]
    assert kinds(failed, scan(2)) in (["read"], ["status"])


def test_an_account_that_is_planned_no_more_has_left_the_scope_and_took_nothing_away() -> None:
    old, new = scan(0, [Seen(ONE), Seen(TWO)]), scan(1)
    for what in ("target", "gateway", "volume"):
        assert kinds(old, new, what) == ["left_scope"]
        assert kinds(old, new, what, new_narrowed=True) == ["not_asked"]


def test_what_a_narrowed_scan_left_out_has_not_come_afterwards() -> None:
    old, new = scan(0), scan(1, [Seen(ONE), Seen(TWO)])
    for what in ("target", "gateway", "volume"):
        assert kinds(old, new, what) == ["came"]
        assert kinds(old, new, what, old_narrowed=True) == ["read"]


def test_a_skipped_region_has_left_the_scope() -> None:
    assert kinds(scan(0), scan(1, [Seen(status=TargetStatus.SKIPPED)])) == ["left_scope"]


def test_a_point_is_compared_with_the_one_before_the_outage_too() -> None:
    failed = scan(1, [Seen(status=TargetStatus.FAILED)])
    (volume,) = scan(0).volumes
    known = LastKnown(
        arn=volume.arn,
        gateway_arn=volume.gateway_arn,
        account_id=volume.account_id,
        region=volume.region,
        recovery_point_time=volume.recovery_point_time,
        observed_at=START,
        scan_id="x",
        at_most_age_seconds=1.0,
        verdict=VerdictStatus.OK,
    )
    failed = failed.model_copy(update={"last_known": (known,)})
    assert kinds(failed, scan(2, [Seen(ages={1: 3 * DAY})])) == ["read", "backwards"]
    assert kinds(failed, scan(2, [Seen(ages={1: HOUR})])) == ["read"]


def test_a_volume_that_lost_its_point_went_backwards() -> None:
    assert kinds(scan(0), scan(1, [Seen(ages={1: None})])) == ["backwards", "status"]


def test_a_failure_ends_only_where_the_same_was_asked_again() -> None:
    failing = scan(0, [Seen(status=TargetStatus.PARTIAL, gateway=GatewayStatus.FAILED)])
    assert kinds(scan(0), failing, "failure") == ["came"]
    assert kinds(failing, scan(1), "failure") == ["ended"]
    down = scan(1, [Seen(status=TargetStatus.FAILED)])
    assert [(each.kind, each.key) for each in changes(failing, down, "failure")] == [
        (ChangeKind.CAME, "ListGateways")
    ]
    assert kinds(failing, scan(1, [Seen(TWO)]), "failure") == []


def test_an_account_whose_regions_are_known_again_has_not_left() -> None:
    (target,) = scan(0, [Seen(status=TargetStatus.FAILED)]).targets
    nowhere = target.model_copy(update={"region": "*", "gateways": 0, "volumes": 0})
    lost = scan(0, [Seen(status=TargetStatus.FAILED)]).model_copy(
        update={"targets": (nowhere,), "failures": (failure_of(nowhere),)}
    )
    assert kinds(lost, scan(1), "target") == ["read"]
    assert kinds(scan(0), lost) == ["not_read"]
