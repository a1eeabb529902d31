"""What a release would publish: it holds what its README uses, and types that others can check against."""

import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

import scanner
from scripts.sbom import bill

ROOT = Path(__file__).parents[2]
CONSUMER = """
from datetime import timedelta

from scanner import Inventory, Scanner, ScannerConfig
from scanner.inventory import Volume, is_breach


async def worst(config: ScannerConfig) -> list[Volume]:
    async with Scanner(config) as scanner:
        inventory: Inventory = await scanner.scan()
    return [volume for volume in inventory.volumes if is_breach(volume.verdict)]


def ages(inventory: Inventory) -> list[float | None]:
    return [volume.verdict.age_seconds for volume in inventory.volumes]


reveal_type(Inventory.read("inventory.json").coverage.volumes.need_action)
Inventory.read(timedelta(1))
"""


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both, built without a network."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_sdist_holds_whatever_the_readme_leads_to_and_make_needs(dist: Path) -> None:
    (file,) = dist.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    links = re.findall(r"\]\(([^)#\s]+)", (ROOT / "README.md").read_text())
    files = {link for link in links if not link.startswith("https:") and (ROOT / link).is_file()}
    assert files
    needed = {"Makefile", ".ci/run", "requirements/run.lock", "requirements/dev.lock", "tests/conftest.py"}
    assert files | needed <= held
    assert not [name for name in held if "__pycache__" in name or name.startswith(("dist/", ".venv"))]


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(dist: Path) -> None:
    """Templates, scripts of the page, what an operator copies, and `py.typed`, too."""
    (file,) = dist.glob("*.whl")
    held = {name for name in zipfile.ZipFile(file).namelist() if ".dist-info/" not in name}
    tracked = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "scanner").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == tracked
    assert "scanner/py.typed" in held


def test_a_consumer_of_the_installed_wheel_is_checked_against_its_types(dist: Path, tmp_path: Path) -> None:
    """Its own mistake is found, and nothing is taken for Any."""
    (file,) = dist.glob("*.whl")
    # In an environment of its own, whose site-packages has the wheel; what it needs is where it is here.
    command = [sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")]
    subprocess.run(command, check=True)
    (site,) = tmp_path.glob("venv/lib/*/site-packages")
    zipfile.ZipFile(file).extractall(site)
    (site / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (tmp_path / "consumer.py").write_text(CONSUMER)
    told = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(tmp_path / "venv/bin/python"),
         "--config-file", "", "--cache-dir", str(tmp_path / "cache"), "consumer.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    notes, errors = re.findall(r": note: (.*)", told), re.findall(r": error: (.*)", told)
    assert notes[0] == 'Revealed type is "int"', told
    assert [re.sub(r".*\[", "[", error) for error in errors] == ["[arg-type]"], told


def test_the_bill_of_materials_names_each_version_that_is_locked_with_its_hashes() -> None:
    lock = (ROOT / "requirements/run.lock").read_text()
    bom = bill(lock, scanner.__version__)
    named = {f"{each['name']}=={each['version']}" for each in bom["components"]}
    assert named == set(re.findall(r"^([\w.-]+==[^ ;\\]+)", lock, re.M))
    hashes = [
        each["content"]
        for component in bom["components"]
        for each in component["externalReferences"][0]["hashes"]
    ]
    assert sorted(hashes) == sorted(re.findall(r"sha256:(\w+)", lock))
