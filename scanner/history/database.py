"""DuckDB as the history uses it: in memory, bounded, with nothing loaded from outside."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scanner.errors import HistoryError
from scanner.extras import install_command

if TYPE_CHECKING:
    import duckdb

BOUNDS: Mapping[str, Any] = {
    "memory_limit": "1GB",
    "threads": 2,
    # Nothing is written beside the working folder when memory runs short.
    "temp_directory": "",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
}
WRITER: Mapping[str, Any] = {**BOUNDS, "memory_limit": "256MB", "threads": 1}


def require_duckdb() -> None:
    """Raises HistoryError, with the command that helps, where DuckDB is not installed."""
    try:
        import duckdb  # noqa: F401
    except ImportError:
        raise HistoryError(
            f"the history needs duckdb; install it with: {install_command('history')}"
        ) from None


@contextmanager
def connected(bounds: Mapping[str, Any] = BOUNDS) -> Iterator["duckdb.DuckDBPyConnection"]:
    """A database of its own, closed at the end; raises HistoryError where DuckDB is not installed."""
    require_duckdb()
    import duckdb

    connection = duckdb.connect(":memory:", config=dict(bounds))
    try:
        yield connection
    finally:
        connection.close()


def quoted(value: str | Path) -> str:
    """`value` as a string literal of SQL."""
    return "'" + str(value).replace("'", "''") + "'"
