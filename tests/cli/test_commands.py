"""The commands around a scan."""

import json
from pathlib import Path

import pytest

from scanner.emulator import Emulator, Fault, Fleet
from tests.cli.conftest import CONFIG, ONE, SECRET_ID, TWO, Command, inventory


@pytest.fixture
def scanned(command: Command, place: Path) -> Path:
    command("scan", "-o", "i.json")
    return place / "i.json"


def test_the_version_is_told(command: Command) -> None:
    assert command("--version").out.startswith("sgw-scanner ")


COMMANDS = {
    "check",
    "demo",
    "diff",
    "emulate",
    "explain",
    "history",
    "iam",
    "init",
    "merge",
    "notify",
    "report",
    "scan",
    "schema",
    "serve",
    "show",
}
KEPT = ("list", "show", "sql", "trend", "prune", "check")


@pytest.mark.parametrize("words", [*(("history", each) for each in KEPT), ("notify", "test")])
def test_every_command_below_another_has_help_and_is_documented(command: Command, words: list[str]) -> None:
    page = Path(__file__).parents[2].joinpath("docs/cli.md").read_text()
    text = command(*words, "--help").out
    options = [line.split()[0].rstrip(",") for line in text.splitlines() if line.strip().startswith("--")]
    assert f"`{' '.join(words)}" in page
    assert [option for option in options if option != "--help" and option not in page] == []


def test_every_command_and_every_option_has_help(command: Command) -> None:
    listed = command("--help").out.split("Commands:")[1].split("\n\n")[0]
    names = [line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line[2] != " "]
    assert set(names) == COMMANDS
    page = Path(__file__).parents[2].joinpath("docs/cli.md").read_text()
    for name in names:
        text = command(name, "--help").out
        options = [line.split()[0].rstrip(",") for line in text.splitlines() if line.strip().startswith("--")]
        for option in options:
            assert option in ("--help",) or option in page, f"{name} {option} is not in docs/cli.md"
        assert f"## `{name}" in page


def test_schemas_are_json_schemas(command: Command) -> None:
    for subject in ("config", "inventory"):
        assert json.loads(command("schema", subject).out)["type"] == "object"


def test_a_report_is_a_page(command: Command, scanned: Path, place: Path) -> None:
    assert command("report", "i.json", "-o", "r.html").code == 0
    assert (place / "r.html").read_text().startswith("<!doctype html>")
    assert "ends in .html" in command("report", "i.json", "-o", "r.csv").err


@pytest.mark.parametrize("text, told", [("{}", "is no inventory"), ("no", "no inventory"), (None, "No such")])
def test_a_file_that_is_no_inventory_is_a_clear_mistake(
    command: Command, place: Path, text: str | None, told: str
) -> None:
    if text is not None:
        (place / "x.json").write_text(text)
    said = command("report", "x.json", "-o", "r.html")
    assert said.code == 2
    assert told in said.err


def test_merging_two_accounts_makes_the_whole(command: Command, place: Path) -> None:
    command("scan", "--account", ONE, "-o", "one.json")
    command("scan", "--account", TWO, "-o", "two.json")
    assert command("merge", "one.json", "two.json", "-o", "all.json").code == 0
    assert inventory(place / "all.json")["coverage"]["targets"]["planned"] == 4
    twice = command("merge", "one.json", "one.json", "-o", "all.json")
    assert twice.code == 2
    assert f"claim the target {ONE}" in twice.err
    assert command("merge", "one.json", "-o", "s3://bucket/all.json").code == 2


def test_a_merge_that_lacks_a_shard_says_which_and_is_incomplete(command: Command, place: Path) -> None:
    command("scan", "--shard", "1/2", "-o", "one.ndjson")
    command("scan", "--shard", "2/2", "-o", "two.ndjson")
    assert command("merge", "one.ndjson", "two.ndjson", "-o", "all.json").code == 0
    assert inventory(place / "all.json")["scan"]["missing_shards"] == []
    lacking = command("merge", "one.ndjson", "-o", "all.json")
    assert (lacking.code, inventory(place / "all.json")["scan"]["missing_shards"]) == (3, [2])
    assert lacking.err == "sgw-scanner: shard 2 is missing; merge it, too\n"
    (place / "two.ndjson").write_bytes((place / "two.ndjson").read_bytes()[:-30])
    cut = command("merge", "one.ndjson", "two.ndjson", "-o", "all.json")
    assert cut.code == 2
    assert "two.ndjson" in cut.err


