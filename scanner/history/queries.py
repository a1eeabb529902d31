"""SQL over a history, in a database that can read its files and nothing else."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from scanner.errors import HistoryError
from scanner.history.database import connected, quoted
from scanner.history.store import History
from scanner.history.tables import TABLES

if TYPE_CHECKING:
    import duckdb

TIME_LIMIT = timedelta(seconds=60)
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
    """
    import duckdb

    with views(history) as database:
        if _is_no_query(database, sql):
            raise HistoryError("history sql answers one SELECT at a time, and changes nothing")
        # DuckDB has no time limit of its own.
        timer = threading.Timer(time_limit.total_seconds(), database.interrupt)
        timer.start()
        try:
            found = database.execute(sql)
            columns = tuple(column[0] for column in found.description or ())
            return Answer(columns, tuple(found.fetchall()))
        except duckdb.InterruptException:
            limit = f"{time_limit.total_seconds():g} s"
            raise HistoryError(f"the query took longer than {limit} and was ended; narrow it") from None
        except duckdb.Error as error:
            raise HistoryError(f"SQL: {error}") from None
        finally:
            timer.cancel()


def _is_no_query(database: "duckdb.DuckDBPyConnection", sql: str) -> bool:
    import duckdb

    try:
        statements = database.extract_statements(sql)
    except duckdb.Error as error:
        raise HistoryError(f"SQL: {error}") from None
    allowed = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
    return len(statements) != 1 or statements[0].type not in allowed


@contextmanager
def views(history: History) -> Iterator["duckdb.DuckDBPyConnection"]:
    """A locked database with the history's views; raises HistoryError where the history cannot be read."""
    manifests = history.manifests()
    names = [manifest.name for manifest in manifests]
    data = {table: [manifest.file(table).name for manifest in manifests] for table in TABLES}
    paths = [
        str(history.folder.path(name))
        for name in (*names, *(each for group in data.values() for each in group))
    ]
    missing = next((path for path in paths if not history.folder.path(path).is_file()), None)
    if missing:
        raise HistoryError(f"{missing}: is missing; `sgw-scanner history check` says what else is")
    with connected() as database:
        database.execute(f"SET allowed_paths = [{', '.join(map(quoted, paths))}]")
        database.execute("SET enable_external_access = false")
        database.execute(_manifests_view(history, names))
        for table in TABLES.values():
            database.execute(_files_view(history, table.name, data[table.name]))
        database.execute(files("scanner.history").joinpath("views.sql").read_text(encoding="utf-8"))
        database.execute("SET lock_configuration = true")
        yield database


def _manifests_view(history: History, names: Sequence[str]) -> str:
    columns = f"columns = {{scan: {quoted(_SCAN)}, coverage: 'JSON'}}"
    if not names:
        return f"CREATE VIEW kept_scans AS SELECT NULL::{_SCAN} AS scan, NULL::JSON AS coverage LIMIT 0"
    return f"CREATE VIEW kept_scans AS FROM read_json({_list(history, names)}, {columns})"


def _files_view(history: History, name: str, found: Sequence[str]) -> str:
    table = TABLES[name]
    if found:
        return f"CREATE VIEW kept_{name} AS FROM read_parquet({_list(history, found)}, union_by_name = true)"
    types = {"scan_id": "VARCHAR", "scanned_at": "TIMESTAMP"}
    for column, expression in table.columns.items():
        kind = table.fields.get(expression, "DOUBLE" if column.endswith("_seconds") else "VARCHAR")
        types[column] = "VARCHAR" if kind == "JSON" else kind
    columns = ", ".join(f"NULL::{kind} AS {column}" for column, kind in types.items())
    return f"CREATE VIEW kept_{name} AS SELECT {columns} LIMIT 0"


def _list(history: History, names: Sequence[str]) -> str:
    return "[" + ", ".join(quoted(history.folder.path(name)) for name in names) + "]"
