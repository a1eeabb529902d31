"""The JSON Schema of the configuration, by which an editor checks it."""

import tomllib

import jsonschema
import pytest

from scanner.config.schema import DESCRIPTIONS, config_schema
from scanner.config.starter import starter_text


def test_the_starter_file_is_taken_and_a_misspelt_key_is_not() -> None:
    schema = config_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(tomllib.loads(starter_text()), schema)
    with pytest.raises(jsonschema.ValidationError, match="max_concurency"):
        jsonschema.validate({"scan": {"max_concurency": 3}}, schema)


def test_the_starter_file_names_its_schema_first() -> None:
    assert starter_text().startswith("#:schema ./config.schema.json\n")


def test_every_setting_is_explained_and_nothing_else() -> None:
    schema = config_schema()
    parts = {**schema["$defs"], "ScannerConfig": schema}
    fields = {name: set(part["properties"]) for name, part in parts.items() if "properties" in part}
    assert fields == {name: set(texts) for name, texts in DESCRIPTIONS.items()}
