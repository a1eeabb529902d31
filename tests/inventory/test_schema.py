"""The JSON Schema of an inventory takes what is written, and explains it."""

import json
from typing import Any

import jsonschema
import pytest

from scanner.inventory.schema import DESCRIPTIONS, DIALECT, inventory_schema
from tests.output.fleet import inventory, remembering

WHOLE = json.loads(remembering(inventory(whole=False)).model_dump_json())


def test_what_is_written_is_taken() -> None:
    schema = inventory_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(WHOLE, schema)
    assert schema["$schema"] == DIALECT
    assert schema["$id"].startswith("urn:sgw-scanner:")


@pytest.mark.parametrize(
    "name", ["schema_version", "scan", "coverage", "targets", "gateways", "volumes", "failures"]
)
def test_a_document_that_lacks_a_part_is_refused(name: str) -> None:
    lacking = {key: value for key, value in WHOLE.items() if key != name}
    with pytest.raises(jsonschema.ValidationError, match=name):
        jsonschema.validate(lacking, inventory_schema())


@pytest.mark.parametrize(
    "wrong", [{"schema_version": "2"}, {"volumes": {}}, {"targets": [{"account_id": "1"}]}]
)
def test_what_the_model_refuses_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(WHOLE | wrong, inventory_schema())


def test_every_field_is_explained_and_nothing_else() -> None:
    schema = inventory_schema()
    parts = {**schema["$defs"], "Inventory": schema}
    fields = {name: set(part["properties"]) for name, part in parts.items() if "properties" in part}
    assert fields == {name: set(texts) for name, texts in DESCRIPTIONS.items()}
