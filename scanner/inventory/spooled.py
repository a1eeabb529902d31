"""An inventory whose records lie in temporary files: its memory does not grow with them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from types import TracebackType
from typing import Generic, Self, TypeVar

from scanner.inventory.contents import Contents
from scanner.inventory.line_sorter import lines_between
from scanner.inventory.model import Inventory
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
    as_json,
)

BATCH = 512
"""Records that are written at once."""
R = TypeVar("R", bound=Record)


class SpooledRecords(Generic[R]):
    """Records of one kind as lines of JSON, read again with each iteration."""

    def __init__(self, kind: type[R]) -> None:
        self._validate = kind.__pydantic_validator__.validate_json
        self._file = TemporaryFile()  # noqa: SIM115 - see `close`
        self._held: list[bytes] = []

    def append(self, text: bytes) -> None:
        """Adds a record as `as_json` writes it."""
        self._held.append(text)
        if len(self._held) >= BATCH:
            self._flush()

    def texts(self) -> Iterator[bytes]:
        """Each record as it was added."""
        self._flush()
        return lines_between(self._file.fileno(), 0, self._file.tell())

    def _flush(self) -> None:
        if self._held:
            self._file.write(b"\n".join(self._held) + b"\n")
            self._held.clear()
        self._file.flush()

    def __iter__(self) -> Iterator[R]:
        return map(self._validate, self.texts())

    def close(self) -> None:
        self._file.close()


def texts_of(records: Iterable[Record]) -> Iterator[bytes]:
    """Each record as JSON on one line; those in a file are not parsed for it."""
    return records.texts() if isinstance(records, SpooledRecords) else map(as_json, records)


def loaded(contents: Contents) -> Contents:
    """The same in memory."""
    return contents.load() if isinstance(contents, SpooledInventory) else contents


@dataclass(slots=True)
class SpooledInventory:
    """What outputs ask of an inventory; use it in a `with`, which removes the files."""

    scan: ScanInfo
    coverage: Coverage
    schema_version: str = SCHEMA_VERSION
    targets: SpooledRecords[Target] = field(default_factory=lambda: SpooledRecords(Target))
    gateways: SpooledRecords[Gateway] = field(default_factory=lambda: SpooledRecords(Gateway))
    volumes: SpooledRecords[Volume] = field(default_factory=lambda: SpooledRecords(Volume))
    failures: SpooledRecords[Failure] = field(default_factory=lambda: SpooledRecords(Failure))
    last_known: SpooledRecords[LastKnown] = field(default_factory=lambda: SpooledRecords(LastKnown))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Removes the files."""
        for records in (self.targets, self.gateways, self.volumes, self.failures, self.last_known):
            records.close()

    def load(self) -> Inventory:
        """The same in memory, for what needs all of it at once."""
        return Inventory(
            schema_version=self.schema_version,
            scan=self.scan,
            coverage=self.coverage,
            targets=tuple(self.targets),
            gateways=tuple(self.gateways),
            volumes=tuple(self.volumes),
            failures=tuple(self.failures),
            last_known=tuple(self.last_known),
        )
