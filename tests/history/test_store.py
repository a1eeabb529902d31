"""A scan that was kept comes back as it was; what is damaged is named, and costs no other scan."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from scanner.errors import HistoryError
from scanner.history.folder import TEMPORARY
from scanner.history.store import History
from scanner.inventory.model import Inventory
from tests.strategies import inventories

from .scans import ONE, TWO, Seen, scan


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history")


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(inventory=inventories(name="scan-x"))
def test_a_kept_scan_comes_back_as_it_was(tmp_path: Path, inventory: Inventory) -> None:
    kept = History(tmp_path / str(time.monotonic_ns()))
    kept.append(inventory)
    assert kept.read("latest") == inventory


def test_keeping_a_scan_twice_changes_nothing(history: History) -> None:
    first = history.append(scan())
    assert history.append(scan()) == first
    assert len(history.scans()) == 1


@pytest.mark.parametrize("day", [1, 40], ids=["the same month", "another month"])
def test_another_scan_of_an_id_that_is_taken_is_refused_and_not_passed_over(
    history: History, day: int
) -> None:
    history.append(scan(0, id="mine"))
    with pytest.raises(HistoryError, match=r"another scan of this id, begun at 2024-11-01.*--scan-id"):
        history.append(scan(day, id="mine"))
    assert history.read("mine") == scan(0, id="mine")


def test_scans_are_found_by_id_by_its_beginning_and_counted_back_from_the_latest(history: History) -> None:
    for day in (2, 0, 1):
        history.append(scan(day, id=f"abc{day}"))
    assert [each.id for each in history.scans()] == ["abc0", "abc1", "abc2"]
    assert history.find("abc1").id == history.find("latest~1").id == "abc1"
    for wrong, why in {
        "abc": "3 scans begin so",
        "zzz": "no scan has this id",
        "": "scans begin so",
        "latest~3": "has 3 scans",
        "latest~x": "latest~2 is the oldest",
    }.items():
        with pytest.raises(HistoryError, match=why):
            history.find(wrong)


def test_an_empty_history_says_how_to_begin(history: History) -> None:
    with pytest.raises(HistoryError, match="scan with --history"):
        history.find("latest")


def test_a_folder_that_cannot_be_written_is_found_out_before_the_scan(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HistoryError, match=r"file: .*history\.path"):
        History(tmp_path / "file").prove_writable()


def test_a_folder_of_which_this_user_has_no_rights_is_refused_with_the_remedy() -> None:
    for path in ("/sys/history", "/proc/1/history"):
        with pytest.raises(HistoryError, match=rf"{path}: .*name a folder that can be written"):
            History(path).prove_writable()


TOO_BIG = """
import resource, signal, sys
from scanner.errors import HistoryError
from scanner.history.store import History
from tests.history.scans import HOUR, Seen, scan
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    History(sys.argv[1]).append(scan(0, [Seen(ages={number: HOUR for number in range(1, 300)})]))
except HistoryError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize("most", [2000, 20_000], ids=["of the database", "of this program"])
def test_a_disk_that_is_full_is_told_and_leaves_nothing(history: History, most: int) -> None:
    command = [sys.executable, "-c", TOO_BIG, str(history.folder.root), str(most)]
    # What measures coverage writes a file of its own, which would be too large, too.
    bare = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    said = subprocess.run(command, capture_output=True, text=True, check=False, env=bare)
    assert (said.returncode, "Traceback" in said.stderr) == (1, False), said.stderr
    assert str(history.folder.root) in said.stderr
    assert history.scans() == []
    assert not list(history.folder.root.glob(f"{TEMPORARY}*"))


def test_a_damaged_page_of_a_file_is_found_when_it_is_read(history: History) -> None:
    manifest = history.append(scan(0))
    path = history.folder.path(manifest.file("volumes").name)
    body = path.read_bytes()
    path.write_bytes(b"PAR1" + b"x" * 200 + body[204:])
    with pytest.raises(HistoryError, match=f"{path.name}.*`sgw-scanner history check`"):
        history.read("latest")


def test_a_newer_format_is_refused_with_the_remedy(history: History) -> None:
    history.append(scan())
    (path,) = history.folder.root.glob("scans/*/*.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2, "scan": "of another form"}))
    for ask in (history.manifests, history.prove_writable):
        with pytest.raises(HistoryError, match=r"has format 2, .* use the version that wrote it"):
            ask()


@pytest.mark.parametrize("harm", ["cut", "gone", "no manifest", "of another program"])
def test_a_damaged_scan_is_named_and_the_others_still_serve(
    history: History, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    for day in range(3):
        history.append(scan(day))
    damaged = history.manifests()[1]
    path = history.folder.path(damaged.file("volumes").name)
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:100])
    elif harm == "gone":
        path.unlink()
    else:
        path = history.folder.path(damaged.name)
        path.write_text("{" if harm == "no manifest" else '{"name": "x"}')
    assert [each.id for each in history.scans()] == [scan(0).scan.id, scan(2).scan.id]
    assert path.name in caplog.text
    assert any(path.name in problem for problem in history.problems())


def test_a_changed_byte_is_told_with_both_sums(history: History) -> None:
    manifest = history.append(scan())
    file = manifest.file("volumes")
    assert list(history.problems()) == []
    path = history.folder.path(file.name)
    path.write_bytes(path.read_bytes()[:-5] + b"xxxxx")
    (problem,) = history.problems()
    assert file.name in problem
    assert file.sha256 in problem


def test_any_number_of_writers_may_append_at_once(history: History) -> None:
    scans = [scan(day, [Seen(ONE), Seen(TWO)]) for day in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(history.append, scans))
    assert [history.read(each.id) for each in history.scans()] == scans
    assert list(history.problems()) == []


WRITER = """
import sys
from scanner.history.store import History
from tests.history.scans import scan
history = History(sys.argv[1])
print("ready", flush=True)
for number in range(1000):
    print(history.append(scan(number / 100)).scan.id, flush=True)
"""


def test_a_killed_writer_leaves_whole_scans_or_none(history: History) -> None:
    """However far it was; all that it acknowledged is there."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(history.folder.root)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout
    acknowledged = [writer.stdout.readline().strip() for _ in range(4)][1:]
    os.kill(writer.pid, signal.SIGKILL)
    acknowledged += writer.stdout.read().split()
    writer.wait()
    writer.stdout.close()
    assert {each.id for each in history.scans()} >= set(acknowledged)
    for each in history.scans():
        history.read(each)


def test_what_killed_writers_left_is_swept_after_a_day(history: History) -> None:
    history.append(scan())
    old, young = (history.folder.root / f"{TEMPORARY}{name}" for name in ("old", "young"))
    for folder in (old, young):
        folder.mkdir()
        (folder / "volumes.parquet").write_text("half")
    proof = history.folder.root / f"{TEMPORARY}proof"
    proof.touch()
    past = time.time() - 90000
    for path in (old, proof):
        os.utime(path, (past, past))
    history.append(scan(1))
    assert not old.exists()
    assert not proof.exists()
    assert young.exists()


def test_a_missing_extra_is_named_with_the_command_that_installs_it(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(HistoryError, match=r'pip install "sgw-scanner\[history\]"'):
        history.append(scan())
    with pytest.raises(HistoryError, match=r'pip install "sgw-scanner\[history\]"'):
        history.prove_writable()
