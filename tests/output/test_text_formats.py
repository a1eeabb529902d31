"""JSON, NDJSON, CSV and Prometheus text: what each promises its readers."""

import csv
import json
import re
from io import BytesIO, StringIO

from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from scanner.inventory.model import Inventory
from scanner.inventory.parts import KINDS
from scanner.inventory.records import Outcome, Record
from scanner.output import NdjsonWriter
from scanner.output.columns import COLUMNS
from scanner.output.csv import harmless
from scanner.output.prometheus import METRICS
from tests.output.fleet import hostile, inventory, remembering, written
from tests.strategies import inventories


@given(inventories())
def test_json_is_the_way_to_and_from_an_inventory(any_inventory: Inventory) -> None:
    """What is written is read back as the same inventory, and says what the model says."""
    text = written(any_inventory, ".json")
    assert Inventory.model_validate_json(text) == any_inventory
    assert json.loads(text) == json.loads(any_inventory.model_dump_json())


def test_json_beyond_one_batch() -> None:
    """Batches join without a gap; a record stands on its own line."""
    big = inventory(70, 20)
    text = written(big, ".json")
    assert Inventory.model_validate_json(text) == big
    assert text.count(b'\n{"arn"') == len(big.volumes) + len(big.gateways)


@given(inventories())
def test_ndjson_holds_every_record_once(any_inventory: Inventory) -> None:
    """The lines collector back to the inventory; scan comes last, so a cut file shows."""
    lines = [json.loads(line) for line in written(any_inventory, ".ndjson").splitlines()]
    kinds = [line.pop("record") for line in lines]
    assert kinds[-2:] == ["coverage", "scan"]
    assert set(kinds) <= set(KINDS)
    folded = {
        f"{name}s": [line for line, kind in zip(lines, kinds, strict=True) if kind == name]
        for name in ("target", "gateway", "volume", "failure")
    }
    whole = {"scan": lines[-1], "coverage": lines[-2], **folded}
    assert Inventory.model_validate(whole) == any_inventory


def test_ndjson_takes_records_in_any_order() -> None:
    """A scan writes what it reads, as it reads it."""
    stream = BytesIO()
    writer = NdjsonWriter(stream)
    fleet = inventory(1, 1)
    records: list[Record] = [fleet.volumes[0], fleet.gateways[0], fleet.scan]
    for record in records:
        writer.write(record)
    assert [json.loads(line)["record"] for line in stream.getvalue().splitlines()] == [
        "volume",
        "gateway",
        "scan",
    ]


def test_csv_has_stable_columns_and_a_row_for_each_volume() -> None:
    """What is not known is an empty cell; times and sizes are as in the JSON."""
    fleet = inventory(whole=False)
    text = written(fleet, ".csv").decode()
    table = list(csv.DictReader(StringIO(text, newline="")))
    assert text.splitlines()[0] == ",".join(column.name for column in COLUMNS)
    table, unread = table[: len(fleet.volumes)], table[len(fleet.volumes) :]
    assert {(row["verdict"], row["volume_arn"]) for row in unread} == {("not_read", "")}
    for row, volume in zip(table, fleet.volumes, strict=True):
        assert row["volume_arn"] == volume.arn
        assert row["size_bytes"] == str(volume.size_bytes)
        assert row["usage_bytes"] == ("" if volume.usage_bytes is None else str(volume.usage_bytes))
        assert row["verdict"] == volume.verdict.status
        assert row["scan_outcome"] == Outcome.PARTIAL
    assert table[0]["recovery_point_time"] == "2026-11-24T03:00:00.000Z"


def test_csv_cells_are_guarded_and_can_be_taken_back() -> None:
    """One apostrophe off gives the text as it was."""
    assert harmless("=1") == "'=1"
    assert harmless("'x") == "''x"
    assert harmless("db-1") == "db-1"
    assert harmless("") == ""
    fleet = inventory(1, 2)
    tagged = fleet.volumes[0].model_copy(update={"tags": {"b": "=1", "a": "é"}})
    fleet = fleet.model_copy(update={"volumes": (tagged,)})
    row = next(csv.DictReader(StringIO(written(fleet, ".csv").decode(), newline="")))
    assert row["tags"] == '{"a": "é", "b": "=1"}'


