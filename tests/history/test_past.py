"""What a history knows beside one of its scans: compliance, since when volumes are in danger, what changed."""

from pathlib import Path

import pytest

from scanner.history.past import past_of
from scanner.history.store import History
from scanner.inventory.model import Inventory
from scanner.inventory.records import GatewayStatus, TargetStatus
from scanner.summary.past import Past

from .scans import DAY, HOUR, ONE, REGION, START, TWO, Seen, scan

KEY = (ONE, REGION, "vol-00000001")
DOWN = Seen(TWO, {7: HOUR}, TargetStatus.PARTIAL, GatewayStatus.FAILED)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history")


def known(history: History, *scans: Inventory, at: str = "latest") -> Past:
    for each in scans:
        history.append(each)
    kept = history.find(at)
    return past_of(history, kept, history.read(kept))


def test_compliance_is_told_scan_by_scan_up_to_the_one_that_is_shown(history: History) -> None:
    seen = (Seen(ages={1: HOUR, 2: each}) for each in (HOUR, 30 * HOUR, None))
    scans = [scan(day, [each]) for day, each in enumerate(seen)]
    shares = [each.share for each in known(history, *scans).scans]
    assert shares == [1.0, 0.5, 0.5]
    assert [each.share for each in known(history, at="latest~1").scans] == [1.0, 0.5]


def test_a_volume_that_is_in_danger_scan_after_scan_is_so_since_its_rpo_was_exceeded(
    history: History,
) -> None:
    """With its age in each scan; one that was well again meanwhile begins anew."""
    hours = (30, 1, 20, 44, 68)
    past = known(history, *(scan(day, [Seen(ages={1: age * HOUR})]) for day, age in enumerate(hours)))
    assert {key: each.since for key, each in past.danger.items()} == {KEY: START + 2 * DAY + 4 * HOUR}
    assert [each.age_seconds for each in past.ages[KEY]] == [age * 3600 for age in hours]


def test_an_earlier_scan_is_shown_with_what_was_known_then(history: History) -> None:
    """Not with the end of a breach that only later scans saw."""
    scans = [scan(day, [Seen(ages={1: age * HOUR})]) for day, age in enumerate((30, 54, 1))]
    assert known(history, *scans).danger == {}
    assert set(known(history, at="latest~1").danger) == {KEY}


def test_a_volume_without_a_point_may_be_in_danger_since_it_was_seen_well(history: History) -> None:
    past = known(history, scan(0), scan(1, [Seen(ages={1: None})]))
    assert past.danger[KEY].since == START + DAY
    assert past.danger[KEY].possibly_since == START


def test_changes_are_counted_by_kind_what_got_worse_first(history: History) -> None:
    before = scan(0, [Seen(ages={1: HOUR, 2: HOUR, 3: 30 * HOUR}), Seen(TWO, {7: HOUR})])
    after = scan(1, [Seen(ages={1: 30 * HOUR, 2: 31 * HOUR, 3: HOUR}), DOWN])
    past = known(history, before, after)
    assert past.compared_with == START
    told = [(each.what, each.kind, each.before, each.after, each.count) for each in past.changes]
    assert told[0] == ("volume", "status", "ok", "breach", 2)
    assert ("volume", "not_read", None, None, 1) in told
    assert ("volume", "status", "breach", "ok", 1) in told
    assert [key[2].rpartition("/")[2] for key in past.changes[0].examples] == ["vol-00000001", "vol-00000002"]


def test_scans_of_a_part_of_the_fleet_are_left_out(history: History) -> None:
    """They would look like a fleet that shrank; one of them is compared with whatever was before it."""
    history.append(scan(0))
    history.append(scan(1, [Seen(ages={1: 30 * HOUR})]), narrowed=True)
    history.append(scan(2))
    assert [each.share for each in known(history).scans] == [1.0, 1.0]
    assert known(history).compared_with == START
    assert [each.share for each in known(history, at="latest~1").scans] == [1.0, 0.0]


def test_the_first_scan_has_nothing_to_be_compared_with(history: History) -> None:
    past = known(history, scan(0))
    assert (past.compared_with, past.changes) == (None, ())
