"""docs/outputs.md says what the code does."""

import re
from pathlib import Path

import duckdb
import pytest

from scanner.inventory.parts import KINDS
from scanner.inventory.records import VerdictStatus
from scanner.output import FORMATS
from scanner.output.columns import COLUMNS, Kind
from scanner.output.csv import harmless
from scanner.output.parquet import schema
from tests.output.fleet import HOSTILE, inventory, written

PAGE = (Path(__file__).parents[2] / "docs/outputs.md").read_text()
IN_CSV = {
    Kind.TEXT: "text",
    Kind.ACCOUNT: "text",
    Kind.TIME: "RFC 3339, UTC",
    Kind.BYTES: "integer",
    Kind.SECONDS: "decimal, three places",
    Kind.TAGS: "JSON object",
}
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)


def test_every_format_is_listed_with_what_it_needs() -> None:
    """And no other."""
    rows = re.findall(r"^\| `(\.\w+)` \|.*\| ([^|]*)\|$", PAGE, re.MULTILINE)
    assert {suffix: needs.strip() for suffix, needs in rows} == {
        suffix: f'`pip install "sgw-scanner[{format.extra}]"`' if format.extra else ""
        for suffix, format in FORMATS.items()
    }


def test_every_column_is_explained_in_its_order() -> None:
    """Name, form in CSV, type in Parquet, meaning."""
    types = {field.name: re.sub("tz=", "", str(field.type)) for field in schema(inventory())}
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| `([^`]+)` \| (.+) \|$", PAGE, re.MULTILINE)
    assert [(name, form, re.sub(r" \('.*'\)", "", kind), meaning) for name, form, kind, meaning in rows] == [
        (column.name, IN_CSV[column.kind], types[column.name], column.meaning) for column in COLUMNS
    ]


def test_every_kind_of_record_is_explained() -> None:
    """In NDJSON."""
    rows = re.findall(r"^\| `([a-z_]+)` \| [^|]+ \| one", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(KINDS)


def test_every_guarded_character_is_named() -> None:
    """Those that a CSV cell may not begin with."""
    for name in ("=", "+", "-", "@", "＝", "＋", "－", "＠"):
        assert harmless(name) == f"'{name}"
        assert name in PAGE
    names = {"\t": "tab", "\r": "carriage return", "\n": "newline", "'": "apostrophe", '"': "quotation mark"}
    for letter, name in names.items():
        assert harmless(letter) == f"'{letter}"
        assert name in PAGE


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_the_way_back_from_csv_is_the_one_described(text: str) -> None:
    """The line of Python that undoes the apostrophes, as it stands."""
    (line,) = re.findall(r"```python\ntext = (.*?)\n```", PAGE)
    assert eval(line, {"re": re, "cell": harmless(text)}) == text


@pytest.mark.parametrize("query", QUERIES)
def test_the_queries_run(query: str, tmp_path: Path) -> None:
    """In DuckDB, as they stand."""
    of = inventory(3, 20)
    place = tmp_path / "volumes.parquet"
    place.write_bytes(written(of, ".parquet"))
    with duckdb.connect() as connection:
        found = connection.execute(query.replace("volumes.parquet", str(place))).fetchall()
    breaches = [v for v in of.volumes if v.verdict.status is VerdictStatus.BREACH and not v.verdict.waived]
    if "share" in query:
        assert len(found) == min(20, len(breaches))
    else:
        assert '"planned":2' in found[0][0]


def test_there_are_queries_to_run() -> None:
    """Or the test above would say nothing."""
    assert len(QUERIES) == 2
