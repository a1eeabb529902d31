from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import scanner.emulator
from scanner.emulator import Emulator, Fleet

FLEET = """
[[accounts]]
id = "111122223333"
[[accounts.gateways]]
id = "sgw-12A3456B"
region = "us-east-1"
"""


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Fleet, str, int]]:
    """What would be served, instead of serving it."""
    calls: list[tuple[Fleet, str, int]] = []
    monkeypatch.setattr(scanner.emulator, "serve", lambda *call: calls.append(call))
    return calls


@pytest.mark.parametrize(
    ("words", "fleet"),
    [
        ((), Fleet.demo()),
        (("--accounts", "3"), Fleet.generate(3)),
        (
            ("--accounts", "2", "--regions", "2", "--gateways", "1-3", "--volumes", "4", "--seed", "9"),
            Fleet.generate(2, 2, 9, (1, 3), 4),
        ),
        (("--accounts", "2", "--cached-only"), Fleet.generate(2, types={"CACHED": 1})),
    ],
)
def test_the_fleet_is_the_demos_or_a_generated_one(
    command: Callable[..., Any], served: list[Any], words: tuple[str, ...], fleet: Fleet
) -> None:
    assert command("emulate", *words).code == 0
    assert served == [(fleet, "127.0.0.1", 0)]


def test_a_fleet_can_be_read_from_a_file_and_served_elsewhere(
    command: Callable[..., Any], served: list[Any], place: Path
) -> None:
    (place / "fleet.toml").write_text(FLEET)
    assert command("emulate", "--fleet", "fleet.toml", "--host", "127.0.0.2", "--port", "4566").code == 0
    assert served == [(Fleet.from_toml("fleet.toml"), "127.0.0.2", 4566)]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--fleet", "none.toml"), "--fleet: none.toml: No such file"),
        (("--fleet", "bad.toml"), "bad.toml: acounts: no such key; did you mean 'accounts'?"),
        (("--fleet", "bad.toml", "--accounts", "2"), "--accounts: clashes with --fleet"),
        (("--regions", "2"), "--accounts: is missing"),
        (("--volumes", "1-2", "--fleet", "bad.toml"), "--accounts: is missing"),
        (("--cached-only",), "--accounts: is missing"),
        (("--accounts", "2", "--gateways", "few"), "--gateways: must be N or MIN-MAX, not 'few'"),
        (("--accounts", "2", "--gateways", "-1"), "--gateways: must be N or MIN-MAX, not '-1'"),
        (("--accounts", "2", "--volumes", "1-x"), "--volumes: must be N or MIN-MAX, not '1-x'"),
        (("--accounts", "2", "--volumes", "3-1"), "--volumes: must have the least first, not '3-1'"),
        (("--accounts", "2", "--regions", "99"), "--regions: regions must be between 1 and 34"),
        (("--accounts", "0"), "--accounts"),
        (("--host", "nowhere.invalid"), "--host: nowhere.invalid: "),
    ],
)
def test_a_mistake_names_the_option_and_what_would_be_right(
    command: Callable[..., Any], place: Path, words: tuple[str, ...], problem: str
) -> None:
    (place / "bad.toml").write_text("acounts = 1")
    said = command("emulate", *words)
    assert said.code == 2
    assert problem in said.err


def test_a_port_that_is_taken_is_a_mistake(command: Callable[..., Any], sgw_emulator: Emulator) -> None:
    port = sgw_emulator.url.rpartition(":")[2]
    assert f"--port: {port}: " in command("emulate", "--port", port).err
