"""The workflows: what runs there is pinned, may do nothing that it need not, and publishes what was tested."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / ".github/workflows"
FILES = sorted(FOLDER.glob("*.yml"))


def workflow(file: Path) -> Any:
    yaml: Any = importlib.import_module("yaml")
    return yaml.safe_load(file.read_text())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_action_is_pinned_by_its_commit_with_its_version_beside_it(file: Path) -> None:
    used = [line for line in re.findall(r"uses: (.+)", file.read_text()) if not line.startswith("./")]
    assert used
    assert [
        line for line in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)
    ] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_job_may_write_and_only_publishing_has_an_identity(file: Path) -> None:
    document = workflow(file)
    assert document["permissions"] == {}
    given = {name: job["permissions"] for name, job in document["jobs"].items()}
    assert given.pop("publish", {"id-token": "write"}) == {"id-token": "write"}
    assert all(each == {"contents": "read"} for each in given.values())


def test_a_release_publishes_the_files_that_were_tested_and_builds_none() -> None:
    jobs = workflow(FOLDER / "release.yml")["jobs"]
    assert jobs["test"]["uses"] == "./.github/workflows/test.yml"
    assert jobs["publish"]["needs"] == "test"
    steps = jobs["publish"]["steps"]
    assert steps[0]["with"]["name"] == "dist"
    assert not [step for step in steps if "checkout" in step.get("uses", "") or "make" in step.get("run", "")]
    assert steps[-1]["with"] == {"attestations": True}


def test_the_matrix_has_each_python_and_each_set_of_versions() -> None:
    matrix = workflow(FOLDER / "test.yml")["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert {*matrix["versions"], *(each["versions"] for each in matrix["include"])} == {
        "locked",
        "newest",
        "lowest",
    }
