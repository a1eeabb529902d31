"""Scans that are kept, and what the command line tells of them."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from scanner.emulator import Emulator, Fault
from tests.cli.conftest import CONFIG, ONE, TWO, Command


def listed(command: Command) -> list[dict[str, object]]:
    said = command("history", "list", "--format", "json")
    assert said.code == 0
    rows: list[dict[str, object]] = json.loads(said.out)
    return rows


def test_each_scan_is_kept_and_listed(place: Path, command: Command) -> None:
    (place / "scanner.toml").write_text(CONFIG + '[history]\npath = "kept"\n')
    assert command("scan").code == 0
    assert command("scan", "--account", ONE).code == 0
    first, second = listed(command)
    assert (first["outcome"], first["targets"], first["narrowed"]) == ("complete", 4, False)
    assert (second["targets"], second["narrowed"]) == (2, True)
    assert str(first["scan_id"]) in command("history", "list").out


def test_a_flag_names_a_history_as_well(place: Path, command: Command) -> None:
    assert command("scan", "--history", "kept").code == 0
    said = command("history", "show", "latest", "--history", "kept", "--format", "json")
    assert len(json.loads(said.out)["volumes"]) == 3
    assert "Scan complete" in command("history", "show", "latest", "--history", "kept").out


def test_a_history_that_cannot_be_written_is_found_out_before_the_scan(
    place: Path, command: Command, sgw_emulator: Emulator
) -> None:
    (place / "kept").write_text("a file")
    said = command("scan", "--history", "kept")
    assert (said.code, said.out) == (2, "")
    assert "history.path" in said.err


def test_a_place_that_is_none_is_told_by_the_flag_that_names_it(place: Path, command: Command) -> None:
    said = command("scan", "--history", "ftp://kept")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("sgw-scanner: --history: ")


def test_a_scan_that_could_not_be_kept_is_exit_3_and_says_so(
    place: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.history.store.write_table", refuse)
    said = command("scan", "--history", "kept", "-o", "x.json")
    assert said.code == 3
    assert "the scan is not in the history: the disk is full" in said.err
    assert (place / "x.json").exists()


def refuse(*_: object) -> int:
    from scanner.errors import HistoryError

    raise HistoryError("the disk is full")


def test_sql_answers_in_three_forms_and_refuses_what_is_no_question(place: Path, command: Command) -> None:
    command("scan", "--history", "kept")
    ask = (
        "history",
        "sql",
        "--history",
        "kept",
        "SELECT account_id, count(*) AS n FROM volumes GROUP BY ALL ORDER BY ALL",
    )
    assert re.search(rf"{ONE} +2\n{TWO} +1", command(*ask).out)
    assert command(*ask, "--format", "csv").out.splitlines() == ["account_id,n", f"{ONE},2", f"{TWO},1"]
    assert json.loads(command(*ask, "--format", "json").out)[1] == {"account_id": TWO, "n": 1}
    for wrong in (
        ("DROP VIEW volumes",),
        ("SELECT 1", "--format", "yaml"),
        ("SELECT 1", "--time-limit", "soon"),
    ):
        said = command("history", "sql", "--history", "kept", *wrong)
        assert (said.code, said.out) == (2, "")


def test_trend_prune_and_check_tell_what_they_found(place: Path, command: Command) -> None:
    for _ in range(3):
        command("scan", "--history", "kept")
    assert "100.00 %" in command("history", "trend", "--history", "kept").out
    assert (
        json.loads(command("history", "trend", "--history", "kept", "--format", "json").out)[
            "certain_minutes"
        ]
        == 0
    )
    assert command("history", "check", "--history", "kept").code == 0
    dry = command("history", "prune", "--history", "kept", "--keep", "1ms", "--dry-run").out
    assert "2 scans would be removed, 1 kept" in dry
    assert "2 scans removed, 1 kept" in command("history", "prune", "--history", "kept", "--keep", "1ms").out
    (kept,) = (place / "kept").glob("volumes/*/*.parquet")
    kept.write_bytes(b"x")
    said = command("history", "check", "--history", "kept")
    assert said.code == 1
    assert kept.name in said.out


def test_one_scan_is_told_as_one(place: Path, command: Command) -> None:
    command("scan", "--history", "kept")
    assert command("history", "check", "--history", "kept").out == "1 scan, 0 problems.\n"


def test_without_a_history_each_command_says_how_to_begin_one(place: Path, command: Command) -> None:
    for words in (("list",), ("show", "latest"), ("sql", "SELECT 1"), ("trend",), ("prune",), ("check",)):
        said = command("history", *words)
        assert (said.code, said.out) == (2, "")
        assert "--history PATH" in said.err
        assert "no such history" in command("history", *words, "--history", "nowhere").err


def test_what_one_scan_could_not_read_it_knows_from_the_one_before(
    place: Path, command: Command, sgw_emulator: Emulator
) -> None:
    assert command("scan", "--history", "kept").code == 0
    sgw_emulator.faults.add(Fault("server_error", account=TWO, operation="ListGateways"))
    said = command("scan", "--history", "kept", "-o", "x.json", "-o", "x.ndjson")
    assert said.code == 3
    assert "1 is known from earlier scans" in said.out
    assert "UTC: 1 is certainly within its RPO." in said.out
    (known,) = json.loads((place / "x.json").read_text())["last_known"]
    assert known["account_id"] == TWO
    assert known["within_rpo"] is True
    assert timedelta(seconds=known["at_most_age_seconds"]) > timedelta(hours=1)
    assert command("diff", "x.json", "x.ndjson").code == 0
    assert json.loads(command("diff", "latest~1", "latest", "--history", "kept", "--format", "json").out)


def test_the_summary_tells_what_became_of_the_volumes_of_the_scan_before(
    place: Path, command: Command, sgw_emulator: Emulator
) -> None:
    assert "Of the volumes of the scan" not in command("scan", "--history", "kept").out
    sgw_emulator.fleet.accounts[0].gateways[0].volumes[0].recovery_point = timedelta(hours=9)
    lines = command("scan", "--history", "kept").out.splitlines()
    (told,) = [number for number, line in enumerate(lines) if "Of the volumes of the scan" in line]
    assert ": 1 has a recovery point that is older" in lines[told]
    assert re.fullmatch(rf"  backwards: us-east-1:{ONE}:gateway/.*/vol-00000001", lines[told + 1])
    assert "2 were not asked this time" in command("scan", "--history", "kept", "--account", TWO).out
