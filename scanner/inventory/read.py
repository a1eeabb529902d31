"""Inventories from the bytes of a file: one JSON document, or JSON lines."""

import json
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from pydantic import ValidationError

from scanner.errors import ConfigError
from scanner.inventory.model import Inventory
from scanner.inventory.records import Coverage, Failure, Gateway, LastKnown, Record, ScanInfo, Target, Volume

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
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
WINDOW = 32 << 10
"""Bytes. A text at least twice as long covers a whole window, in which no text ends then."""
END_OF_TEXT = re.compile(rb'(?<!\\)"')


def parse_inventory(content: bytes, source: str) -> Inventory:
    """The inventory in the `content` of `source`, whose suffix tells JSON lines (`.ndjson`) from JSON.

    Raises ConfigError, naming source and cause, for anything else.
    """
    content = content.removeprefix(BYTE_ORDER_MARK)
    lines = PurePath(source).suffix.lower() == ".ndjson"
    try:
        whole = _from_lines(content, source) if lines else Inventory.model_validate_json(content)
    except ValidationError as error:
        raise ConfigError(f"{source}: is no inventory: {_first(error)}") from None
    refuse_long_texts(content, source)
    return whole


def refuse_long_texts(content: bytes, source: str) -> None:
    """Raises ConfigError where a text is longer than any that a scan writes: it would flood whatever shows it.

    Texts of up to 32 KiB always pass, those of 64 KiB and more never do.
    """
    for start in range(0, len(content) - WINDOW + 1, WINDOW):
        if not END_OF_TEXT.search(content, start, start + WINDOW):
            raise ConfigError(f"{source}: is no inventory: it holds a text of more than {WINDOW >> 10} KiB")


def _from_lines(content: bytes, source: str) -> Inventory:
    records: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    for number, kind, fields in _lines(content, source):
        try:
            records[kind].append(KINDS[kind].model_validate(fields))
        except ValidationError as error:
            raise ConfigError(f"{source}: line {number}: is no {kind}: {_first(error)}") from None
    if len(records["scan"]) != 1 or len(records["coverage"]) != 1:
        raise ConfigError(f"{source}: is not one whole scan, which ends with its scan and its coverage")
    (scan,), (coverage,) = records["scan"], records["coverage"]
    # A volume that was moved during the scan was written twice: the later line stands.
    volumes = {volume.arn: volume for volume in records["volume"]}.values()
    whole = Inventory.build(
        scan,
        coverage.calls,
        records["target"],
        records["gateway"],
        volumes,
        records["failure"],
        records["last_known"],
    )
    if whole.coverage != coverage:
        raise ConfigError(f"{source}: lacks records that its coverage counts; some lines are missing")
    return whole


def _lines(content: bytes, source: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    for number, line in enumerate(content.splitlines(), 1):
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            raise ConfigError(f"{source}: line {number}: is no JSON") from None
        kind = fields.pop("record", None) if isinstance(fields, dict) else None
        # What a later version adds is ignored, as an unknown field is.
        if isinstance(kind, str) and kind in KINDS:
            yield number, kind, fields
        elif not isinstance(kind, str):
            raise ConfigError(f"{source}: line {number}: names no kind of record")


def _first(error: ValidationError) -> str:
    problem = error.errors()[0]
    where = ".".join(str(step) for step in problem["loc"])
    return f"{where + ': ' if where else ''}{problem['msg']}"
