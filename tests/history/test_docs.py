"""What the page on the history says is so."""

import re
from pathlib import Path
from typing import get_args

import pytest

from scanner.config.settings import AlertName
from scanner.history.changes import ChangeKind
from scanner.history.queries import query
from scanner.history.store import History
from scanner.notify.alerts import AlertKind

from .scans import HOUR, Seen, scan

PAGE = (Path(__file__).parents[2] / "docs/history.md").read_text()
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE, re.S)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    found = History(tmp_path_factory.mktemp("history"))
    for day, age in enumerate((1, 30, 30, 1)):
        found.append(scan(day, [Seen(ages={1: age * HOUR})]))
    return found


def test_there_are_ten_questions() -> None:
    assert len(QUERIES) == 10


@pytest.mark.parametrize("sql", QUERIES)
def test_each_question_is_answered(history: History, sql: str) -> None:
    query(history, sql)


def test_every_kind_of_change_and_of_alert_is_explained() -> None:
    assert {kind.value for kind in ChangeKind} == set(re.findall(r"^\| `(\w+)` \|", PAGE, re.M))
    assert set(get_args(AlertName)) == {kind.value for kind in AlertKind}
    assert all(f"`{kind.value}`" in PAGE for kind in AlertKind)


def test_the_example_in_python_works(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    scan(9).write("inventory.json")
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    exec(example, {})
