"""The tables that CSV and Parquet hold: volumes, or what an infix names, as in `x.targets.csv`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from scanner.inventory.contents import Contents
from scanner.output import columns
from scanner.output.columns import Column, Kind


@dataclass(frozen=True)
class Table:
    """Columns, and a function that gives a tuple for each row in their order; `None` is not known."""

    columns: tuple[Column, ...]
    rows: Callable[[Contents], Iterator[tuple[Any, ...]]]


_SCAN_ID = Column("scan_id", Kind.TEXT, "the scan that told this")
_ACCOUNT = (
    Column("account_id", Kind.ACCOUNT, "the account, twelve digits"),
    Column("account_name", Kind.TEXT, "the account's name, where it is known"),
    Column("region", Kind.TEXT, "the AWS Region"),
)
TARGETS = (
    _SCAN_ID,
    *_ACCOUNT,
    Column("status", Kind.TEXT, "complete, partial, failed or skipped"),
    Column("reason", Kind.TEXT, "why it was skipped"),
    Column("gateways", Kind.COUNT, "how many were listed"),
    Column("volumes", Kind.COUNT, "how many are known"),
    Column(
        "volumes_listed", Kind.FLAG, "whether ListVolumes named all of them; empty where it was not asked"
    ),
    Column("ou_path", Kind.TEXT, "the organizational units above the account, where they are known"),
)
GATEWAYS = (
    _SCAN_ID,
    *_ACCOUNT,
    Column("gateway_arn", Kind.TEXT, "the gateway; unique in one scan"),
    Column("gateway_id", Kind.TEXT, "its id"),
    Column("gateway_name", Kind.TEXT, "its name"),
    Column("type", Kind.TEXT, "CACHED, STORED, ..."),
    Column("operational_state", Kind.TEXT, "as ListGateways tells it"),
    Column("host_environment", Kind.TEXT, "what it runs on"),
    Column("ec2_instance_id", Kind.TEXT, "where it runs on EC2"),
    Column("software_version", Kind.TEXT, "of the gateway"),
    Column("deprecation_date", Kind.TEXT, "until when that version is supported"),
    Column("status", Kind.TEXT, "scanned, not_applicable, failed or vanished"),
    Column("observed_at", Kind.TIME, "when it answered, by the service's clock"),
    Column("tags", Kind.TAGS, "its tags; needs the detail tags"),
)
FAILURES = (
    _SCAN_ID,
    *_ACCOUNT,
    Column("scope", Kind.TEXT, "account, target or gateway"),
    Column("gateway_arn", Kind.TEXT, "the gateway, where it is of one"),
    Column("operation", Kind.TEXT, "the call that failed"),
    Column("kind", Kind.TEXT, "why it failed"),
    Column("code", Kind.TEXT, "the service's own error code"),
    Column("message", Kind.TEXT, "the service's own words"),
    Column("remedy", Kind.TEXT, "what helps"),
    Column("refused_principal", Kind.TEXT, "who was refused"),
    Column("refused_action", Kind.TEXT, "the IAM action"),
    Column("refused_resource", Kind.TEXT, "the resource"),
    Column("waived", Kind.TEXT, "the reason of the waiver that excuses it"),
    Column("attempts", Kind.COUNT, "how often it was sent"),
    Column("request_id", Kind.TEXT, "of the last answer"),
)


def _names(inventory: Contents) -> dict[str, str | None]:
    return {target.account_id: target.account_name for target in inventory.targets}


def _targets(inventory: Contents) -> Iterator[tuple[Any, ...]]:
    for one in inventory.targets:
        yield (
            inventory.scan.id,
            one.account_id,
            one.account_name,
            one.region,
            one.status.value,
            one.reason.value if one.reason else None,
            one.gateways,
            one.volumes,
            one.volumes_listed,
            one.ou_path,
        )


def _gateways(inventory: Contents) -> Iterator[tuple[Any, ...]]:
    names = _names(inventory)
    for one in inventory.gateways:
        yield (
            inventory.scan.id,
            one.account_id,
            names.get(one.account_id),
            one.region,
            one.arn,
            one.id,
            one.name,
            one.type,
            one.operational_state,
            one.host_environment,
            one.ec2_instance_id,
            one.software_version,
            one.deprecation_date,
            one.status.value,
            one.observed_at,
            one.tags,
        )


def _failures(inventory: Contents) -> Iterator[tuple[Any, ...]]:
    names = _names(inventory)
    for one in inventory.failures:
        refused = one.refused
        yield (
            inventory.scan.id,
            one.account_id,
            names.get(one.account_id),
            one.region,
            one.scope.value,
            one.gateway_arn,
            one.operation,
            one.kind.value,
            one.code,
            one.message,
            one.remedy,
            refused.principal if refused else None,
            refused.action if refused else None,
            refused.resource if refused else None,
            one.waived,
            one.attempts,
            one.request_id,
        )


TABLES = {
    "volumes": Table(columns.COLUMNS, columns.rows),
    "targets": Table(TARGETS, _targets),
    "gateways": Table(GATEWAYS, _gateways),
    "failures": Table(FAILURES, _failures),
}
"""Each table by its infix."""
