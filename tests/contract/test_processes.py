"""What only a process of its own can show: signals, kills, and who may talk on which stream."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from scanner.emulator import Emulator, Fault
from tests.cli.conftest import CONFIG, ONE, TWO, fleet, inventory, place, start

__all__ = ["place"]
VERBOSE = ("scan", "--verbose", "--log-format", "json", "-o", "i.json")


@pytest.fixture
def sgw_fleet() -> object:
    return fleet()


def wait_for(emulator: Emulator, operation: str, account: str) -> None:
    until = time.monotonic() + 20
    while not any(key[1] == operation and key[2] == account for key in list(emulator.requests)):
        assert time.monotonic() < until, "the call never came"
        time.sleep(0.02)


def read_until(process: subprocess.Popen[str], event: str, count: int) -> list[dict[str, Any]]:
    """The log of a scan up to the line that tells `event` for the `count`th time."""
    assert process.stderr
    lines: list[dict[str, Any]] = []
    while sum(line["event"] == event for line in lines) < count:
        line = process.stderr.readline()
        assert line, "the scan ended first"
        lines.append(json.loads(line))
    return lines


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_scan_in_order(place: Path, sgw_emulator: Emulator, number: signal.Signals) -> None:
    """What was read is written, the rest is told as interrupted, within two seconds; exit 3."""
    sgw_emulator.faults.add(Fault("hang", account=TWO, operation="ListGateways"))
    process = start(*VERBOSE, "-o", "i.ndjson", folder=place)
    read_until(process, "target ended", 2)
    sent = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 3, err
    assert time.monotonic() - sent < 4
    assert f"{number.name}: ending in order" in err
    assert "ended by a signal" in out
    found = inventory(place / "i.json")
    assert found["scan"]["interrupted"] is True
    assert {each["account_id"] for each in found["targets"] if each["status"] == "complete"} == {ONE}
    assert {each["kind"] for each in found["failures"]} == {"interrupted"}
    assert (place / "i.ndjson").read_text().count('"record":"target"') == 4


def test_a_second_signal_ends_a_scan_at_once(place: Path, sgw_emulator: Emulator) -> None:
    """By that signal, as a shell expects, and without a file."""
    sgw_emulator.faults.add(Fault("hang", account=TWO, operation="ListGateways"))
    process = start(*VERBOSE, folder=place)
    read_until(process, "target ended", 2)
    process.send_signal(signal.SIGSTOP)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGCONT)
    process.communicate(timeout=20)
    assert process.returncode in (-signal.SIGTERM, -signal.SIGINT)
    assert not (place / "i.json").exists()


def test_a_killed_scan_leaves_no_file_and_no_lock(place: Path, sgw_emulator: Emulator) -> None:
    (place / "scanner.toml").write_text(CONFIG.replace('path = ""', 'path = "the.lock"'))
    sgw_emulator.faults.add(Fault("hang", account=TWO, operation="ListGateways"))
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


def test_a_reader_that_has_gone_is_no_breach(place: Path) -> None:
    """`sgw-scanner schema inventory | head -1` ends as the shell's own commands do."""
    process = start("schema", "inventory", folder=place)
    assert process.stdout
    process.stdout.close()
    assert process.wait(timeout=20) == 128 + signal.SIGPIPE
    assert process.stderr
    assert process.stderr.read() == ""
    process.stderr.close()


def test_a_full_disk_behind_stdout_is_told_and_exits_3(place: Path) -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", "from scanner.cli.app import run; run()", "scan", "-o", "i.json"],
            cwd=place,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == 3, ended.stderr
    assert "the summary could not be printed: No space left" in ended.stderr
    assert inventory(place / "i.json")["scan"]["outcome"] == "complete"


def test_version_and_help_import_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['sgw-scanner', '--help']\n"
        "from scanner.cli.app import run\n"
        "try: run()\n"
        "except SystemExit: pass\n"
        "heavy = {'aioboto3', 'botocore', 'pydantic', 'pyarrow', 'aiohttp', 'rich', 'structlog'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_embedded_service_is_served_until_interrupted(place: Path, number: signal.Signals) -> None:
    process = start("emulate", folder=place)
    assert process.stdout
    assert "http://127.0.0.1:" in process.stdout.readline()
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_a_program_that_scans_streams_and_cancels_leaves_no_warning(place: Path) -> None:
    """In Python's development mode, with asyncio's debug mode, where whatever is left open is told of."""
    code = """
import asyncio
from scanner import Scanner, ScannerConfig

async def main():
    async with Scanner(ScannerConfig.load("scanner.toml")) as scanner:
        print((await scanner.scan()).scan.outcome.value)
        async with scanner.stream() as events:
            async for event in events:
                break
        task = asyncio.create_task(scanner.scan())
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait([task])
        print(len(asyncio.all_tasks()))

asyncio.run(main(), debug=True)
"""
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-c", code], cwd=place, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout.split()) == (0, ["complete", "1"]), ended.stderr
    assert not [line for line in ended.stderr.splitlines() if "Warning" in line or "never" in line]
