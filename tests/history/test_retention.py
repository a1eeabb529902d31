"""What is let go is counted from the newest scan; the last that is known of a target always stays."""

import os
import time
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from scanner.history.retention import prune
from scanner.history.store import History
from scanner.inventory.records import TargetStatus

from .scans import DAY, ONE, START, TWO, Seen, scan


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history")


def days(history: History) -> list[float]:
    return [(each.started_at - START) / DAY for each in history.scans()]


def test_scans_older_than_the_newest_by_more_than_keep_go(history: History) -> None:
    for day in range(5):
        history.append(scan(day))
    dry = prune(history, 2 * DAY, dry_run=True)
    assert days(history) == [0, 1, 2, 3, 4]
    assert prune(history, 2 * DAY) == dry
    assert days(history) == [2, 3, 4]
    assert list(history.problems()) == []
    assert not list(history.folder.root.glob(f"*/*/{dry.scans[0]}*"))


def test_the_newest_scan_that_read_a_target_stays_however_old(history: History) -> None:
    history.append(scan(0, [Seen(ONE), Seen(TWO)]))
    history.append(scan(1, [Seen(ONE), Seen(TWO)]))
    for day in (50, 100):
        history.append(scan(day, [Seen(ONE), Seen(TWO, status=TargetStatus.FAILED)]))
    prune(history, DAY)
    assert days(history) == [1, 100]


def test_a_keep_that_would_delete_everything_leaves_the_newest(history: History) -> None:
    for day in range(3):
        history.append(scan(day))
    prune(history, timedelta(microseconds=1))
    assert days(history) == [2]


def test_a_scan_dated_in_the_future_wipes_nothing(history: History) -> None:
    for day in (0, 1):
        history.append(scan(day))
    ahead = (datetime.now(UTC) + 900 * DAY - START) / DAY
    history.append(scan(ahead))
    assert prune(history, 400 * DAY).scans == ()


def test_a_clock_that_fell_back_wipes_nothing(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Clock":
            return cls(1970, 1, 1, tzinfo=tz)

    for day in (0, 900):
        history.append(scan(day))
    monkeypatch.setattr("scanner.history.retention.datetime", Clock)
    assert prune(history, DAY).scans == ()


def test_a_damaged_scan_stays_and_keeps_no_other(history: History, caplog: pytest.LogCaptureFixture) -> None:
    damaged = history.append(scan(0)).file("targets")
    for day in (1, 2):
        history.append(scan(day))
    history.folder.path(damaged.name).write_bytes(b"x" * damaged.bytes)
    assert prune(history, timedelta(hours=1)).scans == (scan(1).scan.id,)
    assert damaged.sha256 in caplog.text
    assert history.folder.path(damaged.name).exists()


def test_an_empty_history_has_nothing_to_let_go(history: History) -> None:
    history.prove_writable()
    assert prune(history, DAY).removed == ()


def test_files_without_a_manifest_go_after_a_day_and_those_of_a_damaged_one_stay(history: History) -> None:
    whole, damaged = history.append(scan(0)), history.append(scan(1))
    history.folder.path(damaged.name).write_text("{")
    past = time.time() - 90000
    orphans = []
    for name in ("old", "young"):
        orphan = history.folder.path(whole.file("volumes").name).with_name(f"{name}.parquet")
        orphan.write_bytes(b"x")
        orphans.append(orphan)
    for path in history.folder.root.rglob("*.parquet"):
        if path.name != "young.parquet":
            os.utime(path, (past, past))
    done = prune(history, DAY)
    assert [Path(name).name for name in done.orphans] == ["old.parquet"]
    assert [orphan.exists() for orphan in orphans] == [False, True]
    assert all(history.folder.path(file.name).exists() for file in damaged.files)
