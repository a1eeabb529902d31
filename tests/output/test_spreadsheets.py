"""The CSV in the spreadsheets that people open it with: LibreOffice and Gnumeric, where they are installed."""

import csv
import gzip
import subprocess
from datetime import datetime
from pathlib import Path
from shutil import which
from typing import Any
from xml.etree import ElementTree

import duckdb
import pytest

from scanner.inventory.model import Inventory
from tests.output.fleet import inventory, written
from tests.strategies import NOW

NAME = "Größe Zürich 大"
ACCOUNT = "000000000001"
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
GNUMERIC = "{http://www.gnumeric.org/v10.dtd}"
COMMA, QUOTE, UTF_8 = 44, 34, 76
EPOCH = datetime(1899, 12, 30)


def fleet() -> Inventory:
    """An account whose id begins with a zero, and letters beyond ASCII."""
    whole = inventory(1, 2)
    return whole.model_copy(
        update={
            "gateways": tuple(each.model_copy(update={"name": NAME}) for each in whole.gateways),
            "targets": tuple(each.model_copy(update={"account_name": NAME}) for each in whole.targets),
        }
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "volumes.csv"
    file.write_bytes(written(fleet(), ".csv"))
    return file


def needs(program: str, package: str) -> None:
    if which(program) is None:
        pytest.skip(f"needs {program}, which the Debian package {package} has")


def test_libreoffice_keeps_ids_times_and_letters(source: Path) -> None:
    """With quoted fields as text, as the docs say; the token is what its import dialog makes."""
    needs("soffice", "libreoffice-calc-nogui")
    subprocess.run(
        [
            "soffice",
            f"-env:UserInstallation=file://{source.parent}/profile",
            "--headless",
            f"--infilter=Text - txt - csv (StarCalc):{COMMA},{QUOTE},{UTF_8},1,,0,true",
            "--convert-to",
            "fods",
            "--outdir",
            str(source.parent),
            str(source),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    sheet = ElementTree.parse(source.with_suffix(".fods"))
    names, first = [
        [(cell.get(f"{OFFICE}value-type"), "".join(cell.itertext()).strip()) for cell in _spread(row)]
        for row in list(sheet.iter(f"{TABLE}table-row"))[:2]
    ]
    found = dict(zip((name for _, name in names), first, strict=False))
    assert found["account_id"] == ("string", ACCOUNT)
    assert found["gateway_name"] == ("string", NAME)
    assert found["observed_at"] == ("string", "2026-11-24T03:00:00.000Z")
    assert found["size_bytes"][0] == "float"


def _spread(row: ElementTree.Element) -> list[ElementTree.Element]:
    """The cells of a row, those that are said once for several columns repeated."""
    cells = [each for each in row if each.tag == f"{TABLE}table-cell"]
    return [
        cell for cell in cells for _ in range(min(64, int(cell.get(f"{TABLE}number-columns-repeated", "1"))))
    ]


def test_gnumeric_keeps_times_and_letters_and_the_id_in_the_arn(source: Path) -> None:
    """Unasked it takes an id for a number, whatever is quoted."""
    needs("ssconvert", "gnumeric")
    target = source.with_suffix(".gnumeric")
    subprocess.run(["ssconvert", str(source), str(target)], check=True, capture_output=True, timeout=120)
    book = ElementTree.fromstring(gzip.decompress(target.read_bytes()))
    cells = {(cell.get("Row"), cell.get("Col")): cell.text for cell in book.iter(f"{GNUMERIC}Cell")}
    names = {text: column for (row, column), text in cells.items() if row == "0"}

    def first(name: str) -> Any:
        return cells["1", names[name]]

    assert first("gateway_name") == NAME
    assert f":{ACCOUNT}:" in first("gateway_arn")
    assert (NOW.replace(tzinfo=None) - EPOCH).total_seconds() / 86400 == float(first("observed_at"))


def test_duckdb_and_csv_readers_have_ids_and_times_as_they_are(source: Path) -> None:
    rows = list(csv.DictReader(source.read_text(encoding="utf-8").splitlines()))
    assert {row["account_id"] for row in rows} == {ACCOUNT}
    read = duckdb.connect().sql(
        f"SELECT account_id, observed_at FROM read_csv('{source}', types = {{'account_id': 'VARCHAR'}})"
    )
    assert read is not None
    assert [str(kind) for kind in read.types] == ["VARCHAR", "TIMESTAMP WITH TIME ZONE"]
    assert set(read.fetchall()) == {(ACCOUNT, NOW)}
