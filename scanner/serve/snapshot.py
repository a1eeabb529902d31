"""What the last scan found, rendered once and served to everybody."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from scanner.errors import OutputError
from scanner.inventory.model import Inventory
from scanner.inventory.records import Outcome
from scanner.output import prometheus
from scanner.output.formats import FORMATS

METRICS = "/metrics"
PATHS: Mapping[str, str] = {METRICS: ".prom", "/inventory": ".json", "/page": ".html"}
"""Which format each path serves."""


@dataclass(frozen=True, slots=True)
class Document:
    """One answer, plain and compressed, with a tag that names its content."""

    media_type: str
    plain: bytes
    compressed: bytes
    tag: str

    @classmethod
    def of(cls, media_type: str, content: bytes) -> "Document":
        tag = hashlib.blake2b(content, digest_size=16).hexdigest()
        return cls(media_type, content, gzip.compress(content, compresslevel=5, mtime=0), tag)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The documents of one scan, by path; one that could not be rendered is missing and `missing` says why."""

    scan_id: str
    outcome: Outcome
    finished_at: datetime
    documents: Mapping[str, Document]
    missing: Mapping[str, str]

    @classmethod
    def of(cls, inventory: Inventory, *, fleet: str | None = None, each_volume: bool = True) -> "Snapshot":
        """Renders every document of `inventory`. Takes seconds for a large fleet: call it in a thread.

        `fleet` is a label of each metric. `each_volume`: the metrics have a series for each volume, too.
        """
        documents, missing = {}, {}
        for path, suffix in PATHS.items():
            form = FORMATS[suffix]
            try:
                form.check(path)
            except OutputError as error:
                missing[path] = str(error)
                continue
            stream = BytesIO()
            if path == METRICS:
                prometheus.write(inventory, stream, fleet=fleet, each_volume=each_volume)
            else:
                form.write(inventory, stream)
            documents[path] = Document.of(form.media_type, stream.getvalue())
        scan = inventory.scan
        return cls(scan.id, scan.outcome, scan.finished_at, documents, missing)
