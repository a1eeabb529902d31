"""What a scan could not read keeps its last known point, however long ago that was."""

from datetime import timedelta
from pathlib import Path

import pytest

from scanner.history.last_known import AT_ONCE, last_known
from scanner.history.store import History
from scanner.inventory.model import Inventory
from scanner.inventory.records import GatewayStatus, LastKnown, TargetStatus, VerdictStatus

from .scans import DAY, HOUR, ONE, START, TWO, Seen, scan

DOWN = Seen(status=TargetStatus.FAILED)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history")


def carried(history: History, inventory: Inventory) -> tuple[LastKnown, ...]:
    """What is carried into `inventory`, which is kept with it, as scans do."""
    found = last_known(history, inventory)
    history.append(inventory.model_copy(update={"last_known": found}))
    return found


def test_a_target_that_failed_keeps_the_last_points_of_its_volumes(history: History) -> None:
    assert carried(history, scan(0, [Seen(ages={1: HOUR, 2: 30 * HOUR})])) == ()
    first, second = carried(history, scan(1, [DOWN]))
    assert first.observed_at == START
    assert first.recovery_point_time == START - HOUR
    assert first.scan_id == scan(0).scan.id
    assert first.at_most_age_seconds == (DAY + HOUR + timedelta(minutes=1)).total_seconds()
    assert (first.rpo_seconds, first.within_rpo, first.verdict) == (86400.0, False, VerdictStatus.OK)
    assert second.verdict is VerdictStatus.BREACH


def test_within_the_rpo_is_certain_where_even_the_greatest_age_is(history: History) -> None:
    carried(history, scan(0))
    (known,) = carried(history, scan(0.5, [DOWN]))
    assert known.within_rpo is True


def test_an_unreachable_gateway_keeps_the_points_of_its_volumes(history: History) -> None:
    carried(history, scan(0, [Seen(ages={1: HOUR, 2: None})]))
    down = scan(1, [Seen(ages={1: HOUR, 2: HOUR}, status=TargetStatus.PARTIAL, gateway=GatewayStatus.FAILED)])
    first, second = carried(history, down)
    assert first.recovery_point_time == START - HOUR
    assert (second.recovery_point_time, second.at_most_age_seconds) == (None, None)
    assert (second.verdict, second.within_rpo) == (VerdictStatus.NO_RECOVERY_POINT, False)


def test_it_is_carried_through_any_number_of_failing_scans(history: History) -> None:
    carried(history, scan(0, [Seen(ONE), Seen(TWO)]))
    for day in range(1, AT_ONCE + 3):
        known = carried(history, scan(day, [Seen(ONE), Seen(TWO, status=TargetStatus.FAILED)]))
        assert [(each.account_id, each.observed_at) for each in known] == [(TWO, START)]


def test_a_scan_that_did_not_ask_hides_nothing(history: History) -> None:
    carried(history, scan(0, [Seen(ONE), Seen(TWO)]))
    carried(history, scan(1, [Seen(ONE)]))
    (known,) = carried(history, scan(2, [Seen(ONE), Seen(TWO, status=TargetStatus.FAILED)]))
    assert (known.account_id, known.observed_at) == (TWO, START)


def test_a_volume_that_was_seen_to_vanish_is_not_carried(history: History) -> None:
    carried(history, scan(0, [Seen(ages={1: HOUR, 2: HOUR})]))
    carried(history, scan(1, [Seen(ages={1: HOUR})]))
    assert [each.arn[-1] for each in carried(history, scan(2, [DOWN]))] == ["1"]


def test_an_account_without_credentials_keeps_what_was_known_of_all_its_regions(history: History) -> None:
    carried(history, scan(0, [Seen(ONE), Seen(TWO)]))
    down = scan(1, [Seen(ONE), Seen(TWO, status=TargetStatus.FAILED)])
    one, two = down.targets
    lost = down.model_copy(update={"targets": (one, two.model_copy(update={"region": "*"}))})
    assert [each.account_id for each in last_known(history, lost)] == [TWO]


def test_what_was_kept_later_or_dated_in_the_future_is_no_past(history: History) -> None:
    carried(history, scan(5))
    assert last_known(history, scan(1, [DOWN])) == ()


def test_what_is_carried_is_kept_with_the_scan(history: History) -> None:
    carried(history, scan(0))
    known = carried(history, scan(1, [DOWN]))
    assert history.read("latest").last_known == known


def test_a_damaged_scan_costs_no_other_its_past(history: History) -> None:
    carried(history, scan(0))
    manifest = history.append(scan(1))
    path = history.folder.path(manifest.file("volumes").name)
    body = path.read_bytes()
    path.write_bytes(b"x" * len(body))
    (known,) = last_known(history, scan(2, [DOWN]))
    assert known.observed_at == START
