"""A JSON line for each record, with a `record` field naming its kind; written while the scan runs."""

from collections.abc import Iterable
from typing import BinaryIO

from scanner.inventory.contents import Contents
from scanner.inventory.parts import KINDS
from scanner.inventory.records import (
    Coverage,
    Failure,
    Gateway,
    LastKnown,
    Record,
    ScanInfo,
    Target,
    Volume,
    as_json,
)
from scanner.inventory.spooled import texts_of

_HEADS = {record: f'{{"record":"{kind}",'.encode() for kind, record in KINDS.items()}


class NdjsonWriter:
    """Takes records one at a time, in whatever order they come, and keeps none.

    A scan ends with its `scan` and `coverage` records: a file without them was not finished.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, record: Record) -> None:
        """Writes one record of a kind named in `KINDS`."""
        self._stream.write(_line(type(record), as_json(record)))


def _line(kind: type[Record], text: bytes) -> bytes:
    return _HEADS[kind] + text[1:] + b"\n"


def write(inventory: Contents, stream: BinaryIO) -> None:
    """Writes the lines a scan would have written, in the inventory's order."""
    lists: tuple[tuple[type[Record], Iterable[Record]], ...] = (
        (Target, inventory.targets),
        (Gateway, inventory.gateways),
        (Volume, inventory.volumes),
        (Failure, inventory.failures),
        (LastKnown, inventory.last_known),
        (Coverage, (inventory.coverage,)),
        (ScanInfo, (inventory.scan,)),
    )
    for kind, records in lists:
        stream.writelines(_line(kind, text) for text in texts_of(records))
