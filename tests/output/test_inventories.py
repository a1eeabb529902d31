"""The library reads and writes inventories wherever the command line does."""

from pathlib import Path
from typing import Any

import pytest

from scanner import Inventory
from scanner.errors import ConfigError, OutputError
from scanner.output import FORMATS
from tests.aws.test_s3 import moto_url, s3
from tests.output.fleet import inventory, written

__all__ = ["moto_url", "s3"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_holds_what_its_format_writes(suffix: str, tmp_path: Path) -> None:
    place = tmp_path / f"i{suffix}"
    inventory().write(place)
    assert place.read_bytes() == written(inventory(), suffix)


@pytest.mark.parametrize("suffix", [".json", ".ndjson"])
def test_what_was_written_is_read(suffix: str, tmp_path: Path) -> None:
    inventory().write(tmp_path / f"i{suffix}")
    assert Inventory.read(str(tmp_path / f"i{suffix}")) == inventory()


@pytest.mark.parametrize("suffix", [".json", ".ndjson"])
async def test_a_bucket_serves_as_a_folder_does_even_inside_an_event_loop(suffix: str, s3: Any) -> None:
    inventory().write(f"s3://here/daily/i{suffix}")
    assert s3.get_object(Bucket="here", Key=f"daily/i{suffix}")["Body"].read() == written(inventory(), suffix)
    assert Inventory.read(f"s3://here/daily/i{suffix}") == inventory()


def test_a_large_object_is_read_in_pieces(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.aws.s3.PIECE", 1000)
    inventory().write("s3://here/i.json")
    assert len(written(inventory(), ".json")) > 3000
    assert Inventory.read("s3://here/i.json") == inventory()


def test_an_object_that_is_not_there_is_told_with_its_remedy(s3: Any) -> None:
    with pytest.raises(ConfigError, match=r"s3://here/none\.json: .*; mend the key"):
        Inventory.read("s3://here/none.json")


def test_places_that_cannot_be_are_told_with_their_names(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.json: No such file or directory; name a file"):
        Inventory.read(tmp_path / "none.json")
    with pytest.raises(ConfigError, match="cannot be the name of a file"):
        Inventory.read("\0.json")
    with pytest.raises(OutputError, match=r"i\.txt: the suffix '.txt' names no format"):
        inventory().write(tmp_path / "i.txt")
