"""The history of scans in a folder: many writers, no lock, and a scan is there whole or not at all."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from scanner.errors import HistoryError
from scanner.history.database import require_duckdb
from scanner.history.folder import Folder
from scanner.history.manifest import (
    NAME,
    KeptFile,
    Manifest,
    NewerFormatError,
    key_of,
    manifest_name,
    month_of,
)
from scanner.history.parquet import CHECK_REMEDY, read_table, sum_of, write_table
from scanner.history.tables import FAILURES, GATEWAYS, LAST_KNOWN, TARGETS, VOLUMES, Table
from scanner.inventory.model import Inventory
from scanner.inventory.records import SCHEMA_VERSION, Outcome, rfc3339

LOG = logging.getLogger("scanner")
READ: tuple[Table, ...] = (TARGETS, GATEWAYS, VOLUMES, FAILURES, LAST_KNOWN)


@dataclass(frozen=True, slots=True)
class KeptScan:
    """One scan of the history, in one part or in as many as it had shards."""

    id: str
    parts: tuple[Manifest, ...]

    @property
    def started_at(self) -> datetime:
        return min(part.scan.started_at for part in self.parts)

    @property
    def narrowed(self) -> bool:
        """Whether only a part of the fleet was asked."""
        return bool(self.missing_shards) or any(part.narrowed for part in self.parts)

    @property
    def missing_shards(self) -> tuple[int, ...]:
        """The numbers of the shards that have not been written yet, from 1."""
        shards = [part.scan.shard for part in self.parts if part.scan.shard]
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
    All raise HistoryError, which names the file and the remedy. A damaged scan is left out with a warning in
    the log, and the others still serve; a newer format than this program knows is refused.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.folder = Folder(Path(path))
        self._told: set[str] = set()
        self._damaged: set[str] = set()

    def prove_writable(self) -> None:
        """Raises HistoryError where a scan could not be kept; makes the folder if it is missing."""
        require_duckdb()
        self.folder.prove_writable()
        self.manifests()

    def append(self, inventory: Inventory, *, narrowed: bool = False) -> Manifest:
        """Keeps `inventory`; once this returns it is on the disk. Keeping it twice changes nothing.

        Another scan of the same id is refused.

        `narrowed`: the scan was asked for a part of the fleet only.
        """
        records: tuple[tuple[Table, Iterable[BaseModel]], ...] = (
            (TARGETS, inventory.targets),
            (GATEWAYS, inventory.gateways),
            (VOLUMES, inventory.volumes),
            (FAILURES, inventory.failures),
        )
        if inventory.last_known:
            records += ((LAST_KNOWN, inventory.last_known),)
        name = manifest_name(inventory.scan)
        if not NAME.fullmatch(name):
            raise HistoryError(f"{inventory.scan.id!r}: is no id of a scan that a file could be named after")
        if kept := self._kept_as(key_of(inventory.scan)):
            if kept.scan == inventory.scan:
                return kept
            raise HistoryError(
                f"{inventory.scan.id}: the history has another scan of this id, begun at"
                f" {rfc3339(kept.scan.started_at)}; leave --scan-id out, or name each scan anew"
            )
        with self.folder.workplace() as workplace:
            files = tuple(self._keep(table, rows, inventory, workplace) for table, rows in records)
            manifest = Manifest(
                scan=inventory.scan, coverage=inventory.coverage, narrowed=narrowed, files=files
            )
            made = workplace / "manifest.json"
            made.write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
            self.folder.publish(made, name)
        self.folder.sweep()
        return manifest

    def _kept_as(self, key: str) -> Manifest | None:
        names = [name for name in self.manifest_names() if name.endswith(f"/{key}.json")]
        return Manifest.parse(names[0], self.folder.read(names[0])) if names else None

    def _keep(
        self, table: Table, rows: Iterable[BaseModel], inventory: Inventory, workplace: Path
    ) -> KeptFile:
        made = workplace / f"{table.name}.parquet"
        count = write_table(table, rows, inventory.scan, made)
        size, digest = made.stat().st_size, sum_of(made)
        name = f"{table.name}/{month_of(inventory.scan.started_at)}/{key_of(inventory.scan)}.parquet"
        self.folder.publish(made, name)
        return KeptFile(table=table.name, name=name, rows=count, bytes=size, sha256=digest)

    def manifest_names(self) -> list[str]:
        """The names of all manifests, those that cannot be read among them."""
        return [name for name in self.folder.names("scans") if NAME.fullmatch(name)]

    def manifests(self) -> list[Manifest]:
        """Every part of every scan that is kept and whole, oldest first."""
        found = []
        for name in self.manifest_names():
            if name in self._damaged:
                continue
            try:
                manifest = Manifest.parse(name, self.folder.read(name))
                self._check_sizes(manifest)
            except NewerFormatError as error:
                raise HistoryError(f"{self.folder.root}/{error}") from None
            except HistoryError as error:
                self._leave_out(name, str(error))
            else:
                found.append(manifest)
        return sorted(found, key=lambda manifest: (manifest.scan.started_at, manifest.key))

    def _check_sizes(self, manifest: Manifest) -> None:
        for file in manifest.files:
            try:
                size = self.folder.path(file.name).stat().st_size
            except OSError:
                raise HistoryError(f"{file.name}: is missing; {CHECK_REMEDY}") from None
            if size != file.bytes:
                told = f"{file.name}: is damaged: it has {size} bytes instead of {file.bytes}"
                raise HistoryError(f"{told}; {CHECK_REMEDY}")

    def _leave_out(self, name: str, why: str) -> None:
        if name not in self._told:
            self._told.add(name)
            LOG.warning("a scan of the history is left out: %s", why)

    def leave_out_damaged(self) -> bool:
        """Compares every file with its sum, and leaves out the scans of those that differ from now on.

        Returns whether there was one that had not been left out before.
        """
        found = False
        for manifest in self.manifests():
            problem = next(self._problems(manifest), None)
            if problem:
                found = True
                self._damaged.add(manifest.name)
                self._leave_out(manifest.name, problem)
        return found

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
            steps = int(back) if back.isdecimal() else 0 if reference == "latest" else -1
            if not 0 <= steps < len(scans):
                raise HistoryError(
                    f"{reference}: the history has {len(scans)} scans; latest~{len(scans) - 1} is the oldest"
                )
            return scans[-1 - steps]
        found = [scan for scan in scans if scan.id.startswith(reference.lower())]
        exact = [scan for scan in scans if scan.id == reference]
        if reference and (exact or len(found) == 1):
            return (exact or found)[0]
        many = f"{len(found)} scans begin so; write more of the id" if found else "no scan has this id"
        raise HistoryError(f"{reference!r}: {many}; `sgw-scanner history list` shows them")

    def read(self, scan: KeptScan | str) -> Inventory:
        """The inventory of a scan, as it was kept; that of a sharded scan is merged from its parts."""
        kept = self.find(scan) if isinstance(scan, str) else scan
        inventories = [self._inventory(part) for part in kept.parts]
        return inventories[0] if len(inventories) == 1 else Inventory.merge(inventories)

    def _inventory(self, manifest: Manifest) -> Inventory:
        records = {table.name: tuple(self._rows(table, manifest)) for table in READ}
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
        for path in self.paths(table.name, [manifest]):
            yield from read_table(table, path)

    def paths(self, table: str, manifests: Iterable[Manifest]) -> list[Path]:
        """The files of `table` of these scans; of one that some need not have written, those that there are."""
        files = (file for manifest in manifests for file in manifest.files)
        return [self.folder.path(file.name) for file in files if file.table == table]

    def problems(self) -> Iterator[str]:
        """What is damaged, one sentence each: manifests that cannot be read, files missing or changed."""
        for name in self.folder.names("scans"):
            try:
                manifest = Manifest.parse(name, self.folder.read(name))
            except HistoryError as error:
                yield str(error)
            else:
                yield from self._problems(manifest)

    def _problems(self, manifest: Manifest) -> Iterator[str]:
        for file in manifest.files:
            path = self.folder.path(file.name)
            if not path.is_file():
                yield f"{file.name}: is missing, and the scan {manifest.key} needs it"
            elif (found := sum_of(path)) != file.sha256:
                yield f"{file.name}: is damaged: its SHA-256 is {found}, not {file.sha256} as written"
