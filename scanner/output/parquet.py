"""A table as one typed Parquet file, for DuckDB, Athena and data frames."""

from itertools import islice
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from scanner.inventory.contents import Contents
from scanner.output.columns import Kind
from scanner.output.tables import TABLES

_BATCH = 32_768

# Athena reads no dictionary type from the schema, so text is plain here; the file is
# dictionary-encoded all the same.
_TYPES: dict[Kind, Any] = {
    Kind.TEXT: pa.string(),
    Kind.ACCOUNT: pa.string(),
    Kind.TIME: pa.timestamp("us", tz="UTC"),
    Kind.BYTES: pa.int64(),
    Kind.SECONDS: pa.float64(),
    Kind.TAGS: pa.map_(pa.string(), pa.string()),
    Kind.COUNT: pa.int64(),
    Kind.FLAG: pa.bool_(),
}


def schema(inventory: Contents, table: str = "volumes") -> Any:
    """The columns, with the scan and its coverage as metadata: even an empty file says what it is."""
    metadata: dict[str | bytes, str | bytes] = {
        "sgw_scanner.schema_version": inventory.schema_version,
        "sgw_scanner.scan": inventory.scan.model_dump_json(),
        "sgw_scanner.coverage": inventory.coverage.model_dump_json(),
    }
    fields = [
        pa.field(column.name, _TYPES[column.kind], metadata={"description": column.meaning})
        for column in TABLES[table].columns
    ]
    return pa.schema(fields, metadata=metadata)


def write(inventory: Contents, stream: BinaryIO, table: str = "volumes") -> None:
    """Writes one of the `TABLES` in groups of 32,768 rows: what is held at once does not grow with the fleet."""
    layout = schema(inventory, table)
    kinds = [column.kind for column in TABLES[table].columns]
    remaining = TABLES[table].rows(inventory)
    with pq.ParquetWriter(stream, layout, compression="zstd") as writer:
        while batch := list(islice(remaining, _BATCH)):
            # zip(*batch) would make an iterator for each row, and the garbage collector walk all of them.
            columns = [_array(kind, [row[number] for row in batch]) for number, kind in enumerate(kinds)]
            writer.write_table(pa.Table.from_arrays(columns, schema=layout))


def _array(kind: Kind, values: list[Any]) -> Any:
    if kind is Kind.TAGS:
        values = [None if tags is None else sorted(tags.items()) for tags in values]
    return pa.array(values, _TYPES[kind])
