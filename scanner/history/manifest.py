"""The manifest of one kept scan. It is written last: a scan exists when its manifest does."""

import re
from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from scanner.errors import HistoryError
from scanner.history.tables import ALWAYS_WRITTEN, FORMAT
from scanner.inventory.records import Coverage, ScanInfo

NAME = re.compile(
    r"scans/(?P<month>month=\d{4}-\d\d)/(?P<key>[0-9A-Za-z][0-9A-Za-z_-]{0,99}(?:\.\d+-of-\d+)?)\.json"
)


class NewerFormatError(HistoryError):
    """A manifest was written by a newer sgw-scanner, whose history this one does not know how to read."""

    def __init__(self, name: str, found: int) -> None:
        super().__init__(
            f"{name}: has format {found}, and this sgw-scanner reads formats up to {FORMAT};"
            " use the version that wrote it, or a newer one"
        )


class KeptFile(BaseModel):
    """One Parquet file of a scan, by its name in the history; `sha256` in hexadecimal digits."""

    model_config = ConfigDict(frozen=True)

    table: str
    name: str
    rows: int
    bytes: int
    sha256: str


class Manifest(BaseModel):
    """What a scan was, and which files hold it.

    `narrowed`: it was asked for a part of the fleet only, so what it does not hold was not asked.
    """

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    scan: ScanInfo
    coverage: Coverage
    narrowed: bool = False
    files: tuple[KeptFile, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        missing = ALWAYS_WRITTEN - {file.table for file in self.files}
        if missing:
            raise ValueError(f"names no file for the table {min(missing)}")
        return self

    @property
    def key(self) -> str:
        """The scan's id, and which of how many shards where it is one of several."""
        return key_of(self.scan)

    @property
    def name(self) -> str:
        """The manifest's own name in the history."""
        return manifest_name(self.scan)

    def file(self, table: str) -> KeptFile:
        """The file of one of the tables that every scan writes."""
        return next(file for file in self.files if file.table == table)

    @classmethod
    def parse(cls, name: str, content: bytes) -> Self:
        """The manifest in `content`; raises HistoryError, naming the file, for anything else.

        Raises NewerFormatError, which is one, for what a newer program wrote.
        """
        try:
            found = cls.model_validate_json(content)
        except ValidationError as error:
            newer = _format_of(content)
            if newer > FORMAT:
                raise NewerFormatError(name, newer) from None
            first = error.errors()[0]
            where = ".".join(str(step) for step in first["loc"])
            told = f"{where}: {first['msg']}" if where else first["msg"]
            raise HistoryError(f"{name}: is no manifest of a scan: {told}") from None
        if found.format > FORMAT:
            raise NewerFormatError(name, found.format)
        return found


def key_of(scan: ScanInfo) -> str:
    shard = scan.shard
    return f"{scan.id}.{shard.index}-of-{shard.count}" if shard else scan.id


def manifest_name(scan: ScanInfo) -> str:
    return f"scans/{month_of(scan.started_at)}/{key_of(scan)}.json"


def month_of(moment: datetime) -> str:
    return f"month={moment:%Y-%m}"


def _format_of(content: bytes) -> int:
    class Format(BaseModel):
        format: int

    try:
        return Format.model_validate_json(content).format
    except ValidationError:
        return 0
