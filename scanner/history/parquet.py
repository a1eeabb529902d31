"""Records to Parquet and back: lean columns, sorted, compressed."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from scanner.history.database import WRITER, connected, quoted
from scanner.history.tables import LEVEL, ROW_GROUP, Table
from scanner.inventory.records import ScanInfo

_BATCH = 1000


def write_table(table: Table, records: Iterable[BaseModel], scan: ScanInfo, path: Path) -> int:
    """Writes the records of one scan as a Parquet file at `path`; returns how many there were."""
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
        f" FROM {source} ORDER BY {table.order})"
        f" TO {quoted(path)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {LEVEL},"
        f" PARQUET_VERSION V2, ROW_GROUP_SIZE {ROW_GROUP})"
    )


def read_table(table: Table, paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """The rows of `paths` as the JSON form of the inventory's records; columns not there yet are null."""
    if not paths:
        return
    files = ", ".join(quoted(path) for path in paths)
    with connected() as database:
        found = database.execute(
            f"SELECT * FROM read_parquet([{files}], union_by_name = true) ORDER BY {table.order}"
        )
        names = [column[0] for column in found.description or ()]
        while rows := found.fetchmany(_BATCH):
            for row in rows:
                yield _record(table, dict(zip(names, row, strict=True)))


def _record(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    record = {name: _json(row.get(name)) for name, kind in table.fields.items() if name in table.columns}
    if "id" in table.fields:
        record["id"] = str(record["arn"]).rpartition("/")[2]
    for name, kind in table.fields.items():
        if kind == "JSON" and isinstance(record.get(name), str):
            record[name] = json.loads(record[name])
        if kind.startswith("STRUCT"):
            record[name] = _nested(table, name, row)
    return record


def _nested(table: Table, name: str, row: dict[str, Any]) -> dict[str, Any] | None:
    parts = {
        expression.removeprefix(f"{name}."): _json(row.get(column))
        for column, expression in table.columns.items()
        if expression.startswith(f"{name}.")
    }
    return parts if any(value is not None for value in parts.values()) else None


def _json(value: Any) -> Any:
    # All times of the history are in UTC, without a zone of their own.
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def sum_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
