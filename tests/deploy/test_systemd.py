"""The units: systemd takes them, and node_exporter can read what they write."""

import os
import shutil
import stat
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

import scanner.deploy
from scanner.output.atomic_files import atomic
from scanner.output.formats import FORMATS

FOLDER = Path(scanner.deploy.__file__).parent / "systemd"
UNITS = sorted(FOLDER.iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
ANALYZE = shutil.which("systemd-analyze")


def section(unit: Path, name: str) -> dict[str, str]:
    parser = ConfigParser(strict=True, interpolation=None, delimiters=["="])
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(unit.read_text())
    return dict(parser[name])


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed: apt-get install systemd")
def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    """It looks for the command, too, which stands elsewhere here."""
    for unit in UNITS:
        text = unit.read_text().replace("/usr/local/bin/sgw-scanner", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    files = [str(tmp_path / unit.name) for unit in UNITS]
    assert ANALYZE
    answer = subprocess.run(
        [ANALYZE, "verify", "--man=no", *files], capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stderr) == (0, "")


def test_the_timer_starts_the_scan_each_night() -> None:
    scan = section(FOLDER / "sgw-scanner.service", "Service")
    assert scan["Type"] == "oneshot"
    assert scan["ExecStart"].split()[1] == "scan"
    assert section(FOLDER / "sgw-scanner.timer", "Install")["WantedBy"] == "timers.target"


def test_serving_reads_its_configuration_anew_and_starts_again_only_where_that_may_help() -> None:
    serve = section(FOLDER / "sgw-scanner-serve.service", "Service")
    assert serve["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert (serve["Restart"], serve["RestartPreventExitStatus"]) == ("on-failure", "2")


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_stranger_reads_the_metrics_and_nothing_else(unit: Path, tmp_path: Path) -> None:
    """With the modes of the unit: node_exporter knows the name of the metrics, and is not in the group.

    A DynamicUser's folder lies below one that is closed to all others.
    """
    service = section(unit, "Service")
    assert (service["User"], service["ProtectSystem"], service.get("DynamicUser")) == (
        "sgw-scanner", "strict", None,
    )  # fmt: skip
    assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(int(service["StateDirectoryMode"], 8))
    before = os.umask(int(service["UMask"], 8))
    try:
        for suffix, format_ in FORMATS.items():
            with atomic(folder / f"output{suffix}", format_.mode) as stream:
                stream.write(b"x")
    finally:
        os.umask(before)
    readable = {file.suffix for file in folder.iterdir() if file.stat().st_mode & stat.S_IROTH}
    assert readable == {".prom"}
    passes, lists = folder.stat().st_mode & stat.S_IXOTH, folder.stat().st_mode & stat.S_IROTH
    assert passes
    assert not lists


def test_both_services_are_in_the_same_sandbox() -> None:
    own = {"ExecStart", "ExecReload", "Type", "Restart", "RestartSec", "RestartPreventExitStatus",
           "TimeoutStartSec"}  # fmt: skip
    scan, serve = (
        {key: value for key, value in section(unit, "Service").items() if key not in own} for unit in SERVICES
    )
    assert scan == serve
