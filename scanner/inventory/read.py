"""Inventories from the bytes of a file: one JSON document, or JSON lines."""

from io import BytesIO
from pathlib import PurePath
from typing import Any

from pydantic import ValidationError

from scanner.errors import ConfigError
from scanner.inventory.model import Inventory
from scanner.inventory.parts import BYTE_ORDER_MARK, KINDS, first_of, records_of, refuse_long_texts


def parse_inventory(content: bytes, source: str) -> Inventory:
    """The inventory in the `content` of `source`, whose suffix tells JSON lines (`.ndjson`) from JSON.

    Raises ConfigError, naming source and cause, for anything else.
    """
    lines = PurePath(source).suffix.lower() == ".ndjson"
    try:
        if lines:
            return _from_lines(content, source)
        whole = Inventory.model_validate_json(content.removeprefix(BYTE_ORDER_MARK))
    except ValidationError as error:
        raise ConfigError(f"{source}: is no inventory: {first_of(error)}") from None
    refuse_long_texts(content, source)
    return whole


def not_whole(source: str) -> ConfigError:
    return ConfigError(f"{source}: is not one whole scan, which ends with its scan and its coverage")


def lacks_records(source: str) -> ConfigError:
    return ConfigError(f"{source}: lacks records that its coverage counts; some lines are missing")


def _from_lines(content: bytes, source: str) -> Inventory:
    records: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    for kind, record in records_of(BytesIO(content), source):
        records[kind].append(record)
    if len(records["scan"]) != 1 or len(records["coverage"]) != 1:
        raise not_whole(source)
    (scan,), (coverage,) = records["scan"], records["coverage"]
    # A volume that was moved during the scan was written twice: the later line stands.
    volumes = {volume.arn: volume for volume in records["volume"]}.values()
    whole = Inventory.build(
        scan,
        coverage.calls,
        records["target"],
        records["gateway"],
        volumes,
        records["failure"],
        records["last_known"],
    )
    if whole.coverage != coverage:
        raise lacks_records(source)
    return whole
