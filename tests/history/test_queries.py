"""SQL over the kept scans: what the views mean, and what no query can do."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scanner.errors import HistoryError
from scanner.history.queries import query
from scanner.history.store import History
from scanner.history.trend import trend
from scanner.inventory.records import GatewayStatus, TargetStatus

from .scans import DAY, HOUR, ONE, START, TWO, Seen, scan

VIEWS = ("scans", "targets", "gateways", "volumes", "failures", "latest", "spells", "compliance")
DOWN = Seen(ages={1: HOUR}, status=TargetStatus.PARTIAL, gateway=GatewayStatus.FAILED)
LATE = Seen(ages={1: 30 * HOUR})


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history")


def rows(history: History, sql: str) -> list[tuple[Any, ...]]:
    return list(query(history, sql).rows)


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_answers_with_and_without_scans(history: History, view: str) -> None:
    history.prove_writable()
    empty = query(history, f"SELECT * FROM {view}")
    assert empty.rows == ()
    history.append(
        scan(
            0,
            [
                Seen(),
                Seen(TWO, status=TargetStatus.FAILED),
            ],
        )
    )
    history.append(scan(1, [LATE]))
    assert query(history, f"SELECT * FROM {view}").columns == empty.columns


def test_the_latest_of_a_volume_is_the_newest_that_an_answer_made(history: History) -> None:
    for day, seen in enumerate((Seen(), LATE, DOWN, Seen(TWO))):
        history.append(scan(day, [seen]))
    found = rows(history, "SELECT account_id, scanned_at, verdict FROM latest ORDER BY ALL")
    naive = START.replace(tzinfo=None)
    assert found == [(ONE, naive + DAY, "breach"), (TWO, naive + 3 * DAY, "ok")]


def test_a_spell_begins_when_the_rpo_was_exceeded_and_an_outage_does_not_end_it(history: History) -> None:
    for day, seen in enumerate((Seen(), LATE, DOWN, Seen(ages={1: 78 * HOUR}), Seen(), LATE)):
        history.append(scan(day, [seen]))
    naive = START.replace(tzinfo=None)
    found = rows(history, "SELECT since, last_seen, ended_seen, scans FROM spells ORDER BY since")
    assert found == [
        (naive + DAY - 6 * HOUR, naive + 3 * DAY, naive + 4 * DAY, 2),
        (naive + 5 * DAY - 6 * HOUR, naive + 5 * DAY, None, 1),
    ]


def test_a_spell_of_any_length_is_open_until_the_volume_is_seen_to_be_well(history: History) -> None:
    for day, seen in enumerate(
        (Seen(), LATE, Seen(ages={1: 54 * HOUR}), DOWN, Seen(ages={1: 102 * HOUR}), DOWN)
    ):
        history.append(scan(day, [seen]))
        found = rows(history, "SELECT ended_seen FROM spells")
        assert found == ([] if day == 0 else [(None,)])


def test_each_stretch_without_a_point_may_have_begun_after_the_last_scan_that_saw_one(
    history: History,
) -> None:
    for day, age in enumerate((HOUR, None, None, HOUR, HOUR, None)):
        history.append(scan(day, [Seen(ages={1: age})]))
    naive = START.replace(tzinfo=None)
    found = rows(history, "SELECT possibly_since, since, ended_seen, scans FROM spells ORDER BY since")
    assert found == [
        (naive, naive + DAY, naive + 3 * DAY, 2),
        (naive + 4 * DAY, naive + 5 * DAY, None, 1),
    ]


def test_a_spell_is_over_where_the_volume_is_gone_and_not_where_it_is_unknown(history: History) -> None:
    naive = START.replace(tzinfo=None)
    history.append(scan(0, [LATE]))
    for day, seen, ended in (
        (1, DOWN, None),
        (2, Seen(status=TargetStatus.FAILED), None),
        (3, Seen(ages={}), 3),
    ):
        history.append(scan(day, [seen]))
        found = rows(history, "SELECT last_seen, ended_seen FROM spells")
        assert found == [(naive, None if ended is None else naive + ended * DAY)]


def test_a_volume_that_moved_is_still_the_same(history: History) -> None:
    history.append(scan(0, [LATE]))
    later = scan(1, [LATE])
    (one,) = later.gateways
    arn = one.arn.replace(one.id, "sgw-0000BEEF")
    moved = later.model_copy(
        update={
            "gateways": (one.model_copy(update={"arn": arn, "id": "sgw-0000BEEF"}),),
            "volumes": tuple(
                each.model_copy(update={"arn": each.arn.replace(one.arn, arn), "gateway_arn": arn})
                for each in later.volumes
            ),
        }
    )
    history.append(moved)
    assert rows(history, "SELECT gateway_arn FROM latest") == [(arn,)]
    assert rows(history, "SELECT gateway_arn, scans FROM spells") == [(arn, 2)]


def test_a_waived_volume_is_in_no_spell(history: History) -> None:
    history.append(scan(0, [Seen(ages={1: 30 * HOUR}, waived="ticket")]))
    assert rows(history, "SELECT * FROM spells") == []


def test_danger_is_counted_with_both_bounds(history: History) -> None:
    for day, seen in enumerate((Seen(), LATE, DOWN, Seen(), Seen(ages={1: None}))):
        history.append(scan(day, [seen]))
    found = trend(history)
    assert [each.share for each in found.scans] == [1.0, 0.0, None, 1.0, 0.0]
    hours = 60
    # For certain 6 hours before the scan that saw it; at most until the first scan that saw it well.
    assert found.certain_minutes == 6 * hours
    assert found.possible_minutes == (6 + 48) * hours + 24 * hours
    assert found.burn_3_days == pytest.approx((48 + 24) * hours / 3)
    assert found.burn_30_days is None


def test_a_history_without_scans_has_no_trend(history: History) -> None:
    history.prove_writable()
    assert trend(history).scans == ()


@pytest.mark.parametrize(
    "sql",
    [
        "DROP VIEW volumes",
        "CREATE TABLE x (a INT)",
        "COPY (SELECT 1) TO '{folder}/x.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{file}'",
        "INSERT INTO volumes SELECT * FROM volumes",
        "ATTACH '{folder}/x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SELECT 1; SELECT 2",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_csv('{folder}/../secret.csv')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
        "SELECT * FROM nowhere",
        "SELEC 1",
        "",
    ],
)
def test_a_query_can_neither_write_nor_read_anything_else(history: History, sql: str) -> None:
    manifest = history.append(scan())
    (history.folder.root.parent / "secret.csv").write_text("a,b\n1,2\n")
    file = history.folder.path(manifest.file("volumes").name)
    with pytest.raises(HistoryError):
        query(history, sql.format(folder=history.folder.root, file=file))
    assert list(history.problems()) == []


def test_a_query_that_would_run_for_ever_is_ended(history: History) -> None:
    history.append(scan())
    endless = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(HistoryError, match=r"longer than 0\.1 s"):
        query(history, endless, time_limit=timedelta(seconds=0.1))


def test_an_answer_that_would_fill_the_memory_is_refused(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.append(scan())
    monkeypatch.setattr("scanner.history.queries.MOST_ROWS", 9)
    assert len(rows(history, "SELECT * FROM range(9)")) == 9
    for sql in ("SELECT * FROM range(10)", "SELECT list(i) FROM range(1000000000) AS n(i)"):
        with pytest.raises(HistoryError, match=r"more than 9 rows; narrow|Out of Memory"):
            query(history, sql)


def test_a_damaged_file_is_found_by_a_query_and_costs_only_its_scan(
    history: History, caplog: pytest.LogCaptureFixture
) -> None:
    history.append(scan(0))
    manifest = history.append(scan(1))
    path = history.folder.path(manifest.file("volumes").name)
    body = bytearray(path.read_bytes())
    body[-40:] = b"x" * 40
    path.write_bytes(bytes(body))
    assert rows(history, "SELECT count(DISTINCT scan_id) FROM volumes") == [(1,)]
    assert manifest.file("volumes").sha256 in caplog.text
