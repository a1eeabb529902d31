"""The outputs of one scan: checked before it, lines while it runs, whole or not there after it."""

import asyncio
from pathlib import Path

import pytest

from scanner.config.settings import ScannerConfig
from scanner.errors import OutputError
from scanner.output.outputs import Outputs
from tests.output.fleet import inventory as example


def outputs_to(places: list[str]) -> Outputs:
    return Outputs(places, ScannerConfig(), print)


def test_lines_of_a_scan_that_broke_off_leave_nothing(tmp_path: Path) -> None:
    outputs = outputs_to([str(tmp_path / "i.ndjson")])

    async def broken() -> None:
        async with outputs.opened():
            outputs.write(example().targets)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(broken())
    assert not list(tmp_path.iterdir())


def test_one_that_takes_lines_needs_no_inventory_and_others_do(tmp_path: Path) -> None:
    assert not outputs_to([]).need_inventory
    assert not outputs_to([str(tmp_path / "i.ndjson")]).need_inventory
    assert outputs_to([str(tmp_path / "i.ndjson"), str(tmp_path / "i.csv")]).need_inventory
    assert not outputs_to(["s3://bucket/i.ndjson"]).need_inventory


def test_a_mistake_in_the_places_is_found_at_once() -> None:
    with pytest.raises(OutputError, match="named twice"):
        outputs_to(["-", "-"])