def test_a_merge_writes_to_every_place_that_is_named(command: Command, place: Path) -> None:
    command("scan", "-o", "one.ndjson")
    assert command("merge", "one.ndjson", "-o", "a.json", "-o", "b.csv").code == 0
    assert inventory(place / "a.json")["coverage"]["volumes"]["known"] == 3
    assert (place / "b.csv").read_text().count("\n") == 4
    twice = command("merge", "one.ndjson", "-o", "c.json", "-o", "./c.json")
    assert twice.code == 2
    assert not (place / "c.json").exists()


def test_explain_names_the_rule_and_why_others_did_not_apply(
    command: Command, scanned: Path, place: Path
) -> None:
    rule = '[[policy.rules]]\nname = "db"\nrpo = "1h"\nmatch = { gateways = ["db-*"] }\n'
    (place / "scanner.toml").write_text(CONFIG + rule)
    said = command("explain", "vol-00000001", "i.json")
    assert said.code == 0
    assert "the rule “db” does not apply: gateways: none of 'sgw-00000001', 'gateway 1'" in said.out
    assert "policy.rpo applies: no rule matches: RPO 1d" in said.out


def test_explain_takes_an_id_in_any_case_and_says_which_one_is_like_it(command: Command, place: Path) -> None:
    assert command("scan", "-o", "i.json").code == 0
    assert (
        command("explain", "VOL-00000001", "i.json").out == command("explain", "vol-00000001", "i.json").out
    )
    said = command("explain", "vol-0000001", "i.json")
    assert said.code == 2
    assert "vol-0000001: the inventory holds no such volume; did you mean vol-0000000" in said.err
    assert "`sgw-scanner show` lists" in command("explain", "none", "i.json").err


