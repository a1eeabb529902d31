"""The library reads and writes inventories wherever the command line does."""

from pathlib import Path
from typing import Any

import pytest

from scanner import Inventory
from scanner.errors import ConfigError, MergeError, OutputError
from scanner.output import FORMATS
from scanner.output.inventories import merge_inventories
from tests.aws.test_s3 import moto_url, s3
from tests.output.fleet import inventory, sized, written

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
    with pytest.raises(OutputError, match=r"i\.txt: .txt cannot be written"):
        inventory().write(tmp_path / "i.txt")


async def test_parts_are_merged_from_and_into_buckets(s3: Any, tmp_path: Path) -> None:
    one = inventory()
    other = sized({"000000000002": 2**40})
    one.write("s3://here/one.ndjson")
    other.write(tmp_path / "other.json")
    scan = merge_inventories(["s3://here/one.ndjson", str(tmp_path / "other.json")], "s3://here/whole.csv")
    assert scan == Inventory.merge([one, other]).scan
    expected = written(Inventory.merge([one, other]), ".csv")
    assert s3.get_object(Bucket="here", Key="whole.csv")["Body"].read() == expected


def test_a_folder_stands_for_all_inventories_right_in_it(s3: Any, tmp_path: Path) -> None:
    one, other, third = (sized({f"{number:012d}": 2**40}) for number in (1, 2, 3))
    for folder in f"{tmp_path}/", "s3://here/parts/":
        one.write(f"{folder}1.ndjson")
        other.write(f"{folder}2.json")
        one.write(f"{folder}table.csv")
        merge_inventories([folder], f"{tmp_path}/whole.prom")
    third.write("s3://here/parts/old/1.ndjson")
    merge_inventories(["s3://here/parts/"], f"{tmp_path}/whole.csv")
    assert (tmp_path / "whole.csv").read_bytes() == written(Inventory.merge([one, other]), ".csv")
    (tmp_path / "empty").mkdir()
    for place, told in (f"{tmp_path}/empty/", "holds no inventory"), (f"{tmp_path}/none/", "No such file"):
        with pytest.raises(ConfigError, match=told):
            merge_inventories([place], f"{tmp_path}/whole.csv")
    with pytest.raises(ConfigError, match="holds no inventory"):
        merge_inventories(["s3://here/nothing/"], f"{tmp_path}/whole.csv")


def test_a_merge_that_is_refused_leaves_what_was_there(tmp_path: Path) -> None:
    inventory().write(tmp_path / "one.ndjson")
    (tmp_path / "whole.json").write_text("before")
    for others, error in (["one.ndjson"], MergeError), (["none.ndjson"], ConfigError), (["."], ConfigError):
        with pytest.raises(error):
            merge_inventories(
                [str(tmp_path / name) for name in ["one.ndjson", *others]], str(tmp_path / "whole.json")
            )
    assert (tmp_path / "whole.json").read_text() == "before"
