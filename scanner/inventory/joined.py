"""The scan that several parts of it make: its own record, and its calls."""

from collections.abc import Sequence

from scanner.errors import MergeError
from scanner.inventory.records import Asked, CallCounts, ListVolumes, Outcome, ScanInfo
from scanner.inventory.scan_id import is_made_up

_LEAST_LISTED = (ListVolumes.NEVER, ListVolumes.WITH_GATEWAYS, ListVolumes.ALWAYS)
"""Of merged scans, the one that asked for fewest volumes tells what can be relied on."""


def merged_scan(infos: Sequence[ScanInfo]) -> ScanInfo:
    """What stands for these scans together; the outcome follows from the targets, and is not known here.

    Raises MergeError for shards that are of different scans.
    """
    _check_ids(infos)
    return ScanInfo(
        id=min(info.id for info in infos),
        started_at=min(info.started_at for info in infos),
        finished_at=max(info.finished_at for info in infos),
        outcome=Outcome.FAILED,
        deadline_reached=any(info.deadline_reached for info in infos),
        interrupted=any(info.interrupted for info in infos),
        scanner_version=max(info.scanner_version for info in infos),
        details=tuple(sorted(set.intersection(*(set(info.details) for info in infos)))),
        missing_shards=_missing_shards(infos),
        list_volumes=min((info.list_volumes for info in infos), key=_LEAST_LISTED.index),
        asked=Asked.of_parts([info.asked for info in infos]),
    )


def merged_calls(calls: Sequence[CallCounts]) -> CallCounts:
    return CallCounts(
        attempted=sum(call.attempted for call in calls),
        retried=sum(call.retried for call in calls),
        throttled=sum(call.throttled for call in calls),
    )


def _check_ids(infos: Sequence[ScanInfo]) -> None:
    """Shards whose scan was given an id are of one scan only where it is the same."""
    told = [info.id for info in infos if info.shard or info.missing_shards]
    ids = sorted(set(told))
    # Without `--scan-id` each shard makes up its own.
    if len(ids) > 1 and not (len(ids) == len(told) and all(map(is_made_up, ids))):
        raise MergeError(
            f"the parts are shards of different scans, {ids[0]} and {ids[-1]}; merge those of one, "
            "which `--scan-id` gives the same id"
        )


def _missing_shards(infos: Sequence[ScanInfo]) -> tuple[int, ...]:
    """The shards that no part holds; a part that was merged before lacks those that it names."""
    counts = {info.shard.count for info in infos if info.shard}
    if len(counts) > 1:
        raise MergeError(
            f"the parts are of fleets cut into {' and '.join(map(str, sorted(counts)))} shards; merge those of one cut"
        )
    lacking = [
        set(range(1, info.shard.count + 1)) - {info.shard.index} if info.shard else set(info.missing_shards)
        for info in infos
        if info.shard or info.missing_shards
    ]
    return tuple(sorted(set.intersection(*lacking))) if lacking else ()
