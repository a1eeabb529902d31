"""Tables of their own for targets, gateways and failures, named by an infix."""

import csv
import re
from io import BytesIO, StringIO
from pathlib import Path

import duckdb
import pyarrow.parquet
import pytest

from scanner.errors import OutputError
from scanner.output.formats import TABLE_NAMES, format_of
from scanner.output.tables import TABLES
from tests.output.fleet import inventory, written

WHOLE = inventory(whole=False)


def read_csv(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(written(WHOLE, f".{name}.csv").decode(), newline="")))


def test_every_name_of_a_table_has_one() -> None:
    assert set(TABLE_NAMES) == set(TABLES)


@pytest.mark.parametrize(
    ("destination", "table"),
    [
        ("x.csv", "volumes"),
        ("x.volumes.csv", "volumes"),
        ("s3://b/x.targets.parquet", "targets"),
        ("x.GATEWAYS.csv", "gateways"),
        ("x.failures.csv", "failures"),
        ("my.fleet.csv", "volumes"),
        ("failures.csv", "volumes"),
        ("backup.2026.csv", "volumes"),
        ("x.prod.json", None),
    ],
)
def test_the_infix_names_the_table(destination: str, table: str | None) -> None:
    assert format_of(destination).table == table


def test_targets_have_a_row_each_whatever_became_of_them() -> None:
    rows = read_csv("targets")
    assert [(row["account_id"], row["region"], row["status"]) for row in rows] == [
        (one.account_id, one.region, one.status.value) for one in WHOLE.targets
    ]
    assert all(row["volumes"].isdigit() for row in rows)


def test_gateways_have_a_row_each_those_that_failed_too() -> None:
    rows = read_csv("gateways")
    assert [(row["gateway_arn"], row["status"]) for row in rows] == [
        (one.arn, one.status.value) for one in WHOLE.gateways
    ]


def test_failures_have_a_row_each_with_their_remedy() -> None:
    rows = read_csv("failures")
    assert [(row["operation"], row["kind"], row["attempts"]) for row in rows] == [
        (one.operation, one.kind.value, str(one.attempts)) for one in WHOLE.failures
    ]


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_parquet_holds_the_same_rows_typed(name: str) -> None:
    table = pyarrow.parquet.read_table(BytesIO(written(WHOLE, f".{name}.parquet")))
    assert table.column_names == [column.name for column in TABLES[name].columns]
    assert table.num_rows == len(read_csv(name))


def test_the_tables_join_by_arn(tmp_path: Path) -> None:
    for name in ("volumes", "gateways"):
        (tmp_path / f"{name}.parquet").write_bytes(written(WHOLE, f".{name}.parquet"))
    volumes, gateways = tmp_path / "volumes.parquet", tmp_path / "gateways.parquet"
    (joined,) = duckdb.execute(
        f"SELECT count(*) FROM '{volumes}' v JOIN '{gateways}' g USING (gateway_arn) WHERE v.volume_id IS NOT NULL"
    ).fetchall()
    assert joined == (len(WHOLE.volumes),)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x.target.csv", ".target is no table; did you mean .targets?"),
        ("x.Gatways.parquet", "did you mean .gateways?"),
        ("x.targets.json", ".json is written whole; use .csv or .parquet"),
        ("x.volumes.html", "or leave .volumes out"),
    ],
)
def test_a_table_that_there_is_not_is_refused(name: str, said: str) -> None:
    """Rather than another one be written in its place."""
    with pytest.raises(OutputError, match=re.escape(said)):
        format_of(name)
