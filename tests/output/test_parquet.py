"""The Parquet file, read by an engine that did not write it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scanner.inventory.model import Inventory
from scanner.output.columns import COLUMNS
from tests.output.fleet import inventory, written

duckdb = pytest.importorskip("duckdb", reason="needs duckdb")
pytest.importorskip("pyarrow", reason='needs pip install "sgw-scanner[parquet]"')


def query(fleet: Inventory, folder: Path, sql: str) -> list[tuple[Any, ...]]:
    place = folder / "a.parquet"
    place.write_bytes(written(fleet, ".parquet"))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found: list[tuple[Any, ...]] = connection.execute(sql.replace("FILE", f"'{place}'")).fetchall()
    return found


def test_the_columns_are_typed(tmp_path: Path) -> None:
    """Times are times, sizes are integers, tags are a map."""
    described = query(inventory(), tmp_path, "DESCRIBE SELECT * FROM FILE")
    types = {row[0]: row[1] for row in described}
    assert list(types) == [column.name for column in COLUMNS]
    assert types["size_bytes"] == "BIGINT"
    assert types["recovery_point_time"] == "TIMESTAMP WITH TIME ZONE"
    assert types["age_seconds"] == "DOUBLE"
    assert types["tags"] == "MAP(VARCHAR, VARCHAR)"
    assert types["verdict"] == "VARCHAR"


def test_the_rows_are_the_volumes(tmp_path: Path) -> None:
    """What is not known is NULL, never zero or an empty text."""
    fleet = inventory(whole=False)
    tagged = fleet.volumes[0].model_copy(update={"tags": {"tier": "1"}})
    fleet = fleet.model_copy(update={"volumes": (tagged, *fleet.volumes[1:])})
    found = query(
        fleet,
        tmp_path,
        "SELECT volume_arn, size_bytes, usage_bytes, verdict, age_seconds, scan_outcome,"
        " tags['tier'], epoch_ms(recovery_point_time) FROM FILE",
    )
    found, unread = found[: len(fleet.volumes)], found[len(fleet.volumes) :]
    assert {row[:5] for row in unread} == {(None, None, None, "not_read", None)}
    assert [row[:5] for row in found] == [
        (v.arn, v.size_bytes, v.usage_bytes, v.verdict.status.value, v.verdict.age_seconds)
        for v in fleet.volumes
    ]
    assert {row[5] for row in found} == {"partial"}
    assert [row[6] for row in found] == ["1"] + [None] * (len(fleet.volumes) - 1)
    for row, volume in zip(found, fleet.volumes, strict=True):
        point = volume.recovery_point_time
        assert row[7] == (point and round((point - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000))


def test_an_empty_fleet_is_a_file_that_can_be_read(tmp_path: Path) -> None:
    """No rows, all columns, and the coverage that says why."""
    fleet = inventory(0, 0)
    assert query(fleet, tmp_path, "SELECT count(*) FROM FILE") == [(0,)]
    metadata = query(fleet, tmp_path, "SELECT key, value FROM parquet_kv_metadata(FILE)")
    texts = {bytes(key): value for key, value in metadata}
    assert json.loads(texts[b"sgw_scanner.coverage"])["targets"]["planned"] == 2
    assert json.loads(texts[b"sgw_scanner.scan"])["outcome"] == "complete"
