"""What the page on the history says is so."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from scanner.config.settings import AlertName
from scanner.history.changes import ChangeKind
from scanner.history.queries import query
from scanner.history.store import History
from scanner.inventory.records import GatewayStatus, TargetStatus
from scanner.notify.alerts import AlertKind

from .scans import DAY, HOUR, ONE, START, TWO, Seen, scan

PAGE = (Path(__file__).parents[2] / "docs/history.md").read_text()
QUERIES = dict(re.findall(r"^(\w[^\n]*\?)\n\n```sql\n(.*?)```", PAGE, re.M | re.S))


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    """One account is in breach for two scans of four; the other never has a point, and is lost step by step."""
    found = History(tmp_path_factory.mktemp("history"))
    pointless = Seen(TWO, ages={1: None})
    unread = Seen(TWO, status=TargetStatus.PARTIAL, gateway=GatewayStatus.FAILED)
    down = Seen(TWO, status=TargetStatus.FAILED)
    for day, (hours, other) in enumerate(((1, pointless), (30, pointless), (54, unread), (1, down))):
        found.append(scan(day, [Seen(ONE, ages={1: hours * HOUR}), other]))
    return found


def on(day: float) -> datetime:
    return START.replace(tzinfo=None) + day * DAY


GATEWAYS = {
    account: f"arn:aws:storagegateway:us-east-1:{account}:gateway/sgw-00000001" for account in (ONE, TWO)
}
VOLUMES = {account: f"{arn}/volume/vol-00000001" for account, arn in GATEWAYS.items()}
ANSWERS: dict[str, list[tuple[Any, ...]]] = {
    "Which volumes need action, and since when?": [(VOLUMES[TWO], on(0), 2)],
    "Which breaches of the last 30 days are over, and how long did they last?": [
        (VOLUMES[ONE], on(0.75), on(3), 2.25 * DAY)
    ],
    "How well did each account keep its RPOs over 30 days?": [(TWO, 0.0), (ONE, 0.5)],
    "Which was the worst month?": [(datetime(2024, 11, 1), pytest.approx(4 / 6))],
    "Which volumes were never seen with a recovery point?": [(VOLUMES[TWO], on(0))],
    "How does the fleet grow?": [
        (datetime(2024, 10, 28), 2, pytest.approx(2 * 2**40 / 1e12)),
        (datetime(2024, 11, 4), 1, pytest.approx(2**40 / 1e12)),
    ],
    "Which gateways fail most often?": [(GATEWAYS[TWO], 1, 3)],
    "Which accounts in Regions have not been read completely for longest?": [
        (TWO, "us-east-1", on(1)),
        (ONE, "us-east-1", on(3)),
    ],
    "What fails, and why?": [
        ("gateway_unreachable", "ListVolumeRecoveryPoints", 1, 1),
        ("throttled", "ListGateways", 1, 1),
    ],
    "How old do points get, account by account?": [(ONE, pytest.approx(50.4)), (TWO, None)],
}


def test_there_are_ten_questions() -> None:
    assert list(QUERIES) == list(ANSWERS)


@pytest.mark.parametrize("question", ANSWERS)
def test_each_question_is_answered(history: History, question: str) -> None:
    answer = query(history, QUERIES[question]).rows
    if question == "What fails, and why?":
        # Both as often.
        answer = tuple(sorted(answer))
    assert list(answer) == ANSWERS[question]


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
