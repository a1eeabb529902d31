"""What only a process of its own can show: signals, kills, and who may talk on which stream."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scanner.emulator import Emulator, Fault
from tests.cli.conftest import CONFIG, TWO, fleet, place, start

__all__ = ["place"]


@pytest.fixture
def sgw_fleet() -> object:
    return fleet()


def wait_for(emulator: Emulator, operation: str, account: str) -> None:
    until = time.monotonic() + 20
    while not any(key[1] == operation and key[2] == account for key in list(emulator.requests)):
        assert time.monotonic() < until, "the call never came"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_scan_in_order(place: Path, sgw_emulator: Emulator, number: signal.Signals) -> None:
    """What was read is written, the rest is told as interrupted, within two seconds; exit 3."""
    sgw_emulator.faults.add(Fault("hang", account=TWO, operation="ListGateways"))
    process = start("scan", "-o", "i.json", folder=place)
    wait_for(sgw_emulator, "ListGateways", TWO)
    sent = time.monotonic()
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 3, err
    assert time.monotonic() - sent < 4
    found = json.loads((place / "i.json").read_text())
    assert found["scan"]["interrupted"] is True
    assert found["coverage"]["targets"]["complete"] == 2
    assert {each["kind"] for each in found["failures"]} == {"interrupted"}


def test_a_killed_scan_leaves_no_file_and_no_lock(place: Path, sgw_emulator: Emulator) -> None:
    (place / "scanner.toml").write_text(CONFIG.replace('path = ""', 'path = "the.lock"'))
    hang = Fault("hang", account=TWO, operation="ListGateways")
    sgw_emulator.faults.add(hang)
    process = start("scan", "-o", "i.json", folder=place)
    wait_for(sgw_emulator, "ListGateways", TWO)
    blocked = start("scan", folder=place)
    _, err = blocked.communicate(timeout=20)
    assert blocked.returncode == 75
    assert f"process {process.pid} on" in err
    process.kill()
    process.communicate(timeout=20)
    assert not (place / "i.json").exists()
    sgw_emulator.faults.clear()
    again = start("scan", "-o", "i.json", folder=place)
    again.communicate(timeout=20)
    assert again.returncode == 0


def test_version_and_help_import_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['sgw-scanner', '--help']\n"
        "from scanner.cli import run\n"
        "try: run()\n"
        "except SystemExit: pass\n"
        "heavy = {'aioboto3', 'botocore', 'pydantic', 'plotly', 'pyarrow', 'aiohttp'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


def test_the_embedded_service_is_served_for_any_client(place: Path) -> None:
    process = start("emulate", folder=place)
    try:
        assert process.stdout
        assert "http://127.0.0.1:" in process.stdout.readline()
    finally:
        process.terminate()
        process.communicate(timeout=20)
