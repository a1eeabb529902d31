"""The columns of the table formats: a row for each volume, the same in CSV and Parquet."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from scanner.inventory.arns import id_of
from scanner.inventory.model import Inventory


class Kind(Enum):
    """What stands in a column; every format has its own way to write each."""

    TEXT = "text"
    TIME = "time"
    BYTES = "bytes"
    SECONDS = "seconds"
    TAGS = "tags"


@dataclass(frozen=True)
class Column:
    name: str
    kind: Kind
    meaning: str


COLUMNS = (
    Column("scan_id", Kind.TEXT, "the scan that read this volume"),
    Column("scan_outcome", Kind.TEXT, "complete or partial: whether volumes may be missing"),
    Column("account_id", Kind.TEXT, "the account, twelve digits"),
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
    Column("verdict", Kind.TEXT, "ok, at_risk, breach, no_recovery_point, unrated or unknown"),
    Column("age_seconds", Kind.SECONDS, "observed_at minus recovery_point_time"),
    Column("rpo_seconds", Kind.SECONDS, "the greatest age the policy allows"),
    Column("rule", Kind.TEXT, "which rule set it; account or default when none matched"),
    Column("waived", Kind.TEXT, "the reason of the waiver that excuses the volume"),
    Column("attachment_status", Kind.TEXT, "as ListVolumes tells it"),
    Column("tags", Kind.TAGS, "the volume's own tags; needs the detail tags"),
    Column("ou_path", Kind.TEXT, "the organizational units above the account, where they are known"),
)


def rows(inventory: Inventory) -> Iterator[tuple[Any, ...]]:
    """A tuple for each volume, in the order of `COLUMNS`; `None` is not known."""
    gateways = {gateway.arn: gateway for gateway in inventory.gateways}
    accounts = {target.account_id: (target.account_name, target.ou_path) for target in inventory.targets}
    scan, outcome = inventory.scan.id, inventory.scan.outcome.value
    for volume in inventory.volumes:
        gateway, verdict = gateways.get(volume.gateway_arn or ""), volume.verdict
        account_name, ou_path = accounts[volume.account_id]
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
            ou_path,
        )
