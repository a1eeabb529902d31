"""The tables of the history: what each keeps of the inventory's records, and in which types."""

from dataclasses import dataclass
from typing import Final

FORMAT: Final = 1
"""The layout's version. Columns are only ever added; anything else would need a new number."""
ROW_GROUP: Final = 4096
LEVEL: Final = 12
"""Of zstd; higher ones gain nothing more."""

_TAGS = "MAP(VARCHAR, VARCHAR)"


@dataclass(frozen=True, slots=True)
class Table:
    """One table: the JSON fields of its records, and the columns made of them.

    `fields` are the types in which DuckDB reads a record's JSON; `columns` map a column's name to the field, or
    the part of a field, that it holds. Records come in the inventory's order, by ARN or target, and stay so.
    """

    name: str
    fields: dict[str, str]
    columns: dict[str, str]


def _table(name: str, fields: dict[str, str], **derived: str) -> Table:
    # An id is the end of its ARN, and would be a fifth of a file.
    columns = {
        field: field
        for field, kind in fields.items()
        if field not in ("id", "scan_id") and not kind.startswith("STRUCT")
    }
    return Table(name, fields, columns | derived)


TARGETS: Final = _table(
    "targets",
    {
        "account_id": "VARCHAR",
        "account_name": "VARCHAR",
        "ou_path": "VARCHAR",
        "region": "VARCHAR",
        "status": "VARCHAR",
        "reason": "VARCHAR",
        "gateways": "BIGINT",
        "volumes": "BIGINT",
        "volumes_listed": "BOOLEAN",
    },
)
GATEWAYS: Final = _table(
    "gateways",
    {
        "arn": "VARCHAR",
        "id": "VARCHAR",
        "name": "VARCHAR",
        "account_id": "VARCHAR",
        "region": "VARCHAR",
        "type": "VARCHAR",
        "operational_state": "VARCHAR",
        "host_environment": "VARCHAR",
        "ec2_instance_id": "VARCHAR",
        "software_version": "VARCHAR",
        "deprecation_date": "VARCHAR",
        "status": "VARCHAR",
        "observed_at": "TIMESTAMP",
        "details": "JSON",
        "tags": _TAGS,
    },
)
VOLUMES: Final = _table(
    "volumes",
    {
        "arn": "VARCHAR",
        "id": "VARCHAR",
        "gateway_arn": "VARCHAR",
        "account_id": "VARCHAR",
        "region": "VARCHAR",
        "size_bytes": "BIGINT",
        "usage_bytes": "BIGINT",
        "recovery_point_time": "TIMESTAMP",
        "attachment_status": "VARCHAR",
        "details": "JSON",
        "tags": _TAGS,
        "verdict": (
            "STRUCT(status VARCHAR, age_seconds DOUBLE, rpo_seconds DOUBLE, rule VARCHAR, waived VARCHAR)"
        ),
    },
    verdict="verdict.status",
    age_seconds="verdict.age_seconds",
    rpo_seconds="verdict.rpo_seconds",
    rule="verdict.rule",
    waived="verdict.waived",
)
FAILURES: Final = _table(
    "failures",
    {
        "scope": "VARCHAR",
        "account_id": "VARCHAR",
        "region": "VARCHAR",
        "gateway_arn": "VARCHAR",
        "operation": "VARCHAR",
        "kind": "VARCHAR",
        "code": "VARCHAR",
        "message": "VARCHAR",
        "remedy": "VARCHAR",
        "refused": "STRUCT(principal VARCHAR, action VARCHAR, resource VARCHAR)",
        "waived": "VARCHAR",
        "attempts": "BIGINT",
        "request_id": "VARCHAR",
    },
    refused_principal="refused.principal",
    refused_action="refused.action",
    refused_resource="refused.resource",
)
LAST_KNOWN: Final = _table(
    "last_known",
    {
        "arn": "VARCHAR",
        "gateway_arn": "VARCHAR",
        "account_id": "VARCHAR",
        "region": "VARCHAR",
        "recovery_point_time": "TIMESTAMP",
        "observed_at": "TIMESTAMP",
        "scan_id": "VARCHAR",
        "at_most_age_seconds": "DOUBLE",
        "rpo_seconds": "DOUBLE",
        "within_rpo": "BOOLEAN",
        "verdict": "VARCHAR",
        "waived": "VARCHAR",
    },
    # Every row of the history has the id of its own scan as `scan_id`.
    seen_in_scan="scan_id",
)
TABLES: Final = {table.name: table for table in (TARGETS, GATEWAYS, VOLUMES, FAILURES)}
"""The tables that every scan writes and that SQL sees."""
ALWAYS_WRITTEN: Final = frozenset(TABLES)
