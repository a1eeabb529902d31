"""Writes the files of config/ that follow from the code: `python -m scripts.generate`, or `make config`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scanner.config.schema import config_schema
from scanner.config.starter import starter_text
from scanner.iam.permissions import DETAILS, base_document, policy_document
from scanner.iam.template import role_template
from scanner.inventory.schema import inventory_schema

FOLDER = Path(__file__).parents[1] / "config"


def _json(document: Any) -> str:
    return json.dumps(document, indent=2) + "\n"


GENERATED: dict[str, Callable[[], str]] = {
    "scanner.toml": starter_text,
    "config.schema.json": lambda: _json(config_schema()),
    "inventory.schema.json": lambda: _json(inventory_schema()),
    "iam-policy.json": lambda: _json(policy_document(())),
    "iam-policy-details.json": lambda: _json(policy_document(tuple(DETAILS))),
    "iam-policy-base.json": lambda: _json(base_document("sgw-scanner")),
    "role-template.yaml": role_template,
}
"""Each generated file by its name in config/, and what makes its text."""


def main() -> None:
    for name, generate in GENERATED.items():
        (FOLDER / name).write_text(generate(), encoding="utf-8")


if __name__ == "__main__":
    main()
