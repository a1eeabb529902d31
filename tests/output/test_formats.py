"""The table of formats: every suffix, every missing library, every hostile name."""

import csv
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from io import BytesIO, StringIO

import pyarrow.parquet
import pytest
from prometheus_client.parser import text_string_to_metric_families

from scanner.errors import OutputError
from scanner.output import FORMATS, format_of
from scanner.output.text import printable
from tests.output.fleet import HOSTILE, hostile, written
from tests.output.page import Page

PLAIN = "plain name"


@pytest.mark.parametrize("suffix", FORMATS)
def test_each_suffix_names_its_format(suffix: str) -> None:
    """Also in capitals, in folders and in buckets."""
    for place in (f"a{suffix}", f"A{suffix.upper()}", f"s3://bucket/key/a{suffix}", f"/a.b/c{suffix}"):
        assert format_of(place) is FORMATS[suffix]


def test_a_dash_is_json() -> None:
    """Standard output has no suffix."""
    assert format_of("-").suffix == ".json"


@pytest.mark.parametrize("place", ["inventory.xlsx", "inventory", "s3://bucket", ".json", "folder.json/x"])
def test_an_unknown_suffix_names_those_that_are_known(place: str) -> None:
    """The error is the list one would have looked up."""
    with pytest.raises(OutputError, match=r"use one of \.json, \.ndjson, \.csv"):
        format_of(place)


def test_a_missing_library_names_the_extra() -> None:
    """The remedy is a line to paste."""
    format = replace(FORMATS[".json"], suffix=".x", needs=("os", "no_such_library"), extra="parquet")
    with pytest.raises(OutputError, match=r'needs no_such_library; .*pip install "sgw-scanner\[parquet\]"'):
        format.check("a.x")
    FORMATS[".json"].check("a.json")


def _in_json(data: bytes) -> Iterable[str | None]:
    document = json.loads(data)
    yield from (gateway["name"] for gateway in document["gateways"])
    yield from (failure["message"] for failure in document["failures"])
    yield from (tag for volume in document["volumes"] for pair in volume["tags"].items() for tag in pair)


def _in_ndjson(data: bytes) -> Iterable[str | None]:
    assert data.count(b"\n") == len(data.split(b"\n")) - 1
    for line in data.decode().removesuffix("\n").split("\n"):
        record = json.loads(line)
        if record["record"] == "gateway":
            yield record["name"]


def _in_csv(data: bytes) -> Iterable[str | None]:
    for row in csv.DictReader(StringIO(data.decode(), newline="")):
        for column in ("account_name", "gateway_name", "rule", "waived", "attachment_status", "ou_path"):
            cell = row[column]
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
            yield re.sub(r"(^|[;\t\r\n])'", r"\1", cell)
        yield from json.loads(row["tags"])


def _in_metrics(data: bytes) -> Iterable[str | None]:
    for family in text_string_to_metric_families(data.decode()):
        for sample in family.samples:
            if "gateway_name" in sample.labels:
                yield sample.labels["gateway_name"]


def _in_parquet(data: bytes) -> Iterable[str | None]:
    for row in pyarrow.parquet.read_table(BytesIO(data)).to_pylist():
        yield from (row[name] for name in ("account_name", "gateway_name", "rule", "waived", "ou_path"))
        yield from (text for pair in row["tags"] for text in pair)


def _in_page(data: bytes) -> Iterable[str | None]:
    page, plain = Page(data), Page(written(hostile(PLAIN), ".html"))
    assert page.tags == plain.tags
    for name, was in zip(page.names, plain.names, strict=True):
        if was == PLAIN:
            yield name
        else:
            assert name == was
    held = page.data
    yield from (gateway[1] for gateway in held["gateways"])
    yield from (text for _, *texts in held["accounts"] for text in texts)
    yield from held["rules"] + held["waivers"] + held["attached"]
    yield from (text for tags in held["tags"] for pair in tags for text in pair)


READERS: dict[str, Callable[[bytes], Iterable[str | None]]] = {
    ".json": _in_json,
    ".ndjson": _in_ndjson,
    ".csv": _in_csv,
    ".parquet": _in_parquet,
    ".html": _in_page,
    ".prom": _in_metrics,
}


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_other_peoples_text_is_harmless_and_comes_back_whole(suffix: str, text: str) -> None:
    """Each format is read back by an independent reader, and every name is what it was.

    The page is for eyes: it shows a character that nobody could see, or that would reorder others, as
    its escape, and all others as they are.
    """
    found = list(READERS[suffix](written(hostile(text), suffix)))
    assert found
    assert set(found) == {printable(text) if suffix == ".html" else text}
