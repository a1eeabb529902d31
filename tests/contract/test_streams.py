"""Streams that are closed, full or read by nobody change no exit code, and cost no inventory."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import fleet, inventory, place, start

__all__ = ["place"]
RUN = f"{sys.executable} -c 'from scanner.cli.app import run; run()'"


@pytest.fixture
def sgw_fleet() -> object:
    return fleet()


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", line.replace("sgw-scanner", RUN, 1)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("streams", ["2>/dev/full", "2> >(true)", "2>&-", "<&-", ">&-", ">&- 2>&- <&-"])
def test_a_scan_is_written_whatever_its_streams_are(place: Path, streams: str) -> None:
    said = shell(f"sgw-scanner scan --verbose -o i.json {streams}", place)
    assert said.returncode == 0, said.stderr
    assert inventory(place / "i.json")["scan"]["outcome"] == "complete"


@pytest.mark.parametrize("streams", ["2>/dev/full", "2>&-"])
@pytest.mark.parametrize("words", ["scan -c nowhere.toml", "scan --bogus"])
def test_a_mistake_is_one_even_where_nobody_can_be_told(place: Path, words: str, streams: str) -> None:
    assert shell(f"sgw-scanner {words} {streams}", place).returncode == 2


def test_a_closed_stdout_takes_no_output_and_is_found_out_before_the_scan(place: Path) -> None:
    said = shell("sgw-scanner scan -o - >&-", place)
    assert said.returncode == 2
    assert "standard output is closed; name a file" in said.stderr


def test_a_log_in_json_is_json_to_the_last_line(place: Path) -> None:
    """Whatever ends a scan, and whichever output fails."""
    (place / "gone").mkdir()
    process = start("scan", "--log-format", "json", "-o", "gone/i.ndjson", folder=place)
    assert process.stderr
    lines = [process.stderr.readline()]
    process.send_signal(signal.SIGTERM)
    lines += process.communicate(timeout=30)[1].splitlines()
    told = [json.loads(line)["event"] for line in lines]
    assert told[0] == "scan started"


def test_a_signal_while_a_bucket_does_not_answer_ends_the_command(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything was scanned; the bucket's silence is bounded by the deadline as well."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{silent.getsockname()[1]}")
        process = start("scan", "-o", "s3://bucket/i.json", folder=place)
        with silent.accept()[0]:
            sent = time.monotonic()
            process.send_signal(signal.SIGTERM)
            err = process.communicate(timeout=30)[1]
        assert (process.returncode, time.monotonic() - sent < 4) == (2, True), err
        late = start("scan", "-o", "s3://bucket/i.json", "--deadline", "1s", folder=place)
        assert "did not answer before the scan was to end" in late.communicate(timeout=30)[1]
        assert late.returncode == 2