def is_formula(cell: str) -> bool:
    return cell.lstrip("\t\r\n").startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))


@given(st.text(st.sampled_from("ab =+-@'\"＝,;|\t\r\n"), max_size=12))
@example("x;=cmd|' /C calc'!A0")
@example('x;"=1"')
@example('";""=1')
@example("\r\n=1")
@example("x;")
def test_no_locale_makes_a_formula_of_a_csv_cell(text: str) -> None:
    """A spreadsheet splits at its locale's separator, and quotes in the middle then hold nothing together."""
    data = written(hostile(text), ".csv").decode()
    for delimiter in ";\t":
        for row in csv.reader(StringIO(data, newline=""), delimiter=delimiter):
            assert not any(map(is_formula, row))
    for naive in re.split("[;\t\r\n]", data):
        assert not is_formula(naive.lstrip('"'))
    for found in csv.DictReader(StringIO(data, newline="")):
        if found["verdict"] == "not_read":
            continue
        assert not is_formula(found["gateway_name"])
        assert re.sub(r"(^|[;\t\r\n])'", r"\1", found["gateway_name"]) == text
        assert json.loads(found["tags"]) == {text: text}


def test_a_csv_cell_with_a_separator_of_another_locale_stays_one_cell() -> None:
    """A program that splits at any of comma, semicolon and tab does honour quotes."""
    for text in ("a;b", "a\tb", "a,b"):
        assert f',"{text}",' in written(hostile(text), ".csv").decode()


def test_an_empty_text_in_csv_is_not_taken_for_what_is_not_known() -> None:
    """DuckDB and PostgreSQL read an empty cell as NULL, and one in quotes as text."""
    fleet = inventory(1, 1)
    gateways = tuple(
        each.model_copy(update={"name": name}) for each, name in zip(fleet.gateways, ("", None), strict=True)
    )
    rows = written(fleet.model_copy(update={"gateways": gateways}), ".csv").decode().splitlines()[1:]
    place = [column.name for column in COLUMNS].index("gateway_name")
    assert sorted(row.split(",")[place] for row in rows) == ["", '""']


def test_metrics_parse_and_carry_help_and_units() -> None:
    """The reference parser agrees; every name is in the table, and once."""
    fleet = remembering(inventory(whole=False))
    text = written(fleet, ".prom").decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    known = {metric.name: metric for metric in METRICS}
    assert set(families) == set(known) - {"sgw_scan_last_success_timestamp_seconds"}
    assert text.endswith("\n")
    for name, family in families.items():
        assert family.documentation == known[name].help
        assert family.type == "gauge"
        for sample in family.samples:
            assert tuple(sample.labels) == known[name].labels
        assert len({tuple(sample.labels.values()) for sample in family.samples}) == len(family.samples)
    assert {s.labels["status"]: s.value for s in families["sgw_targets"].samples} == {
        "complete": 1,
        "partial": 1,
        "failed": 1,
        "skipped": 0,
    }
    ages = families["sgw_volume_recovery_point_age_seconds"].samples
    read = sum(volume.verdict.age_seconds is not None for volume in fleet.volumes)
    assert len(ages) == read + len(fleet.last_known)
    assert sum(sample.value for sample in families["sgw_volumes"].samples) == len(fleet.volumes)


def test_only_a_complete_scan_is_a_success() -> None:
    """The time of the last success is absent otherwise, so that an alert can look back for it."""
    success = b"sgw_scan_last_success_timestamp_seconds "
    assert success in written(inventory(), ".prom")
    assert success not in written(inventory(whole=False), ".prom")


def test_metrics_beyond_one_batch_have_one_header() -> None:
    """A family longer than a batch is announced once."""
    text = written(inventory(120, 20), ".prom").decode()
    assert text.count("# TYPE sgw_volume_size_bytes gauge") == 1
    assert len(list(text_string_to_metric_families(text))) > 10
