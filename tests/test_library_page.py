"""Every example of docs/library.md runs as it stands, and every name it lists is public."""

import ast
import inspect
import os
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from scanner import Inventory
from scanner.emulator import Fleet
from tests.cli.conftest import fleet, place

__all__ = ["place"]

PAGE = (Path(__file__).parents[1] / "docs/library.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
ROOMS = ("config", "deploy", "emulator", "inventory", "output", "policy", "summary")


@pytest.fixture
def sgw_fleet() -> Fleet:
    return fleet()


async def run(example: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    awaited = eval(compile(example, "example", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    if inspect.isawaitable(awaited):
        await awaited
    return names


async def test_the_examples_run_one_after_the_other(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for example in EXAMPLES:
        await run(example)
    assert capsys.readouterr().out.startswith("complete\nvol-")
    assert Inventory.read("whole.ndjson").volumes == Inventory.read("inventory.json").volumes
    assert {"volumes.csv", "starter.toml", "sgw-scanner.timer"} <= set(os.listdir(place))


def test_there_is_an_example_for_each_part() -> None:
    """Or the test above would say nothing."""
    assert len(EXAMPLES) == 8


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_room_calls_public_is_there_and_the_page_names_the_room(room: str) -> None:
    module = import_module(f"scanner.{room}")
    assert sorted(set(module.__all__)) == sorted(module.__all__)
    assert all(getattr(module, name) is not None for name in module.__all__)
    assert f"| `scanner.{room}` |" in PAGE


def test_the_names_in_the_table_of_rooms_are_public() -> None:
    for room, names in re.findall(r"^\| `(scanner[.\w]*)` \| (.*) \|$", PAGE, re.MULTILINE):
        for name in re.findall(r"`(\w+)`", names):
            assert hasattr(import_module(room), name), f"{room} has no {name}"
