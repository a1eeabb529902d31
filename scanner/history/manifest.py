"""The manifest of one kept scan. It is written last: a scan exists when its manifest does."""

import re
from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from scanner.errors import HistoryError
from scanner.history.tables import FORMAT
from scanner.inventory.model import Inventory
from scanner.inventory.records import Coverage, ScanInfo

NAME = re.compile(r"scans/month=\d{4}-\d\d/(?P<key>[0-9a-f-]{36}(?:\.\d+-of-\d+)?)\.json")


class KeptFile(BaseModel):
    """One Parquet file of a scan, by its name in the history; `sha256` in hexadecimal digits."""

    model_config = ConfigDict(frozen=True)

    table: str
    name: str
    rows: int
    bytes: int
    sha256: str


class Manifest(BaseModel):
    """What a scan was, and which files hold it."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    scan: ScanInfo
    coverage: Coverage
    files: tuple[KeptFile, ...]

    @classmethod
    def of(cls, inventory: Inventory, files: tuple[KeptFile, ...]) -> Self:
        return cls(scan=inventory.scan, coverage=inventory.coverage, files=files)

    @property
    def key(self) -> str:
        """The scan's id, and which of how many shards where it is one of several."""
        return key_of(self.scan)

    @property
    def name(self) -> str:
        """The manifest's own name in the history."""
        return f"scans/{month_of(self.scan.started_at)}/{self.key}.json"

    def file(self, table: str) -> KeptFile:
        return next(file for file in self.files if file.table == table)

    @classmethod
    def parse(cls, name: str, content: bytes) -> Self:
        """The manifest in `content`; raises HistoryError, naming the file, for anything else."""
        try:
            found = cls.model_validate_json(content)
        except ValidationError as error:
            newer = _newer_format(content)
            if newer:
                raise HistoryError(_too_new(name, newer)) from None
            first = error.errors()[0]
            where = ".".join(str(step) for step in first["loc"])
            raise HistoryError(f"{name}: is no manifest of a scan: {where}: {first['msg']}") from None
        if found.format > FORMAT:
            raise HistoryError(_too_new(name, found.format))
        return found


def key_of(scan: ScanInfo) -> str:
    shard = getattr(scan, "shard", None)
    return f"{scan.id}.{shard.index}-of-{shard.count}" if shard else scan.id


def month_of(moment: datetime) -> str:
    return f"month={moment:%Y-%m}"


def _newer_format(content: bytes) -> int | None:
    class Format(BaseModel):
        format: int

    try:
        found = Format.model_validate_json(content).format
    except ValidationError:
        return None
    return found if found > FORMAT else None


def _too_new(name: str, found: int) -> str:
    return (
        f"{name}: has format {found}, and this sgw-scanner reads formats up to {FORMAT};"
        " use the version that wrote it, or a newer one"
    )
