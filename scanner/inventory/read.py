"""Inventories that were written as JSON, or line by line as NDJSON."""

import json
from typing import Any

from pydantic import ValidationError

from scanner.errors import ConfigError
from scanner.inventory.model import Inventory
from scanner.inventory.records import SCHEMA_VERSION

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LISTS = {
    "target": "targets",
    "gateway": "gateways",
    "volume": "volumes",
    "failure": "failures",
    "last_known": "last_known",
}
_SINGLE = ("coverage", "scan")


def parse_inventory(content: bytes, name: str, *, lines: bool = False) -> Inventory:
    """The inventory in `content`; `lines` for NDJSON. Raises ConfigError, naming `name` and cause."""
    body = content.removeprefix(BYTE_ORDER_MARK)
    try:
        if lines:
            return Inventory.model_validate_json(json.dumps(_collected(body, name)))
        return Inventory.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise ConfigError(f"{name}: is no inventory: {where + ': ' if where else ''}{first['msg']}") from None


def _collected(body: bytes, name: str) -> dict[str, Any]:
    whole: dict[str, Any] = {"schema_version": SCHEMA_VERSION, **{each: [] for each in _LISTS.values()}}
    for number, line in enumerate(body.splitlines(), 1):
        try:
            record = json.loads(line)
            kind = record.pop("record")
        except (ValueError, AttributeError, KeyError, TypeError):
            raise ConfigError(f"{name}: is no inventory: line {number} holds no record") from None
        if kind in _LISTS:
            whole[_LISTS[kind]].append(record)
        elif kind in _SINGLE:
            whole[kind] = record
    if any(each not in whole for each in _SINGLE):
        raise ConfigError(f"{name}: its scan did not finish: the records `coverage` and `scan` are missing")
    # Lines come in the order in which a scan reads, and an inventory has an order of its own.
    whole["targets"].sort(key=lambda each: (each.get("account_id", ""), each.get("region", "")))
    for table in ("gateways", "volumes", "last_known"):
        whole[table].sort(key=lambda each: each.get("arn", ""))
    whole["failures"].sort(
        key=lambda each: [each.get(key) or "" for key in ("account_id", "region", "gateway_arn", "operation")]
    )
    return whole