@pytest.mark.parametrize("words", [("-h",), ("scan", "-h"), ("history", "-h"), ("history", "list", "-h")])
def test_every_command_has_the_short_flag_for_help(command: Command, words: tuple[str, ...]) -> None:
    said = command(*words)
    assert said.code == 0
    assert "Usage: sgw-scanner" in said.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands(
    shell: str, command: Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the script asks that `--show-completion` prints for it."""
    monkeypatch.setenv("_SGW_SCANNER_COMPLETE", f"complete_{shell}")
    asked = {"COMP_WORDS": "sgw-scanner ex", "COMP_CWORD": "1"}
    asked |= {"_TYPER_COMPLETE_ARGS": "sgw-scanner ex", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    for name, value in asked.items():
        monkeypatch.setenv(name, value)
    said = command()
    assert said.code == 0
    assert "explain" in said.out
    assert "merge" not in said.out


class TestCheck:
    def test_a_fleet_that_works_exits_0(self, command: Command, sgw_emulator: Emulator) -> None:
        said = command("check")
        assert said.code == 0
        assert said.out == (
            "Checked 4 targets of 2 accounts (a target is an account in a Region): 4 will work, 0 will not.\n"
            "Exit code 0: a scan can read all of them.\n"
        )
        asked = {operation for _, operation, _, _ in sgw_emulator.requests}
        assert asked == {"AssumeRole", "ListGateways", "ListVolumes", "ListVolumeRecoveryPoints"}

    def test_every_target_is_printed_with_verbose(self, command: Command) -> None:
        said = command("check", "--verbose")
        assert said.out.count(" yes\n") == 4
        assert "Checked 4 targets" in said.out

    def test_what_fails_is_told_with_its_remedy(self, command: Command, place: Path) -> None:
        (place / "scanner.toml").write_text(CONFIG.replace(SECRET_ID, "wrong-id"))
        said = command("check", "-o", "c.json")
        assert said.code == 3
        result = inventory(place / "c.json")
        rows = result["targets"]
        assert [row["works"] for row in rows] == [True, True, False, False]
        assert "sts:AssumeRole" in rows[2]["problems"][0]["remedy"]
        assert result["totals"] == {"works": 2, "fails": 2, "skipped": 0, "exit_code": 3}

    def test_one_cause_of_many_targets_is_told_once(self, command: Command, place: Path) -> None:
        """By account, with one remedy, then the totals, and what the exit code means."""
        (place / "scanner.toml").write_text(CONFIG.replace(SECRET_ID, "wrong-id"))
        said = command("check").out
        assert said.startswith(f"What would not work\nprod ({TWO}): access denied at AssumeRole\n")
        assert said.count("  → ") == 1
        assert " yes" not in said
        last = said.splitlines()[-2:]
        assert last[0].endswith("2 will work, 2 will not.")
        assert last[1] == "Exit code 3: a scan would be incomplete."

    def test_a_missing_permission_is_told_with_the_statement_to_add(
        self, command: Command, sgw_fleet: Fleet, sgw_emulator: Emulator
    ) -> None:
        allowed = {"Effect": "Allow", "Action": "storagegateway:ListGateways", "Resource": "*"}
        sgw_fleet.accounts[1].roles[0].policy = (allowed,)
        sgw_emulator.refresh()
        said = command("check")
        assert said.code == 3
        assert "storagegateway:ListVolumeRecoveryPoints" in said.out
        assert '"Effect"' in said.out

    def test_nothing_that_works_exits_4(self, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
        said = command("check", "-o", "-")
        assert said.code == 4
        assert json.loads(said.out)["targets"]

    def test_a_permission_that_costs_every_target_a_part_exits_3_as_the_scan_would(
        self, command: Command, sgw_emulator: Emulator
    ) -> None:
        """Points would be read everywhere; only the list of volumes would not."""
        sgw_emulator.faults.add(Fault("access_denied", operation="ListVolumes"))
        assert command("check").code == 3
        assert command("scan").code in (1, 3)

    def test_a_check_is_written_as_json_only(self, command: Command) -> None:
        assert command("check", "-o", "c.csv").code == 2

    def test_a_skipped_region_is_told_as_such(self, command: Command, place: Path) -> None:
        config = CONFIG.replace("[scan]", '[scan]\nexclude_regions = ["eu-west-1"]')
        (place / "scanner.toml").write_text(config)
        said = command("check")
        assert said.code == 0
        assert "2 targets skipped: 2 excluded by the configuration.\n" in said.out
        assert command("check", "--verbose").out.count("skipped: excluded") == 2


class TestDemo:
    def test_it_scans_the_embedded_fleet_and_exits_0(self, command: Command, place: Path) -> None:
        said = command("demo")
        assert said.code == 0
        assert "no recovery point" in said.out
        assert "gateway unreachable" in said.out
        assert "sgw-demo/report.html" in said.out
        assert inventory(place / "sgw-demo" / "inventory.json")["scan"]["outcome"] == "partial"

    def test_without_the_extra_it_says_so_and_goes_on(
        self, command: Command, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from scanner.output import formats

        monkeypatch.setattr(formats, "find_spec", lambda name: None)
        said = command("demo")
        assert said.code == 0
        assert "report.html     not written" in said.out
        assert "pip install" in said.out
        assert not (place / "sgw-demo" / "report.html").exists()

    def test_a_file_in_the_way_is_a_mistake(self, command: Command, place: Path) -> None:
        (place / "sgw-demo").write_text("")
        assert command("demo").code == 2


def test_a_fleet_file_that_is_wrong_is_a_mistake(command: Command, place: Path) -> None:
    (place / "fleet.toml").write_text("accounts = 1")
    assert command("emulate", "--fleet", "fleet.toml").code == 2
    assert "fleet.toml" in command("emulate", "--fleet", "fleet.toml").err


def test_a_port_that_is_taken_is_a_mistake(command: Command, sgw_emulator: Emulator) -> None:
    said = command("emulate", "--port", sgw_emulator.url.rpartition(":")[2])
    assert said.code == 2
    assert "choose another" in said.err
