"""The history of scans in a folder: many writers, no lock, and a scan is there whole or not at all."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from scanner.errors import HistoryError
from scanner.history.folder import Folder
from scanner.history.manifest import NAME, KeptFile, Manifest, month_of
from scanner.history.parquet import read_table, sum_of, write_table
from scanner.history.tables import FAILURES, GATEWAYS, TABLES, TARGETS, VOLUMES, Table
from scanner.inventory.model import Inventory
from scanner.inventory.records import SCHEMA_VERSION, Outcome


@dataclass(frozen=True, slots=True)
class KeptScan:
    """One scan of the history, in one part or in as many as it had shards."""

    id: str
    parts: tuple[Manifest, ...]

    @property
    def started_at(self) -> datetime:
        return min(part.scan.started_at for part in self.parts)

    @property
    def missing_shards(self) -> tuple[int, ...]:
        """The numbers of the shards that have not been written yet, from 1."""
        shards = [shard for part in self.parts if (shard := getattr(part.scan, "shard", None))]
        if not shards:
            return ()
        return tuple(sorted({*range(1, shards[0].count + 1)} - {shard.index for shard in shards}))

    @property
    def outcome(self) -> Outcome:
        outcomes = {part.scan.outcome for part in self.parts}
        if outcomes == {Outcome.FAILED}:
            return Outcome.FAILED
        whole = outcomes == {Outcome.COMPLETE} and not self.missing_shards
        return Outcome.COMPLETE if whole else Outcome.PARTIAL


class History:
    """Scans kept in a folder, each as immutable Parquet files and a manifest that is written last.

    Any number of processes may append at once. Methods block: call them in a thread inside an event loop.
    All raise HistoryError, which names the file and the remedy.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.folder = Folder(Path(path))

    def prove_writable(self) -> None:
        """Raises HistoryError where a scan could not be kept; makes the folder if it is missing."""
        self.folder.prove_writable()

    def append(self, inventory: Inventory) -> Manifest:
        """Keeps `inventory`; once this returns it is on the disk. Keeping it twice changes nothing."""
        records: tuple[tuple[Table, Iterable[BaseModel]], ...] = (
            (TARGETS, inventory.targets),
            (GATEWAYS, inventory.gateways),
            (VOLUMES, inventory.volumes),
            (FAILURES, inventory.failures),
        )
        draft = Manifest.of(inventory, ())
        if (self.folder.root / draft.name).exists():
            return Manifest.parse(draft.name, self.folder.read(draft.name))
        month = month_of(inventory.scan.started_at)
        with self.folder.workplace() as workplace:
            files = []
            for table, rows in records:
                made = workplace / f"{table.name}.parquet"
                count = write_table(table, rows, inventory.scan, made)
                name = f"{table.name}/{month}/{draft.key}.parquet"
                files.append(
                    KeptFile(
                        table=table.name,
                        name=name,
                        rows=count,
                        bytes=made.stat().st_size,
                        sha256=sum_of(made),
                    )
                )
                self.folder.publish(made, name)
            manifest = Manifest.of(inventory, tuple(files))
            made = workplace / "manifest.json"
            made.write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
            self.folder.publish(made, manifest.name)
        return manifest

    def manifests(self) -> list[Manifest]:
        """Every part of every scan that is kept, oldest first."""
        names = [name for name in self.folder.names("scans") if NAME.fullmatch(name)]
        found = [Manifest.parse(name, self.folder.read(name)) for name in names]
        return sorted(found, key=lambda manifest: (manifest.scan.started_at, manifest.key))

    def scans(self) -> list[KeptScan]:
        """Every scan that is kept, oldest first; the parts of one sharded scan are one scan."""
        parts: dict[str, list[Manifest]] = {}
        for manifest in self.manifests():
            parts.setdefault(manifest.scan.id, []).append(manifest)
        scans = [KeptScan(id, tuple(found)) for id, found in parts.items()]
        return sorted(scans, key=lambda scan: (scan.started_at, scan.id))

    def find(self, reference: str) -> KeptScan:
        """The scan that `reference` names: an id or its beginning, `latest`, or `latest~2` for two before."""
        scans = self.scans()
        if not scans:
            raise HistoryError(f"{self.folder.root}: keeps no scan yet; scan with --history to keep one")
        word, _, back = reference.partition("~")
        if word == "latest":
            steps = int(back) if back.isdecimal() else 0 if not back else -1
            if not 0 <= steps < len(scans):
                raise HistoryError(
                    f"{reference}: the history has {len(scans)} scans; latest~{len(scans) - 1} is the oldest"
                )
            return scans[-1 - steps]
        found = [scan for scan in scans if scan.id.startswith(reference.lower())]
        if len(found) == 1 and reference:
            return found[0]
        many = f"{len(found)} scans begin so; write more of the id" if found else "no scan has this id"
        raise HistoryError(f"{reference!r}: {many}; `sgw-scanner history list` shows them")

    def read(self, scan: KeptScan | str) -> Inventory:
        """The inventory of a scan, as it was kept; that of a sharded scan is merged from its parts."""
        kept = self.find(scan) if isinstance(scan, str) else scan
        inventories = [self._inventory(part) for part in kept.parts]
        return inventories[0] if len(inventories) == 1 else Inventory.merge(inventories)

    def _inventory(self, manifest: Manifest) -> Inventory:
        records = {table.name: tuple(self._rows(table, manifest)) for table in TABLES.values()}
        body: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "scan": manifest.scan,
            "coverage": manifest.coverage,
            **records,
        }
        try:
            return Inventory.model_validate(body)
        except ValidationError as error:
            first = error.errors()[0]
            raise HistoryError(f"{manifest.name}: its files contradict it: {first['msg']}") from None

    def _rows(self, table: Table, manifest: Manifest) -> Iterator[dict[str, Any]]:
        file = manifest.file(table.name)
        return read_table(table, [self.folder.path(file.name)])

    def problems(self) -> Iterator[str]:
        """What is damaged, one sentence each: manifests that cannot be read, files missing or changed."""
        for name in self.folder.names("scans"):
            try:
                manifest = Manifest.parse(name, self.folder.read(name))
            except HistoryError as error:
                yield str(error)
                continue
            for file in manifest.files:
                path = self.folder.path(file.name)
                if not path.is_file():
                    yield f"{file.name}: is missing, and the scan {manifest.key} needs it"
                elif (found := sum_of(path)) != file.sha256:
                    yield f"{file.name}: is damaged: its SHA-256 is {found}, not {file.sha256} as written"
