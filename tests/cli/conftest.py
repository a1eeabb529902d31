"""A small fleet, and the command line in this process or in one of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scanner.cli.app import run
from scanner.emulator import Account, Emulator, Fleet, Gateway, Role, Volume

ONE, TWO = "111122223333", "222233334444"
SECRET_ID = "very-external-id-42"


def gateway(number: int, age: timedelta | None, region: str = "us-east-1", **more: Any) -> Gateway:
    volume = Volume(f"vol-0000000{number}", recovery_point=age)
    return Gateway(f"sgw-0000000{number}", region, f"gateway {number}", volumes=[volume], **more)


def fleet() -> Fleet:
    """Two accounts in us-east-1 and eu-west-1; every volume has a point of an hour ago."""
    hour = timedelta(hours=1)
    regions = ("us-east-1", "eu-west-1")
    return Fleet(
        [
            Account(ONE, "hub", regions, [gateway(1, hour), gateway(2, hour, "eu-west-1")], [Role("scan")]),
            Account(TWO, "prod", regions, [gateway(3, hour)], [Role("scan", external_id=SECRET_ID)]),
        ]
    )


@pytest.fixture
def sgw_fleet() -> Fleet:
    return fleet()


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]
CONFIG = f"""
[scan]
regions = ["us-east-1", "eu-west-1"]
[retry]
max_attempts = 2
base_delay = "1ms"
[policy]
rpo = "24h"
[lock]
path = ""
[[accounts]]
id = "{ONE}"
name = "hub"
role = "scan"
[[accounts]]
id = "{TWO}"
name = "prod"
role = "scan"
external_id = "{SECRET_ID}"
"""


@pytest.fixture
def place(tmp_path: Path, sgw_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a configuration of the served fleet, and the environment that leads to it."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "SGW_SCANNER_")):
            monkeypatch.delenv(name)
    for name, value in sgw_emulator.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scanner.toml").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def command(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Command]:
    """Runs a command line in this process."""
    handler = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)

    def call(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["sgw-scanner", *words])
        with pytest.raises(SystemExit) as end:
            run()
        out, err = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return Said(end.value.code, out, err)

    yield call
    signal.signal(signal.SIGINT, handler)


def start(*words: str, folder: Path) -> subprocess.Popen[str]:
    """The command line as a process of its own, in the environment of this one."""
    return subprocess.Popen(
        [sys.executable, "-c", "from scanner.cli.app import run; run()", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def inventory(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found
