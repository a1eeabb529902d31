"""What became of the volumes of the scan before is told apart; what was not read is never told as gone."""

from pathlib import Path

import pytest

from scanner.history.last_known import last_known
from scanner.history.since import since
from scanner.history.store import History
from scanner.inventory.model import Inventory
from scanner.inventory.records import GatewayStatus, TargetStatus

from .scans import DAY, HOUR, ONE, START, TWO, Seen, scan

DOWN = Seen(status=TargetStatus.FAILED)
UNREAD = Seen(ages={1: HOUR, 2: HOUR}, status=TargetStatus.PARTIAL, gateway=GatewayStatus.FAILED)


@pytest.fixture
def history(tmp_path: Path) -> History:
    """Of one scan: two volumes in one account, one in another."""
    found = History(tmp_path / "history")
    found.append(scan(0, [Seen(ages={1: HOUR, 2: HOUR}), Seen(TWO)]))
    return found


def told(history: History, inventory: Inventory, *, narrowed: bool = False) -> dict[str, int]:
    found = since(history, inventory, narrowed=narrowed)
    assert found
    return {kind.value: count for kind, count in found.counts.items()}


@pytest.mark.parametrize(
    ("seen", "counts"),
    [
        ([Seen(ages={1: HOUR, 2: HOUR, 3: HOUR}), Seen(TWO)], {}),
        ([Seen(), Seen(TWO)], {"vanished": 1}),
        ([Seen(ages={1: HOUR, 2: HOUR})], {"left_scope": 1}),
        ([Seen(ages={1: 3 * DAY, 2: None}), Seen(TWO)], {"backwards": 2}),
        ([DOWN, Seen(TWO)], {}),
        ([UNREAD, Seen(TWO)], {}),
    ],
    ids=["all are there", "vanished", "left scope", "backwards", "target not read", "gateway not read"],
)
def test_what_vanished_left_or_went_backwards_and_what_was_only_not_read(
    history: History, seen: list[Seen], counts: dict[str, int]
) -> None:
    assert told(history, scan(1, seen)) == counts


def test_what_was_not_asked_has_neither_vanished_nor_left(history: History) -> None:
    assert told(history, scan(1, [Seen(TWO)]), narrowed=True) == {"not_asked": 2}
    history.append(scan(1, [Seen(TWO)]), narrowed=True)
    found = since(history, scan(2, [Seen(TWO)]))
    assert found
    assert found.scanned_at == START


def test_a_point_is_compared_with_the_one_before_an_outage_too(history: History) -> None:
    for day, seen in ((1, DOWN), (2, UNREAD)):
        failed = scan(day, [seen, Seen(TWO)])
        history.append(failed.model_copy(update={"last_known": last_known(history, failed)}))
    found = since(history, scan(3, [Seen(ages={1: 5 * DAY, 2: HOUR}), Seen(TWO)]))
    assert found
    assert [arn.rpartition("/")[2] for arn in found.backwards] == ["vol-00000001"]


def test_without_an_earlier_scan_there_is_nothing_to_tell(history: History) -> None:
    assert since(history, scan(0)) is None


def test_a_damaged_scan_is_passed_over(history: History, caplog: pytest.LogCaptureFixture) -> None:
    damaged = history.append(scan(1)).file("volumes")
    history.folder.path(damaged.name).write_bytes(b"x" * damaged.bytes)
    found = since(history, scan(2, [Seen(ONE), Seen(TWO)]))
    assert found
    assert found.scanned_at == START
    assert damaged.sha256 in caplog.text
