"""What a scan yields: the inventory, which checks its own books."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from os import PathLike, fspath
from typing import Self

from pydantic import ValidationError, model_validator

from scanner.errors import MergeError
from scanner.inventory.consistency import unbalanced
from scanner.inventory.joined import merged_calls, merged_scan
from scanner.inventory.records import (
    ANY_REGION,
    SCHEMA_VERSION,
    CallCounts,
    Coverage,
    Failure,
    FailureScope,
    Gateway,
    LastKnown,
    Record,
    ScanInfo,
    Target,
    TargetStatus,
    Volume,
    coverage_of,
    is_excused,
    outcome_of,
)
from scanner.ports import inventory_files

MOST_PROBLEMS = 10
"""How many contradictions one error names."""


class Inventory(Record):
    """What one scan found; refuses to exist with books that do not balance."""

    schema_version: str = SCHEMA_VERSION
    scan: ScanInfo
    coverage: Coverage
    targets: tuple[Target, ...] = ()
    gateways: tuple[Gateway, ...] = ()
    volumes: tuple[Volume, ...] = ()
    failures: tuple[Failure, ...] = ()
    last_known: tuple[LastKnown, ...] = ()

    @model_validator(mode="after")
    def _check_books(self) -> Self:
        problems = list(islice(unbalanced(self), MOST_PROBLEMS))
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def __repr__(self) -> str:
        # Short: asyncio.run() of Python 3.11 makes the repr of what its task returns, twice.
        counts = f"{len(self.targets)} targets, {len(self.gateways)} gateways, {len(self.volumes)} volumes"
        return (
            f"<Inventory {self.scan.id} {self.scan.outcome.value}: {counts}, {len(self.failures)} failures>"
        )

    __str__ = __repr__

    @classmethod
    def read(cls, source: str | PathLike[str]) -> "Inventory":
        """The inventory in a file, `.json` or `.ndjson`, or in `s3://bucket/key`; blocks until all is read.

        Raises `ConfigError`, which names source and cause, where it cannot be read or is no inventory.
        """
        found: Inventory = inventory_files().read_inventory(fspath(source))
        return found

    def write(self, destination: str | PathLike[str]) -> None:
        """Writes the inventory to a file, `-` or `s3://bucket/key`; blocks until all is written.

        The suffix names the format, as for `scan -o`. It appears whole or not at all. Raises `OutputError`.
        """
        inventory_files().write_inventory(self, fspath(destination))

    @classmethod
    def build(
        cls,
        scan: ScanInfo,
        calls: CallCounts,
        targets: Iterable[Target],
        gateways: Iterable[Gateway],
        volumes: Iterable[Volume],
        failures: Iterable[Failure],
        last_known: Iterable[LastKnown] = (),
    ) -> Self:
        """The inventory of these records, ordered, with its coverage counted from them.

        Raises pydantic's `ValidationError` when the records contradict each other.
        """
        ordered = tuple(sorted(targets, key=lambda target: target.key))
        stood = tuple(sorted(gateways, key=lambda gateway: gateway.arn))
        read = tuple(sorted(volumes, key=lambda volume: volume.arn))
        coverage = coverage_of(
            Counter(target.status for target in ordered),
            sum(target.gateways for target in ordered),
            Counter(gateway.status for gateway in stood),
            Counter(volume.verdict.status for volume in read),
            sum(is_excused(volume.verdict) for volume in read),
            calls,
        )
        return cls(
            scan=scan.model_copy(update={"outcome": outcome_of(coverage.targets, scan.missing_shards)}),
            coverage=coverage,
            targets=ordered,
            gateways=stood,
            volumes=read,
            failures=tuple(sorted(failures, key=_total_order)),
            last_known=tuple(sorted(last_known, key=lambda each: each.arn)),
        )

    @classmethod
    def merge(cls, parts: Sequence["Inventory"]) -> "Inventory":
        """The inventories of different targets as one.

        Raises `MergeError` when there is none, or when two claim the same target.
        """
        if not parts:
            raise MergeError("there is no inventory to merge")
        scan = merged_scan([part.scan for part in parts])
        targets = _targets(parts)
        claims = Counter(target.key for target in targets)
        twice = [key for key, count in claims.items() if count > 1]
        if twice:
            account, region = min(twice)
            raise MergeError(
                f"two inventories claim the target {account} in {region}; merge only one of them"
            )
        try:
            return cls.build(
                scan=scan,
                calls=merged_calls([part.coverage.calls for part in parts]),
                targets=targets,
                gateways=(gateway for part in parts for gateway in part.gateways),
                volumes=(volume for part in parts for volume in part.volumes),
                failures=_once(failure for part in parts for failure in part.failures),
                last_known=(each for part in parts for each in part.last_known),
            )
        except ValidationError as error:
            raise MergeError(f"the inventories contradict each other: {error.errors()[0]['msg']}") from error


def _targets(parts: Sequence["Inventory"]) -> list[Target]:
    """The targets of all parts. One whose Regions are not known may stand in several, and counts once."""
    several = [t for part in parts for t in part.targets if t.region == ANY_REGION]
    # Where they differ, the one that failed stands, whatever the order of the parts.
    several.sort(key=lambda t: (t.status is TargetStatus.FAILED, t.model_dump_json()))
    unknown = {t.key: t for t in several}
    known = [t for part in parts for t in part.targets if t.region != ANY_REGION]
    return [*known, *unknown.values()]


def _total_order(failure: Failure) -> tuple[tuple[str, ...], str]:
    return failure.order, failure.model_dump_json()


def _once(failures: Iterable[Failure]) -> Iterator[Failure]:
    # An account's failure stands for all of its targets, so each part that holds some of them carries it.
    seen: set[tuple[str, ...]] = set()
    for failure in sorted(failures, key=_total_order):
        key = (*failure.order, failure.kind.value)
        if failure.scope is not FailureScope.ACCOUNT or key not in seen:
            yield failure
        seen.add(key)
