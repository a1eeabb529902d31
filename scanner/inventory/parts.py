"""The records of an inventory's file, one at a time: JSON lines, or one JSON document of any layout."""

import json
import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from json.decoder import JSONDecoder
from pathlib import PurePath
from typing import BinaryIO

from pydantic import ValidationError

from scanner.errors import ConfigError
from scanner.inventory.records import (
    SCHEMA_VERSION,
    Coverage,
    Failure,
    Gateway,
    LastKnown,
    Record,
    ScanInfo,
    Target,
    Volume,
)

KINDS: dict[str, type[Record]] = {
    "scan": ScanInfo,
    "coverage": Coverage,
    "target": Target,
    "gateway": Gateway,
    "volume": Volume,
    "failure": Failure,
    "last_known": LastKnown,
}
"""The records of an inventory by the name that a JSON line gives in its field `record`."""
LISTS = {"targets": "target", "gateways": "gateway", "volumes": "volume", "failures": "failure"}
LISTS["last_known"] = "last_known"
"""The kind of record in each list of a JSON document."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
CHUNK = 1 << 18
WINDOW = 32 << 10
"""Bytes. A text at least twice as long covers a whole window, in which no text ends then."""
END_OF_TEXT = re.compile(rb'(?<!\\)"')
MOST_TEXT = 1 << 26
"""Characters of one value; what is longer is no record."""

_HEADS = {f'{{"record":"{kind}"'.encode(): kind for kind in KINDS}
_VALIDATORS = {kind: record.__pydantic_validator__ for kind, record in KINDS.items()}
_BLANK = " \t\r\n"


def records_of(
    stream: BinaryIO, source: str, shortcut: Callable[[bytes], bool] = lambda line: False
) -> Iterator[tuple[str, Record]]:
    """Kind and record of each that `stream` holds, in the order of the file, as it is read.

    The suffix of `source` tells JSON lines (`.ndjson`) from JSON. A line of a target for which `shortcut` is true is
    left out. Raises ConfigError, naming source and cause, for anything else.
    """
    if PurePath(source).suffix.lower() == ".ndjson":
        return _of_lines(stream, source, shortcut)
    return _of_document(stream, source)


def _of_lines(
    stream: BinaryIO, source: str, shortcut: Callable[[bytes], bool]
) -> Iterator[tuple[str, Record]]:
    for number, line in enumerate(stream, 1):
        if number == 1:
            line = line.removeprefix(BYTE_ORDER_MARK)
        # As we write it; whoever else wrote it may have put the kind anywhere.
        kind = _HEADS.get(line[: line.find(b",")]) or _kind_of(line, source, number)
        if kind not in KINDS or (kind == "target" and shortcut(line)):
            # What a later version adds is ignored, as an unknown field is.
            continue
        if len(line) > WINDOW:
            refuse_long_texts(line, source)
        try:
            yield kind, _VALIDATORS[kind].validate_json(line)
        except ValidationError as error:
            if error.errors()[0]["type"] == "json_invalid":
                raise _no_json(line, source, number) from None
            raise ConfigError(f"{source}: line {number}: is no {kind}: {first_of(error)}") from None


def refuse_long_texts(content: bytes, source: str) -> None:
    """Raises ConfigError where a text is longer than any that a scan writes: it would flood whatever shows it.

    Texts of up to 32 KiB always pass, those of 64 KiB and more never do.
    """
    for start in range(0, len(content) - WINDOW + 1, WINDOW):
        if not END_OF_TEXT.search(content, start, start + WINDOW):
            raise ConfigError(f"{source}: is no inventory: it holds a text of more than {WINDOW >> 10} KiB")


def _kind_of(line: bytes, source: str, number: int) -> str:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        raise _no_json(line, source, number) from None
    kind = fields.get("record") if isinstance(fields, dict) else None
    if not isinstance(kind, str):
        raise ConfigError(f"{source}: line {number}: names no kind of record")
    return kind


def _no_json(line: bytes, source: str, number: int) -> ConfigError:
    cut = "" if line.endswith(b"\n") else ", and the file ends in it: it was cut off; fetch it again"
    return ConfigError(f"{source}: line {number}: is no JSON{cut}")


def _of_document(stream: BinaryIO, source: str) -> Iterator[tuple[str, Record]]:
    window = _Window(stream)
    try:
        for key in window.members():
            if key in LISTS:
                for text in window.elements():
                    if len(text) > WINDOW:
                        refuse_long_texts(text.encode(), source)
                    yield LISTS[key], _validated(LISTS[key], text)
                continue
            text = window.value()
            if len(text) > WINDOW:
                refuse_long_texts(text.encode(), source)
            if key == "schema_version" and json.loads(text) != SCHEMA_VERSION:
                raise ConfigError(f"{source}: schema_version {text} is not {SCHEMA_VERSION!r}")
            if key in ("scan", "coverage"):
                yield key, _validated(key, text)
    except ValidationError as error:
        raise ConfigError(f"{source}: is no inventory: {first_of(error)}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{source}: is no inventory: {error}") from None


def _validated(kind: str, text: str) -> Record:
    record: Record = _VALIDATORS[kind].validate_json(text)
    return record


def first_of(error: ValidationError) -> str:
    """The first of the problems, with the field that it is of."""
    problem = error.errors()[0]
    where = ".".join(str(step) for step in problem["loc"])
    return f"{where + ': ' if where else ''}{problem['msg']}"


class _Window:
    """What has been read of a JSON document and not used; raises ValueError where it is no JSON object."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decode = getincrementaldecoder("utf-8-sig")().decode
        self._scan = JSONDecoder().raw_decode
        self._text = ""
        self._at = 0
        self._ended = False

    def members(self) -> Iterator[str]:
        """Each key of the object; its value is to be taken before the next one."""
        self._take("{")
        if self._peek() == "}":
            self._take("}")
        else:
            while True:
                key = json.loads(self.value())
                self._take(":")
                yield key
                if self._take(",}") == "}":
                    break
        if self._peek():
            raise ValueError("something follows its end")

    def elements(self) -> Iterator[str]:
        """The text of each value of a list."""
        self._take("[")
        if self._peek() == "]":
            self._take("]")
            return
        while True:
            yield self.value()
            if self._take(",]") == "]":
                return

    def value(self) -> str:
        """The text of the next value."""
        self._peek()
        while True:
            try:
                _, end = self._scan(self._text, self._at)
            except json.JSONDecodeError:
                if self._ended or len(self._text) - self._at > MOST_TEXT:
                    raise
            else:
                # A number at the end of the window may go on.
                if end < len(self._text) or self._ended:
                    start, self._at = self._at, end
                    return self._text[start:end]
            self._fill()

    def _take(self, wanted: str) -> str:
        found = self._peek()
        if not found or found not in wanted:
            raise ValueError(f"{' or '.join(wanted)} is missing" if found else "it ends too early")
        self._at += 1
        return found

    def _peek(self) -> str:
        """The next character that is not blank; none at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _BLANK:
                    return self._text[self._at]
                self._at += 1
            if self._ended:
                return ""
            self._fill()

    def _fill(self) -> None:
        left = self._text[self._at :]
        chunk = self._stream.read(max(CHUNK, len(left)))
        self._ended = not chunk
        self._text, self._at = left + self._decode(chunk, self._ended), 0
