"""The inventory as one JSON document, a record on each line: quick to write, to read and to diff."""

from collections.abc import Iterable
from typing import BinaryIO

from scanner.inventory.contents import Contents
from scanner.inventory.records import Record, as_json
from scanner.inventory.spooled import texts_of

_BATCH = 2048


def write(inventory: Contents, stream: BinaryIO) -> None:
    """Writes what `inventory.model_dump_json()` says, without ever holding all of it as text."""
    stream.write(b'{"schema_version":' + _text(inventory.schema_version))
    stream.write(b',\n"scan":' + as_json(inventory.scan))
    stream.write(b',\n"coverage":' + as_json(inventory.coverage))
    _list(stream, b"targets", inventory.targets)
    _list(stream, b"gateways", inventory.gateways)
    _list(stream, b"volumes", inventory.volumes)
    _list(stream, b"failures", inventory.failures)
    _list(stream, b"last_known", inventory.last_known)
    stream.write(b"}\n")


def _text(value: str) -> bytes:
    # A schema version is checked by the inventory: plain ASCII without quotes.
    return b'"' + value.encode() + b'"'


def _list(stream: BinaryIO, name: bytes, records: Iterable[Record]) -> None:
    stream.write(b',\n"' + name + b'":[')
    separator, batch = b"\n", bytearray()
    for count, text in enumerate(texts_of(records), 1):
        batch += separator + text
        separator = b",\n"
        if count % _BATCH == 0:
            stream.write(batch)
            batch.clear()
    stream.write(batch + b"]")
