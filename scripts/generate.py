"""Writes the files of config/ and docs/reference/ that follow from the code: `make config`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scanner.config.schema import config_schema
from scanner.config.starter import starter_text
from scanner.iam.permissions import DETAILS, base_document, policy_document
from scanner.iam.template import role_template
from scanner.inventory.schema import inventory_schema
from scripts.reference import configuration_page, library_page

ROOT = Path(__file__).parents[1]


def _json(document: Any) -> str:
    return json.dumps(document, indent=2) + "\n"


GENERATED: dict[str, Callable[[], str]] = {
    "config/scanner.toml": starter_text,
    "config/config.schema.json": lambda: _json(config_schema()),
    "config/inventory.schema.json": lambda: _json(inventory_schema()),
    "config/iam-policy.json": lambda: _json(policy_document(())),
    "config/iam-policy-details.json": lambda: _json(policy_document(tuple(DETAILS))),
    "config/iam-policy-base.json": lambda: _json(base_document("sgw-scanner")),
    "config/role-template.yaml": role_template,
    "docs/reference/configuration.md": configuration_page,
    "docs/reference/library.md": library_page,
}
"""Each generated file by its path, and what makes its text."""


def main() -> None:
    for name, generate in GENERATED.items():
        (ROOT / name).write_text(generate(), encoding="utf-8")


if __name__ == "__main__":
    main()
