"""What a scan wrote is read back as it was, or not at all."""

import json

import pytest
from hypothesis import given

from scanner.errors import ConfigError
from scanner.inventory import Inventory, parse_inventory
from tests.output.fleet import inventory, written
from tests.strategies import inventories

LINES = written(inventory(), ".ndjson").splitlines(keepends=True)


@given(inventories())
def test_json_and_json_lines_are_read_as_they_were_written(whole: Inventory) -> None:
    for suffix in (".json", ".ndjson"):
        assert parse_inventory(written(whole, suffix), f"i{suffix}") == whole


def test_the_order_of_lines_does_not_matter_and_unknown_kinds_are_ignored() -> None:
    later = json.dumps({"record": "last_seen", "arn": "x"}).encode() + b"\n"
    assert parse_inventory(b"".join([later, *reversed(LINES)]), "I.NDJSON") == inventory()


def test_of_a_volume_written_twice_the_later_line_stands() -> None:
    number = next(n for n, line in enumerate(LINES) if b'"record":"volume"' in line)
    moved = json.loads(LINES[number]) | {"usage_bytes": 1}
    earlier = [json.dumps(moved).encode() + b"\n", *LINES]
    assert parse_inventory(b"".join(earlier), "i.ndjson") == inventory()


@pytest.mark.parametrize("missing", [b'"record":"volume"', b'"record":"target"', b'"record":"coverage"'])
def test_lines_that_are_missing_make_no_inventory(missing: bytes) -> None:
    left = LINES.copy()
    left.remove(next(line for line in LINES if missing in line))
    with pytest.raises(ConfigError, match=r"i\.ndjson: "):
        parse_inventory(b"".join(left), "i.ndjson")


@pytest.mark.parametrize(
    "line, told",
    [
        (b"{", "line 1: is no JSON"),
        (b"\xff\xfe", "line 1: is no JSON"),
        (b"[" * 100_000, "line 1: is no JSON"),
        (b"[]", "line 1: names no kind"),
        (b'{"record":7}', "line 1: names no kind"),
        (b'{"record":"target","region":7}', "line 1: is no target: "),
    ],
)
def test_a_line_that_is_no_record_is_named(line: bytes, told: str) -> None:
    with pytest.raises(ConfigError, match=f"i\\.ndjson: {told}"):
        parse_inventory(line + b"\n" + b"".join(LINES), "i.ndjson")


@pytest.mark.parametrize("suffix", [".json", ".ndjson"])
@pytest.mark.parametrize("unit", ["n", "ü", '"', "\\", '\\"'])
def test_a_text_that_would_flood_a_screen_is_refused_and_a_long_one_is_read(suffix: str, unit: str) -> None:
    def named(name: str) -> bytes:
        target = inventory().targets[0].model_copy(update={"account_name": name})
        return written(inventory().model_copy(update={"targets": (target, *inventory().targets[1:])}), suffix)

    content = named(unit * 1024)
    assert parse_inventory(content, f"i{suffix}").targets[0].account_name == unit * 1024
    with pytest.raises(ConfigError, match="a text of more than 32 KiB"):
        parse_inventory(named(unit * 100_000), f"i{suffix}")


def test_what_is_no_inventory_is_told_with_its_place() -> None:
    with pytest.raises(ConfigError, match=r"i\.json: is no inventory: scan: Field required"):
        parse_inventory(b"{}", "i.json")
