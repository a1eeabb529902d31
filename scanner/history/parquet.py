"""Records to Parquet and back: lean columns, sorted, compressed."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from scanner.errors import HistoryError
from scanner.history.database import WRITER, connected, quoted, require_duckdb
from scanner.history.tables import LEVEL, ROW_GROUP, Table
from scanner.inventory.records import ScanInfo

CHECK_REMEDY = "`sgw-scanner history check` names every damaged file"
_BATCH = 1000


def write_table(table: Table, records: Iterable[BaseModel], scan: ScanInfo, path: Path) -> int:
    """Writes the records of one scan as a Parquet file at `path`; returns how many there were.

    Raises HistoryError where it cannot be written, for one because the disk is full.
    """
    require_duckdb()
    import duckdb

    lines = path.with_suffix(".ndjson")
    rows = 0
    try:
        with lines.open("w", encoding="utf-8") as stream:
            for record in records:
                stream.write(record.model_dump_json())
                stream.write("\n")
                rows += 1
        with connected(WRITER) as database:
            database.execute(_copy(table, lines, scan, path))
    except duckdb.Error as error:
        raise HistoryError(f"{path}: cannot be written: {error}") from None
    finally:
        lines.unlink(missing_ok=True)
    return rows


def _copy(table: Table, lines: Path, scan: ScanInfo, path: Path) -> str:
    types = ", ".join(f"{name}: {quoted(kind)}" for name, kind in table.fields.items())
    source = f"read_json({quoted(lines)}, format = 'newline_delimited', columns = {{{types}}})"
    columns = ", ".join(
        f"{expression}{'::VARCHAR' if table.fields.get(name) == 'JSON' else ''} AS {name}"
        for name, expression in table.columns.items()
    )
    started = scan.started_at.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
    return (
        f"COPY (SELECT {quoted(scan.id)} AS scan_id, TIMESTAMP {quoted(started)} AS scanned_at, {columns}"
        f" FROM {source})"
        f" TO {quoted(path)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {LEVEL},"
        f" PARQUET_VERSION V2, ROW_GROUP_SIZE {ROW_GROUP})"
    )


def read_table(table: Table, path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file as the JSON form of the inventory's records; columns not there yet are null.

    Raises HistoryError for a damaged file.
    """
    import duckdb

    with connected() as database:
        try:
            found = database.execute(f"SELECT * FROM {parquet_of([path])}")
            names = [column[0] for column in found.description or ()]
            while rows := found.fetchmany(_BATCH):
                for row in rows:
                    yield _record(table, dict(zip(names, row, strict=True)))
        except duckdb.Error as error:
            raise HistoryError(f"{path}: cannot be read: {error}; {CHECK_REMEDY}") from None


def parquet_of(paths: Iterable[Path], *, more: str = "") -> str:
    """The files at `paths` as a table of SQL; a column that an older file has not is null there.

    `more` are further options of DuckDB's `read_parquet`.
    """
    # The folders' names would become a column otherwise.
    options = f"union_by_name = true, hive_partitioning = false{more}"
    return f"read_parquet([{', '.join(map(quoted, paths))}], {options})"


def _record(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for column, expression in table.columns.items():
        value = _json(row.get(column))
        field, _, part = expression.partition(".")
        if part:
            record.setdefault(field, {})[part] = value
        elif table.fields[field] == "JSON" and isinstance(value, str):
            record[field] = json.loads(value)
        else:
            record[field] = value
    for field, kind in table.fields.items():
        if kind.startswith("STRUCT") and not any(value is not None for value in record[field].values()):
            record[field] = None
    if "id" in table.fields:
        record["id"] = str(record["arn"]).rpartition("/")[2]
    return record


def _json(value: Any) -> Any:
    # All times of the history are in UTC, without a zone of their own.
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def sum_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits; raises HistoryError where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise HistoryError(f"{path}: {error.strerror}") from None
