"""SQL over a history, in a database that can read its files and nothing else."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from scanner.errors import HistoryError
from scanner.history.database import connected, quoted
from scanner.history.manifest import Manifest
from scanner.history.parquet import parquet_of
from scanner.history.store import History
from scanner.history.tables import TABLES, VOLUMES, Table

if TYPE_CHECKING:
    import duckdb

Result = TypeVar("Result")
TIME_LIMIT = timedelta(seconds=60)
MOST_ROWS = 1_000_000
"""Of an answer, which is held in memory."""
_SCAN = (
    "STRUCT(id VARCHAR, started_at TIMESTAMP, finished_at TIMESTAMP, outcome VARCHAR,"
    " deadline_reached BOOLEAN, interrupted BOOLEAN, scanner_version VARCHAR)"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a query; times are naive datetimes in UTC."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def query(history: History, sql: str, *, time_limit: timedelta = TIME_LIMIT) -> Answer:
    """Runs one SELECT over the views scans, targets, gateways, volumes, failures, latest, spells, compliance.

    The database is locked: it reads the history's own files, writes nothing, loads no extension, and has
    bounds of memory and time. Raises HistoryError for what is refused, wrong or takes longer than `time_limit`.
    A damaged file costs its scan, which is left out with a warning.
    """
    return asked(history, lambda database: _answer(database, sql, time_limit))


def asked(history: History, ask: "Callable[[duckdb.DuckDBPyConnection], Result]") -> Result:
    """What `ask` reads from a locked database with the history's views; without scans that are damaged.

    Raises HistoryError where the history cannot be read, or where DuckDB refuses.
    """
    with connected() as database:
        import duckdb

        try:
            _open_views(database, history)
            return ask(database)
        except duckdb.Error as error:
            # To compare all sums takes long, so nobody does before there is a reason.
            if isinstance(error, _faults_of_the_query()) or not history.leave_out_damaged():
                raise HistoryError(f"SQL: {error}") from None
    return asked(history, ask)


def _faults_of_the_query() -> tuple[type[Exception], ...]:
    import duckdb

    return (
        duckdb.ParserException,
        duckdb.BinderException,
        duckdb.CatalogException,
        duckdb.PermissionException,
        duckdb.OutOfMemoryException,
    )


def _answer(database: "duckdb.DuckDBPyConnection", sql: str, time_limit: timedelta) -> Answer:
    import duckdb

    statements = database.extract_statements(sql)
    # EXPLAIN would be harmless, but EXPLAIN ANALYZE runs whatever it explains.
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise HistoryError("history sql answers one SELECT at a time, and changes nothing")
    # DuckDB has no time limit of its own.
    timer = threading.Timer(time_limit.total_seconds(), database.interrupt)
    timer.start()
    try:
        found = database.execute(sql)
        columns = tuple(column[0] for column in found.description or ())
        rows = found.fetchmany(MOST_ROWS + 1)
        if len(rows) > MOST_ROWS:
            raise HistoryError(
                f"the answer has more than {MOST_ROWS:,} rows; narrow the query, or read the Parquet files themselves"
            )
        return Answer(columns, tuple(rows))
    except MemoryError:
        raise HistoryError("the query needs more memory than there is; narrow it") from None
    except duckdb.InterruptException:
        limit = f"{time_limit.total_seconds():g} s"
        raise HistoryError(f"the query took longer than {limit} and was ended; narrow it") from None
    finally:
        timer.cancel()


def _open_views(database: "duckdb.DuckDBPyConnection", history: History) -> None:
    kept = history.manifests()
    manifests = [history.folder.path(manifest.name) for manifest in kept]
    data = {table: history.paths(table, kept) for table in TABLES}
    readable = (*manifests, *(path for paths in data.values() for path in paths))
    database.execute(f"SET allowed_paths = [{', '.join(map(quoted, readable))}]")
    database.execute("SET enable_external_access = false")
    database.execute(_manifests_view(manifests))
    for table in TABLES.values():
        database.execute(_files_view(table, data[table.name]))
    _place(database, kept, data[VOLUMES.name])
    database.execute(files("scanner.history").joinpath("views.sql").read_text(encoding="utf-8"))
    database.execute("SET lock_configuration = true")


def _manifests_view(paths: Sequence[Path]) -> str:
    if not paths:
        return f"CREATE VIEW kept_scans AS SELECT NULL::{_SCAN} AS scan, NULL::JSON AS coverage LIMIT 0"
    options = f"columns = {{scan: {quoted(_SCAN)}, coverage: 'JSON'}}, hive_partitioning = false"
    return f"CREATE VIEW kept_scans AS FROM read_json([{', '.join(map(quoted, paths))}], {options})"


def _place(database: "duckdb.DuckDBPyConnection", kept: Sequence[Manifest], volumes: Sequence[Path]) -> None:
    """Numbers the parts of scans in the order of time, and the rows of volumes with them."""
    moments = [manifest.scan.started_at.astimezone(UTC).replace(tzinfo=None) for manifest in kept]
    database.execute(
        "CREATE TABLE moments AS SELECT generate_subscripts($1, 1)::INT - 1 AS place, unnest($1) AS scanned_at",
        [moments],
    )
    database.execute(f"SET VARIABLE places = {len(moments)}")
    placed = (
        f"file_index::INT AS place FROM {parquet_of(volumes)}" if volumes else "0 AS place FROM kept_volumes"
    )
    database.execute(f"CREATE VIEW placed_volumes AS SELECT *, {placed}")


def _files_view(table: Table, paths: Sequence[Path]) -> str:
    if paths:
        return f"CREATE VIEW kept_{table.name} AS FROM {parquet_of(paths)}"
    types = {"scan_id": "VARCHAR", "scanned_at": "TIMESTAMP"}
    for column, expression in table.columns.items():
        kind = table.fields.get(expression, "DOUBLE" if column.endswith("_seconds") else "VARCHAR")
        types[column] = "VARCHAR" if kind == "JSON" else kind
    columns = ", ".join(f"NULL::{kind} AS {column}" for column, kind in types.items())
    return f"CREATE VIEW kept_{table.name} AS SELECT {columns} LIMIT 0"
