"""`report`: the page of an inventory, or of a history with what it knows."""

from pathlib import Path

import pytest

from scanner.history.store import History
from tests.cli.conftest import Command
from tests.history.scans import HOUR, Seen, scan
from tests.output.fleet import inventory, written


@pytest.fixture
def kept(place: Path) -> str:
    history = History(place / "kept")
    history.append(scan(0))
    history.append(scan(1, [Seen(ages={1: 30 * HOUR})]))
    return "kept"


def test_a_history_gives_the_page_of_its_newest_scan_with_trends(
    place: Path, command: Command, kept: str
) -> None:
    assert command("report", kept, "-o", "p.html").code == 0
    page = (place / "p.html").read_text()
    assert "What changed since the scan of 2024-11-01" in page
    assert "1 volume: ok → breach" in page


def test_a_scan_of_the_history_is_named_by_its_id(place: Path, command: Command, kept: str) -> None:
    assert command("report", "latest~1", "--history", kept, "-o", "p.html").code == 0
    assert "holds no scan before this one" in (place / "p.html").read_text()


def test_a_file_has_no_trends(place: Path, command: Command) -> None:
    (place / "i.json").write_bytes(written(inventory(), ".json"))
    assert command("report", "i.json", "-o", "p.html").code == 0
    assert "Over time" not in (place / "p.html").read_text()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("latest", "latest: is no file that ends in .json or .ndjson, and no history is named"),
        ("s3:/reports", "'s3:/reports' names no bucket; write s3://bucket/prefix"),
        ("empty", "empty: there is no such history"),
    ],
)
def test_what_is_no_source_says_so(place: Path, command: Command, source: str, said: str) -> None:
    (place / "empty").mkdir()
    result = command("report", source, "-o", "p.html")
    assert result.code == 2
    assert said in result.err
    assert not (place / "p.html").exists()


def test_a_scan_that_is_kept_writes_its_page_with_trends(place: Path, command: Command) -> None:
    """What `report` would write of the history."""
    for name in ("one.html", "two.html"):
        assert command("scan", "--history", "kept", "-o", name).code == 0
    assert "holds no scan before this one" in (place / "one.html").read_text()
    assert "What changed since the scan of" in (place / "two.html").read_text()
    assert command("report", "kept", "-o", "three.html").code == 0
    assert (place / "three.html").read_bytes() == (place / "two.html").read_bytes()
