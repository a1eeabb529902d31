"""A row for each volume as CSV (RFC 4180, UTF-8), with cells that no spreadsheet takes for a formula."""

import csv
import json
from collections.abc import Callable
from io import TextIOWrapper
from typing import Any, BinaryIO

from scanner.model import Inventory
from scanner.output.columns import COLUMNS, Kind, rows
from scanner.records import rfc3339

# The apostrophe is among them so that taking one off always gives back the text as it was. The wide
# forms are what spreadsheets in East Asian locales read as the plain ones.
_ACTIVE = frozenset("=+-@\t\r\n'＝＋－＠")


def harmless(text: str) -> str:
    """`text`, with an apostrophe put before anything that a spreadsheet would run."""
    return f"'{text}" if text[:1] in _ACTIVE else text


def _tags(tags: dict[str, str]) -> str:
    return json.dumps(tags, ensure_ascii=False, sort_keys=True)


_FORMS: dict[Kind, Callable[[Any], str]] = {
    Kind.TEXT: harmless,
    Kind.TIME: rfc3339,
    Kind.BYTES: str,
    Kind.SECONDS: "{:.3f}".format,
    Kind.TAGS: _tags,
}


def write(inventory: Inventory, stream: BinaryIO) -> None:
    """Writes a header and a row for each volume; what is not known is an empty cell."""
    forms = [_FORMS[column.kind] for column in COLUMNS]
    text = TextIOWrapper(stream, encoding="utf-8", newline="", write_through=False)
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(column.name for column in COLUMNS)
    for row in rows(inventory):
        lines.writerow(["" if value is None else form(value) for form, value in zip(forms, row, strict=True)])
    text.flush()
    # Otherwise the wrapper closes the caller's stream when it is collected.
    text.detach()
