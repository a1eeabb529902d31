"""The bill of materials of a release, as CycloneDX: each version of requirements/run.lock with its hashes."""

import json
import re
import sys
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from scanner import __version__

LOCK = Path(__file__).parents[1] / "requirements" / "run.lock"
_PIN = re.compile(
    r"^(?P<requirement>[\w.-]+==.*?) \\\n(?P<hashes>(?:    --hash=sha256:\w+(?: \\)?\n)+)", re.M
)


def bill(lock: str, version: str) -> dict[str, Any]:
    """All that an installation with every extra brings, from the text of a lock file. It holds no time."""
    own = f"pkg:pypi/sgw-scanner@{version}"
    components = [
        _component(Requirement(found["requirement"]), found["hashes"]) for found in _PIN.finditer(lock)
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": "sgw-scanner",
                "version": version,
                "purl": own,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": components,
        "dependencies": [{"ref": own, "dependsOn": [component["bom-ref"] for component in components]}],
    }


def _component(requirement: Requirement, hashes: str) -> dict[str, Any]:
    (version,) = (each.version for each in requirement.specifier)
    purl = f"pkg:pypi/{requirement.name}@{version}"
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": requirement.name,
        "version": version,
        "purl": purl,
        # A release has many files; each of these hashes is that of one.
        "externalReferences": [
            {
                "type": "distribution",
                "url": purl,
                "hashes": [
                    {"alg": "SHA-256", "content": digest} for digest in re.findall(r"sha256:(\w+)", hashes)
                ],
            }
        ],
    }
    if requirement.marker:
        component["properties"] = [{"name": "python:marker", "value": str(requirement.marker)}]
    return component


def main() -> None:
    sys.stdout.write(json.dumps(bill(LOCK.read_text(encoding="utf-8"), __version__), indent=2) + "\n")


if __name__ == "__main__":
    main()
