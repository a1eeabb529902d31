"""What earlier versions kept is read for years: a sample of each format, as it was written.

Run as a module, this writes the sample of the present format; those of earlier ones never change.
"""

import shutil
from pathlib import Path

import pytest

from scanner.history.last_known import last_known
from scanner.history.queries import query
from scanner.history.store import History
from scanner.history.tables import FORMAT
from scanner.inventory.model import Inventory
from scanner.inventory.records import GatewayStatus, TargetStatus

from .scans import HOUR, ONE, TWO, Seen, scan

SAMPLES = Path(__file__).parent / "samples"
FORMATS = [f"format-{number}" for number in range(1, FORMAT + 1)]
SCANS = (
    scan(0, [Seen(ONE, ages={1: HOUR, 2: None}), Seen(TWO, ages={1: 30 * HOUR}, waived="ticket")]),
    scan(1, [Seen(ONE, status=TargetStatus.FAILED), Seen(TWO, ages={1: HOUR})]),
    scan(2, [Seen(ONE, status=TargetStatus.PARTIAL, gateway=GatewayStatus.FAILED), Seen(TWO)]),
)


def kept(history: History, inventory: Inventory) -> Inventory:
    whole = inventory.model_copy(update={"last_known": last_known(history, inventory)})
    history.append(whole)
    return whole


@pytest.mark.parametrize("name", FORMATS)
def test_a_history_of_this_format_is_read_asked_and_continued(tmp_path: Path, name: str) -> None:
    shutil.copytree(SAMPLES / name, tmp_path / name)
    history, fresh = History(tmp_path / name), History(tmp_path / "fresh")
    assert list(history.problems()) == []
    assert [history.read(each) for each in history.scans()] == [kept(fresh, each) for each in SCANS]
    assert query(history, "SELECT count(*), count(waived) FROM volumes").rows == ((6, 1),)
    (known,) = last_known(history, scan(3, [Seen(TWO, status=TargetStatus.FAILED)]))
    assert known.scan_id == SCANS[2].scan.id
    kept(history, scan(4))
    assert len(history.scans()) == 4


if __name__ == "__main__":
    folder = SAMPLES / f"format-{FORMAT}"
    shutil.rmtree(folder, ignore_errors=True)
    for each in SCANS:
        kept(History(folder), each)
