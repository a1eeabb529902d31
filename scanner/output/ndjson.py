"""A JSON line for each record, with a `record` field naming its kind; written while the scan runs."""

from itertools import chain
from typing import BinaryIO

from scanner.inventory.model import Inventory
from scanner.inventory.read import KINDS
from scanner.inventory.records import Record
from scanner.output.json import as_json

_HEADS = {record: f'{{"record":"{kind}",'.encode() for kind, record in KINDS.items()}


class NdjsonWriter:
    """Takes records one at a time, in whatever order they come, and keeps none.

    A scan ends with its `scan` and `coverage` records: a file without them was not finished.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, record: Record) -> None:
        """Writes one record of a kind named in `KINDS`."""
        self._stream.write(_HEADS[type(record)] + as_json(record)[1:] + b"\n")


def write(inventory: Inventory, stream: BinaryIO) -> None:
    """Writes the lines a scan would have written, in the inventory's order."""
    writer = NdjsonWriter(stream)
    for record in chain(
        inventory.targets, inventory.gateways, inventory.volumes, inventory.failures, inventory.last_known
    ):
        writer.write(record)
    writer.write(inventory.coverage)
    writer.write(inventory.scan)
