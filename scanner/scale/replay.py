"""The events of a part that a worker has scanned, as its own scan would have told them."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import BinaryIO

from scanner.iam.remedies import remedy_of
from scanner.inventory.events import (
    Event,
    FailureSeen,
    GatewayEnded,
    GatewaysListed,
    ScanEnded,
    TargetEnded,
    TargetPlanned,
    VolumesSeen,
    records_in,
)
from scanner.inventory.parts import records_of
from scanner.inventory.records import (
    ANY_ACCOUNT,
    ANY_REGION,
    CallCounts,
    Coverage,
    Failure,
    FailureScope,
    Gateway,
    Record,
    ScanInfo,
    SkipReason,
    Target,
    TargetStatus,
    Volume,
)
from scanner.output.ndjson import NdjsonWriter
from scanner.scale.task import Task
from scanner.scale.worker import Refusal
from scanner.summary.statistics import Statistics

OPERATION = "Task"
"""What failed where a worker was lost: no call of the service."""


def opened(part: bytes) -> BinaryIO:
    """The lines of a compressed part."""
    return BytesIO(zlib.decompress(part))


def replay(part: bytes, name: str) -> Iterator[Event]:
    """The events of a part, with ScanEnded last. Gateways stand right before the volumes that they answered for."""
    gateway: Gateway | None = None
    volumes: list[Volume] = []
    scan: ScanInfo | None = None
    coverage: Coverage | None = None
    for _, record in records_of(opened(part), name):
        if isinstance(record, Volume):
            volumes.append(record)
            continue
        yield from _gateway_ended(gateway, volumes)
        gateway, volumes = None, []
        match record:
            case Gateway():
                gateway = record
            case Failure():
                yield FailureSeen(record)
            case Target():
                yield from _target_ended(record)
            case ScanInfo():
                scan = record
            case Coverage():
                coverage = record
    yield from _gateway_ended(gateway, volumes)
    if scan and coverage:
        yield ScanEnded(scan, coverage.calls)


def _gateway_ended(gateway: Gateway | None, volumes: Sequence[Volume]) -> Iterator[Event]:
    answered = [volume for volume in volumes if gateway and volume.gateway_arn == gateway.arn]
    others = [volume for volume in volumes if not gateway or volume.gateway_arn != gateway.arn]
    if gateway:
        yield GatewayEnded(gateway, tuple(answered))
    if others:
        yield VolumesSeen(tuple(others))


def _target_ended(target: Target) -> Iterator[Event]:
    yield TargetPlanned(target.account_id, target.account_name, target.region)
    if target.gateways:
        yield GatewaysListed(target.account_id, target.region, target.gateways)
    yield TargetEnded(target)


def part_of(events: Iterable[Event], scan: ScanInfo, calls: CallCounts) -> bytes:
    """The compressed part that these events make, as a worker would have written it."""
    lines, statistics = BytesIO(), Statistics()
    writer = NdjsonWriter(lines)

    def write(records: Iterable[Record]) -> None:
        for record in records:
            writer.write(record)

    for event in events:
        statistics.add(event)
        write(records_in(event))
    statistics.add(ScanEnded(scan, calls))
    write((statistics.coverage(), scan))
    return zlib.compress(lines.getbuffer(), 1)


def events_of_lost(task: Task, why: Refusal) -> Iterator[Event]:
    """The failures that a task makes of its targets: none of them is left out of the scan."""
    config = task.config
    for account, ou_path in task.accounts:
        account_id = account.id if account else ANY_ACCOUNT
        failure = Failure(
            scope=FailureScope.ACCOUNT,
            account_id=account_id,
            operation=OPERATION,
            kind=why.kind,
            message=why.message,
            remedy=why.remedy,
        )
        yield FailureSeen(
            failure if why.remedy else failure.model_copy(update={"remedy": remedy_of(failure)})
        )
        regions = config.regions_of(account)
        for region in (ANY_REGION,) if regions == "enabled" else dict.fromkeys(regions):
            excluded = region in config.scan.exclude_regions
            target = Target(
                account_id=account_id,
                account_name=account.name if account else None,
                ou_path=ou_path,
                region=region,
                status=TargetStatus.SKIPPED if excluded else TargetStatus.FAILED,
                reason=SkipReason.EXCLUDED if excluded else None,
            )
            yield TargetPlanned(account_id, target.account_name, region)
            yield TargetEnded(target)
