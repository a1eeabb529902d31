"""What a scan yields: the inventory, which checks its own books."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from os import PathLike, fspath
from typing import Self

from pydantic import ValidationError, model_validator

from scanner.errors import MergeError
from scanner.inventory.consistency import unbalanced
from scanner.inventory.records import (
    ANY_REGION,
    IN_DANGER,
    SCHEMA_VERSION,
    Asked,
    CallCounts,
    Coverage,
    Failure,
    FailureScope,
    Gateway,
    GatewayCounts,
    GatewayStatus,
    LastKnown,
    ListVolumes,
    Outcome,
    Record,
    ScanInfo,
    Target,
    TargetCounts,
    TargetStatus,
    Volume,
    VolumeCounts,
    is_breach,
    outcome_of,
)
from scanner.ports import inventory_files

_LEAST_LISTED = (ListVolumes.NEVER, ListVolumes.WITH_GATEWAYS, ListVolumes.ALWAYS)
"""Of merged scans, the one that asked for fewest volumes tells what can be relied on."""
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
        by_status = Counter(target.status for target in ordered)
        verdicts = Counter(volume.verdict.status for volume in read)
        waived = sum(volume.verdict.status in IN_DANGER and not is_breach(volume.verdict) for volume in read)
        by_fate = Counter(gateway.status for gateway in stood)
        listed = sum(target.gateways for target in ordered)
        target_counts = TargetCounts(
            planned=len(ordered), **{status.value: by_status[status] for status in TargetStatus}
        )
        fates = {status.value: by_fate[status] for status in GatewayStatus}
        # A listed entry with a broken ARN counts as failed but cannot stand among the gateways.
        fates["failed"] = listed - sum(fates.values()) + fates["failed"]
        return cls(
            scan=scan.model_copy(update={"outcome": outcome_of(target_counts, scan.missing_shards)}),
            coverage=Coverage(
                targets=target_counts,
                gateways=GatewayCounts(listed=listed, **fates),
                volumes=VolumeCounts.of(verdicts, waived),
                calls=calls,
            ),
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
        missing = _missing_shards([part.scan for part in parts])
        targets = _targets(parts)
        claims = Counter(target.key for target in targets)
        twice = [key for key, count in claims.items() if count > 1]
        if twice:
            account, region = min(twice)
            raise MergeError(
                f"two inventories claim the target {account} in {region}; merge only one of them"
            )
        calls = [part.coverage.calls for part in parts]
        infos = [part.scan for part in parts]
        try:
            return cls.build(
                scan=ScanInfo(
                    id=min(info.id for info in infos),
                    started_at=min(info.started_at for info in infos),
                    finished_at=max(info.finished_at for info in infos),
                    outcome=Outcome.FAILED,
                    deadline_reached=any(info.deadline_reached for info in infos),
                    interrupted=any(info.interrupted for info in infos),
                    scanner_version=max(info.scanner_version for info in infos),
                    details=tuple(sorted(set.intersection(*(set(info.details) for info in infos)))),
                    missing_shards=missing,
                    list_volumes=min((info.list_volumes for info in infos), key=_LEAST_LISTED.index),
                    asked=Asked.of_parts([info.asked for info in infos]),
                ),
                calls=CallCounts(
                    attempted=sum(call.attempted for call in calls),
                    retried=sum(call.retried for call in calls),
                    throttled=sum(call.throttled for call in calls),
                ),
                targets=targets,
                gateways=(gateway for part in parts for gateway in part.gateways),
                volumes=(volume for part in parts for volume in part.volumes),
                failures=_once(failure for part in parts for failure in part.failures),
                last_known=(each for part in parts for each in part.last_known),
            )
        except ValidationError as error:
            raise MergeError(f"the inventories contradict each other: {error.errors()[0]['msg']}") from error


def _missing_shards(scans: Sequence[ScanInfo]) -> tuple[int, ...]:
    """The shards that no part holds; a part that was merged before lacks those that it names."""
    counts = {scan.shard.count for scan in scans if scan.shard}
    if len(counts) > 1:
        raise MergeError(
            f"the parts are of fleets cut into {' and '.join(map(str, sorted(counts)))} shards; merge those of one cut"
        )
    lacking = [
        set(range(1, scan.shard.count + 1)) - {scan.shard.index} if scan.shard else set(scan.missing_shards)
        for scan in scans
        if scan.shard or scan.missing_shards
    ]
    return tuple(sorted(set.intersection(*lacking))) if lacking else ()


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
