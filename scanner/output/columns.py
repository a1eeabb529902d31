"""The columns of the table formats: a row for each volume, the same in CSV and Parquet."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from scanner.inventory.arns import id_of
from scanner.inventory.contents import Contents
from scanner.inventory.records import FailureScope, GatewayStatus, LastKnown, TargetStatus, Volume
from scanner.output.lookup import Lookup, volume_key


class Kind(Enum):
    """What stands in a column; every format has its own way to write each."""

    TEXT = "text"
    ACCOUNT = "account"
    TIME = "time"
    BYTES = "bytes"
    SECONDS = "seconds"
    TAGS = "tags"
    COUNT = "count"
    FLAG = "flag"


@dataclass(frozen=True)
class Column:
    name: str
    kind: Kind
    meaning: str


NOT_READ = "not_read"
"""Stands for a verdict in the row of a volume that only earlier scans knew, and in a row without a volume."""
LISTINGS = ("ListGateways", "ListVolumes")
"""What tells which gateways and volumes a target has: without it some may be missing."""
COLUMNS = (
    Column("scan_id", Kind.TEXT, "the scan that read this volume"),
    Column("scan_outcome", Kind.TEXT, "complete or partial: whether volumes may be missing"),
    Column("account_id", Kind.ACCOUNT, "the account, twelve digits"),
    Column("account_name", Kind.TEXT, "the account's name, where it is known"),
    Column("region", Kind.TEXT, "the AWS Region"),
    Column("gateway_arn", Kind.TEXT, "the gateway that answered for the volume; empty where it is detached"),
    Column("gateway_id", Kind.TEXT, "its id"),
    Column("gateway_name", Kind.TEXT, "its name"),
    Column("volume_arn", Kind.TEXT, "the volume; unique in one scan"),
    Column("volume_id", Kind.TEXT, "its id"),
    Column("size_bytes", Kind.BYTES, "its size"),
    Column("usage_bytes", Kind.BYTES, "how much of it is used"),
    Column("recovery_point_time", Kind.TIME, "the latest moment at which all of its data is consistent"),
    Column("observed_at", Kind.TIME, "when the gateway answered, by the service's clock"),
    Column(
        "verdict",
        Kind.TEXT,
        "ok, at_risk, breach, no_recovery_point, unrated or unknown; or not_read",
    ),
    Column("age_seconds", Kind.SECONDS, "observed_at minus recovery_point_time"),
    Column("rpo_seconds", Kind.SECONDS, "the greatest age the policy allows"),
    Column("rule", Kind.TEXT, "which rule set it; account or default when none matched"),
    Column("waived", Kind.TEXT, "the reason of the waiver that excuses the volume"),
    Column("attachment_status", Kind.TEXT, "as ListVolumes tells it"),
    Column("tags", Kind.TAGS, "the volume's own tags; needs the detail tags"),
    Column("last_known_point_time", Kind.TIME, "of a volume that was not read: the last point ever seen"),
    Column("last_known_observed_at", Kind.TIME, "when that point was seen"),
    Column("last_known_at_most_age_seconds", Kind.SECONDS, "the greatest age that it can have by now"),
    Column("ou_path", Kind.TEXT, "the organizational units above the account, where they are known"),
)


def rows(inventory: Contents) -> Iterator[tuple[Any, ...]]:
    """A tuple for each volume, in the order of `COLUMNS`; `None` is not known.

    Then volumes that only earlier scans knew, and one row for each gateway and each target that was not read,
    without a volume: the table alone tells what it lacks.
    """
    gateways = Lookup(inventory.gateways)
    accounts = {target.account_id: (target.account_name, target.ou_path) for target in inventory.targets}
    carried = Lookup(inventory.last_known, volume_key)
    scan, outcome = inventory.scan.id, inventory.scan.outcome.value
    for volume in inventory.volumes:
        gateway, verdict = gateways.get(volume.gateway_arn), volume.verdict
        account_name, ou_path = accounts[volume.account_id]
        known = carried.get(volume.arn)
        yield (
            scan,
            outcome,
            volume.account_id,
            account_name,
            volume.region,
            volume.gateway_arn,
            id_of(volume.gateway_arn) if volume.gateway_arn else None,
            gateway.name if gateway else None,
            volume.arn,
            volume.id,
            volume.size_bytes,
            volume.usage_bytes,
            volume.recovery_point_time,
            gateway.observed_at if gateway else None,
            verdict.status.value,
            verdict.age_seconds,
            verdict.rpo_seconds,
            verdict.rule,
            verdict.waived,
            volume.attachment_status,
            volume.tags,
            *_last_known(known),
            ou_path,
        )
    for known in _carried_only(inventory):
        gateway = gateways.get(known.gateway_arn)
        account_name, ou_path = accounts.get(known.account_id, (None, None))
        point_time, seen_at, at_most = _last_known(known)
        yield _row(
            scan_id=scan,
            scan_outcome=outcome,
            account_id=known.account_id,
            account_name=account_name,
            region=known.region,
            gateway_arn=known.gateway_arn,
            gateway_id=id_of(known.gateway_arn) if known.gateway_arn else None,
            gateway_name=gateway.name if gateway else None,
            volume_arn=known.arn,
            volume_id=id_of(known.arn),
            verdict=NOT_READ,
            rpo_seconds=known.rpo_seconds,
            last_known_point_time=point_time,
            last_known_observed_at=seen_at,
            last_known_at_most_age_seconds=at_most,
            ou_path=ou_path,
        )
    for account_id, region, gateway_arn, waived in _not_read(inventory):
        gateway = gateways.get(gateway_arn)
        account_name, ou_path = accounts[account_id]
        yield _row(
            scan_id=scan,
            scan_outcome=outcome,
            account_id=account_id,
            account_name=account_name,
            region=region,
            gateway_arn=gateway_arn,
            gateway_id=gateway.id if gateway else None,
            gateway_name=gateway.name if gateway else None,
            verdict=NOT_READ,
            waived=waived,
            ou_path=ou_path,
        )


def _carried_only(inventory: Contents) -> Iterator[LastKnown]:
    """What only earlier scans knew."""
    volumes: Lookup[Volume] | None = None
    for known in inventory.last_known:
        volumes = volumes or Lookup(inventory.volumes, volume_key)
        if volumes.get(known.arn) is None:
            yield known


def _row(**known: Any) -> tuple[Any, ...]:
    row = tuple(known.pop(column.name, None) for column in COLUMNS)
    if known:
        raise TypeError(f"there is no column {min(known)}")
    return row


def _not_read(inventory: Contents) -> Iterator[tuple[str, str, str | None, str | None]]:
    """Account, Region, gateway and waiver of each target and gateway that was not read, or not wholly."""
    broken = {
        (failure.account_id, failure.region)
        for failure in inventory.failures
        if failure.scope is FailureScope.TARGET and failure.operation in LISTINGS
    }
    for target in inventory.targets:
        if target.status is TargetStatus.FAILED or target.key in broken:
            yield target.account_id, target.region, None, None
    waived = {failure.gateway_arn: failure.waived for failure in inventory.failures}
    for gateway in inventory.gateways:
        if gateway.status is GatewayStatus.FAILED:
            yield gateway.account_id, gateway.region, gateway.arn, waived.get(gateway.arn)


def _last_known(known: LastKnown | None) -> tuple[Any, Any, Any]:
    if known is None:
        return None, None, None
    return known.recovery_point_time, known.observed_at, known.at_most_age_seconds
