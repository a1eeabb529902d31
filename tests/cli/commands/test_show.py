"""`show`: the summary of an inventory again, and its volumes by what they are asked for."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.output.fleet import inventory, written

WHOLE = inventory(whole=False)


@pytest.fixture(params=[".json", ".ndjson"])
def source(request: pytest.FixtureRequest, place: Path) -> str:
    file = place / f"i{request.param}"
    file.write_bytes(written(WHOLE, request.param))
    return file.name


def listed(command: Command, source: str, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(command("show", source, *options, "-o", "-").out)
    return found


def test_without_a_condition_it_is_the_summary_and_always_0(command: Command, source: str) -> None:
    said = command("show", source)
    assert said.code == 0
    assert f"{len(WHOLE.volumes)} volumes are known.\n" in said.out


def test_the_whole_inventory_as_json(command: Command, source: str) -> None:
    assert json.loads(command("show", source, "-o", "-").out) == json.loads(WHOLE.model_dump_json())


def test_verdicts_are_alternatives(command: Command, source: str) -> None:
    found = listed(command, source, "--verdict", "breach", "--verdict", "no_recovery_point")
    wanted = [v.arn for v in WHOLE.volumes if v.verdict.status.value in ("breach", "no_recovery_point")]
    assert sorted(volume["arn"] for volume in found) == sorted(wanted)


def test_conditions_of_several_kinds_must_all_hold(command: Command, source: str) -> None:
    one = WHOLE.volumes[0]
    gateway = next(each for each in WHOLE.gateways if each.arn == one.gateway_arn)
    for name in (gateway.id, gateway.name or "", gateway.arn, "gateway ?"):
        found = listed(
            command, source, "--account", one.account_id, "--region", one.region, "--gateway", name
        )
        assert one.arn in {volume["arn"] for volume in found}
        assert {volume["account_id"] for volume in found} == {one.account_id}
    assert "No volume matches." in command("show", source, "--region", "mars-1").out


def test_a_condition_that_nothing_meets_says_what_may_have_been_meant(command: Command, source: str) -> None:
    """On stderr, whatever the output; a wildcard that matches nothing is told as it is."""
    said = command("show", source, "--region", "us-esat-1", "-o", "-")
    assert (said.code, json.loads(said.out)) == (0, [])
    assert said.err == "sgw-scanner: --region: the inventory has no us-esat-1; did you mean us-east-1?\n"
    assert "no PROD; did you mean prod?" in command("show", source, "--account", "PROD").err
    assert "has no db-*\n" in command("show", source, "--gateway", "db-*").err


def test_the_oldest_come_first_where_that_is_asked_for_and_as_many_as_are(
    command: Command, source: str
) -> None:
    found = listed(command, source, "--account", "*", "--sort", "age", "--limit", "2")
    ages = sorted((volume.verdict.age_seconds or 0.0 for volume in WHOLE.volumes), reverse=True)
    assert [volume["verdict"]["age_seconds"] for volume in found] == ages[:2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.json"], "missing.json"),
        (["i.json", "-o", "x.json"], "standard output"),
        (["i.json", "--sort", "size"], "choose from urgency"),
        (["i.json", "--verdict", "braech"], "did you mean breach?"),
        (["i.json", "--verdict", "x"], "choose from ok"),
        (["latest"], "--history"),
    ],
)
def test_what_cannot_be_shown_is_told_with_its_remedy(
    command: Command, place: Path, arguments: list[str], said: str
) -> None:
    (place / "i.json").write_bytes(written(WHOLE, ".json"))
    told = command("show", *arguments)
    assert told.code == 2
    assert said in told.err
