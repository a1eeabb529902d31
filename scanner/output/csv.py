"""A table as CSV (RFC 4180, UTF-8), with cells that no spreadsheet takes for a formula."""

import json
import re
from collections.abc import Callable
from io import TextIOWrapper
from typing import Any, BinaryIO

from scanner.inventory.contents import Contents
from scanner.inventory.records import rfc3339
from scanner.output.columns import Kind
from scanner.output.tables import TABLES

# The apostrophe is among them so that taking one off always gives back the text as it was; the quotation
# mark because a spreadsheet takes it off and looks behind it. The wide forms are what spreadsheets in East
# Asian locales read as the plain ones.
_ACTIVE = "=+@'\"＝＋－＠-"
_BLANK = "\t\r\n"
_FIRST = frozenset(_ACTIVE + _BLANK)
# Where the comma is the decimal point a spreadsheet splits at semicolons, others at tabs, and quotes within
# what they take for one cell hold nothing together: whatever follows such a place may begin a cell.
_GUARDED = re.compile(rf"\A(?=[{_BLANK}{_ACTIVE}])|(?<=[;{_BLANK}])(?=[{_ACTIVE}])")
_QUOTED = re.compile(f'[",;{_BLANK}]')


def harmless(text: str) -> str:
    """`text`, with an apostrophe put before anything that a spreadsheet would run."""
    return _GUARDED.sub("'", text)


def in_cell(text: str) -> str:
    """`text` as a cell that no spreadsheet runs, and that no reader splits."""
    # Most texts are ids, and a look at their first letter and a search are cheaper than a replacement.
    special = _QUOTED.search(text)
    if not special and text[:1] not in _FIRST:
        return text or '""'
    guarded = harmless(text)
    return _in_quotes(guarded) if special else guarded


def _in_quotes(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _tags(tags: dict[str, str]) -> str:
    # Of what could end a cell JSON escapes all but the semicolon, for which it has an escape, too.
    return _in_quotes(json.dumps(tags, ensure_ascii=False, sort_keys=True).replace(";", "\\u003b"))


_FORMS: dict[Kind, Callable[[Any], str]] = {
    Kind.TEXT: in_cell,
    # A spreadsheet that takes what is quoted for text keeps the zeros that an id begins with.
    Kind.ACCOUNT: _in_quotes,
    Kind.TIME: rfc3339,
    Kind.BYTES: str,
    Kind.SECONDS: "{:.3f}".format,
    Kind.TAGS: _tags,
    Kind.COUNT: str,
    Kind.FLAG: {True: "true", False: "false"}.__getitem__,
}


def write(inventory: Contents, stream: BinaryIO, table: str = "volumes") -> None:
    """Writes a header and the rows of one of the `TABLES`; what is not known is an empty cell."""
    columns, rows = TABLES[table].columns, TABLES[table].rows
    forms = [_FORMS[column.kind] for column in columns]
    # csv.writer has no way to quote for a semicolon, too.
    text = TextIOWrapper(stream, encoding="utf-8", newline="", write_through=False)
    text.write(",".join(column.name for column in columns) + "\r\n")
    for row in rows(inventory):
        cells = ["" if value is None else form(value) for form, value in zip(forms, row, strict=True)]
        text.write(",".join(cells) + "\r\n")
    text.flush()
    # Otherwise the wrapper closes the caller's stream when it is collected.
    text.detach()
