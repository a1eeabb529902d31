"""`scan` as a user types it: what it prints, what it writes, and how it exits."""

import importlib
import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scanner.cli.process.lock import hold
from scanner.emulator import Emulator, Fault, Fleet, Gateway
from scanner.emulator.fleets.accounts import DetachedVolume
from scanner.inventory.model import Inventory
from scanner.summary.statistics import Statistics
from tests.cli.conftest import CONFIG, ONE, SECRET_ID, TWO, Command, gateway, inventory


def test_a_whole_scan_without_a_breach_exits_0_and_prints_its_summary(command: Command) -> None:
    said = command("scan")
    assert said.code == 0
    assert "Scan complete" in said.out
    assert "3 scanned" in said.out
    assert "scan started" in said.err


def test_what_is_written_reads_back_as_the_same_inventory(command: Command, place: Path) -> None:
    command("scan", "-o", "i.json", "-o", "i.ndjson", "-o", "i.csv", "-o", "i.prom")
    whole = Inventory.model_validate_json((place / "i.json").read_bytes())
    assert [(target.account_id, target.region) for target in whole.targets] == [
        (ONE, "eu-west-1"),
        (ONE, "us-east-1"),
        (TWO, "eu-west-1"),
        (TWO, "us-east-1"),
    ]
    kinds = [json.loads(line)["record"] for line in (place / "i.ndjson").read_text().splitlines()]
    assert kinds.count("volume") == 3
    assert kinds[-2:] == ["coverage", "scan"]
    assert (place / "i.csv").read_text().count("\n") == 4
    assert "sgw_volume_recovery_point_age_seconds" in (place / "i.prom").read_text()


def test_ndjson_that_is_written_along_holds_volumes_without_a_gateway_too(
    command: Command, place: Path, sgw_fleet: Fleet, sgw_emulator: Emulator
) -> None:
    sgw_fleet.accounts[0].detached_volumes.extend(
        (
            DetachedVolume("vol-0000000A", region="us-east-1"),
            DetachedVolume("vol-0000000B", region="us-east-1", gateway="sgw-0000000F"),
        )
    )
    sgw_emulator.refresh()
    command("scan", "-o", "i.json", "-o", "i.ndjson")
    whole = Inventory.read(place / "i.json")
    assert {"vol-0000000A", "vol-0000000B"} < {volume.id for volume in whole.volumes}
    assert Inventory.read(place / "i.ndjson").volumes == whole.volumes


def test_stdout_is_pure_json_with_o_dash_and_the_summary_moves_to_stderr(command: Command) -> None:
    said = command("scan", "-o", "-")
    assert json.loads(said.out)["scan"]["outcome"] == "complete"
    assert "Scan complete" in said.err


def test_quiet_prints_nothing_where_all_is_well(command: Command) -> None:
    said = command("scan", "--quiet")
    assert (said.code, said.out, said.err) == (0, "", "")


def test_quiet_prints_the_summary_where_something_has_to_be_read(
    command: Command, sgw_fleet: Fleet, sgw_emulator: Emulator
) -> None:
    sgw_fleet.accounts[0].gateways.append(gateway(4, timedelta(days=3)))
    sgw_emulator.refresh()
    said = command("scan", "--quiet")
    assert (said.code, said.err) == (1, "")
    assert said.out.splitlines()[-1].startswith("Exit code 1: ")


def test_everything_in_json_is_a_line_of_json_and_the_last_one_has_all_numbers(command: Command) -> None:
    said = command("scan", "--log-format", "json", "-o", "i.json")
    assert said.out == ""
    lines = [json.loads(line) for line in said.err.splitlines()]
    last = lines[-1]
    assert [line["event"] for line in lines].count("scan ended") == 1
    assert (last["event"], last["exit_code"], last["outputs"]) == ("scan ended", 0, ["i.json"])
    assert last["coverage"]["volumes"]["known"] == 3
    assert last["coverage"]["targets"]["complete"] == 4


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--rpo", "foo"), 2, "foo"),
        (("--no-such-option",), 2, "No such option: --no-such-option"),
        (("-o", "nowhere/x.json"), 2, "there is no folder"),
        (("-c", "broken.toml"), 2, "broken.toml: is not TOML"),
        (("-c", "held.toml"), 75, "lock"),
    ],
)
def test_a_scan_that_cannot_begin_says_so_in_one_line_of_json(
    command: Command, place: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    (place / "broken.toml").write_text("[scan")
    (place / "held.toml").write_text('[lock]\npath = "held.lock"\n')
    with hold(place / "held.lock"):
        told = command("scan", "--log-format", "json", *words)
    (line,) = map(json.loads, told.err.splitlines())
    assert told.code == line["exit_code"] == code
    assert line["event"] == "scan ended"
    assert said in line["error"]


@pytest.mark.parametrize(
    ("added", "code"),
    [(gateway(4, timedelta(days=3)), 1), (gateway(5, None, error="GatewayNotConnected"), 3)],
)
def test_exit_zero_says_only_that_the_work_was_done(
    command: Command, sgw_fleet: Fleet, sgw_emulator: Emulator, added: Gateway, code: int
) -> None:
    """A breach and an incomplete scan are 0 then."""
    sgw_fleet.accounts[0].gateways.append(added)
    sgw_emulator.refresh()
    assert command("scan").code == code
    assert command("scan", "--exit-zero").code == 0


def test_accounts_and_regions_narrow_the_plan(command: Command, place: Path) -> None:
    command("scan", "--account", TWO, "--region", "us-east-1", "-o", "i.json")
    assert [target["account_id"] for target in inventory(place / "i.json")["targets"]] == [TWO]


def test_without_a_configuration_the_own_account_is_scanned(command: Command, place: Path) -> None:
    (place / "scanner.toml").unlink()
    assert command("scan", "--region", "us-east-1", "-o", "i.json").code == 0
    assert [target["account_id"] for target in inventory(place / "i.json")["targets"]] == [ONE]


def test_details_are_read_on_demand(command: Command, place: Path) -> None:
    command("scan", "--details", "gateway,volumes,tags", "--max-concurrency", "4", "-o", "i.json")
    found = inventory(place / "i.json")
    assert found["gateways"][0]["details"]["state"]
    assert found["volumes"][0]["attachment_status"] == "ATTACHED"
    assert found["volumes"][0]["tags"] == {}


class TestExitCodes:
    def test_1_for_a_breach_even_if_the_scan_is_incomplete(
        self, command: Command, sgw_fleet: Fleet, sgw_emulator: Emulator
    ) -> None:
        sgw_fleet.accounts[0].gateways.append(gateway(4, timedelta(days=3)))
        sgw_fleet.accounts[0].gateways.append(gateway(5, None, error="GatewayNotConnected"))
        sgw_emulator.refresh()
        said = command("scan")
        assert said.code == 1
        assert "vol-00000004  breach" in said.out
        assert "gateway unreachable at ListVolumeRecoveryPoints" in said.out

    def test_2_for_a_mistake_and_nothing_is_scanned(
        self, command: Command, place: Path, sgw_emulator: Emulator
    ) -> None:
        (place / "scanner.toml").write_text("[scan]\nregoins = []")
        said = command("scan")
        assert said.code == 2
        assert "did you mean regions?" in said.err
        assert not sgw_emulator.requests

    @pytest.mark.parametrize(
        "words, told",
        [
            (["--region", "us-east-9"], "no account with the Region us-east-9; did you mean us-east-1"),
            (["--account", "12"], "12 digits"),
            (["--max-concurrency", "0"], "max_concurrency"),
            (["--deadline", "soon"], "deadline"),
            (["--details", "all"], "choose from"),
            (["-o", "x.foo"], "use one of"),
            (["-o", "nowhere/x.json"], "create it with: mkdir -p"),
            (["-c", "nowhere.toml"], "sgw-scanner init"),
            (["--log-format", "xml"], "log-format"),
            (["--quiet", "--verbose"], "clash"),
            (["--nonsense"], "No such option"),
        ],
    )
    def test_2_names_what_is_wrong(
        self, command: Command, words: list[str], told: str, sgw_emulator: Emulator
    ) -> None:
        said = command("scan", *words)
        assert said.code == 2
        assert told in said.err
        assert not sgw_emulator.requests

    def test_2_for_a_profile_that_does_not_exist(self, command: Command, place: Path) -> None:
        (place / "scanner.toml").write_text('[credentials]\nprofile = "nobody"\n[lock]\npath = ""\n')
        said = command("scan")
        assert said.code == 2
        assert "'nobody' does not exist" in said.err

    def test_3_for_an_account_that_cannot_be_entered(self, command: Command, place: Path) -> None:
        (place / "scanner.toml").write_text(CONFIG.replace(SECRET_ID, "not-the-right-one"))
        said = command("scan", "-o", "i.json")
        assert said.code == 3
        assert "→ Add to the policy of arn:aws:iam::111122223333:user/test" in said.out
        assert inventory(place / "i.json")["coverage"]["targets"]["failed"] == 2

    def test_3_when_the_deadline_came_first(
        self, command: Command, place: Path, sgw_emulator: Emulator
    ) -> None:
        sgw_emulator.faults.add(Fault("hang", account=TWO, operation="ListVolumeRecoveryPoints"))
        said = command("scan", "--deadline", "3s", "-o", "i.json")
        assert said.code == 3
        assert "ended by the deadline" in said.out
        assert {each["kind"] for each in inventory(place / "i.json")["failures"]} == {"deadline"}

    def test_4_when_nothing_could_be_scanned(self, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        said = command("scan")
        assert said.code == 4
        assert "no credentials were found" in said.out

    def test_75_names_who_holds_the_lock(self, command: Command, place: Path) -> None:
        config = CONFIG.replace('path = ""', f'path = "{place}/the.lock"')
        (place / "scanner.toml").write_text(config)
        with hold(place / "the.lock"):
            said = command("scan")
        assert said.code == 75
        assert "another scan holds the lock: process" in said.err
        assert command("scan").code == 0


def test_each_configuration_has_a_lock_of_its_own_by_default(command: Command, place: Path) -> None:
    (place / "scanner.toml").write_text(CONFIG.replace('[lock]\npath = ""', ""))
    assert command("scan", "--region", "us-east-1").code == 0
    assert list(place.rglob("scanner-*.lock"))


def test_a_lock_that_cannot_be_made_is_a_mistake_with_a_remedy(command: Command, place: Path) -> None:
    (place / "file").write_text("")
    (place / "scanner.toml").write_text(CONFIG.replace('path = ""', 'path = "file/x.lock"'))
    said = command("scan")
    assert said.code == 2
    assert "lock.path" in said.err


def test_logs_as_json_carry_account_operation_and_request_id(
    command: Command, sgw_fleet: Fleet, sgw_emulator: Emulator
) -> None:
    sgw_fleet.accounts[1].gateways[0].error = "GatewayNotConnected"
    sgw_emulator.refresh()
    said = command("scan", "--verbose", "--log-format", "json", "-o", "i.json")
    lines = [json.loads(line) for line in said.err.splitlines()]
    retried = next(line for line in lines if line["event"] == "tried again")
    assert retried["account"] == TWO
    assert retried["region"] == "us-east-1"
    assert retried["operation"] == "ListVolumeRecoveryPoints"
    assert retried["attempt"] == 1
    assert retried["request_id"]
    assert len({line["scan_id"] for line in lines}) == 1


def test_a_flood_of_failures_is_a_trickle_in_the_log(
    command: Command, sgw_fleet: Fleet, sgw_emulator: Emulator
) -> None:
    sgw_fleet.accounts[0].gateways.extend(
        gateway(number, None, error="InternalError") for number in range(10, 40)
    )
    sgw_emulator.refresh()
    said = command("scan")
    assert said.err.count("not read") == 2
    assert "count=30" in said.err
    assert "... and 27 more" in said.out


def test_no_secret_is_told_even_by_the_most_verbose_run(command: Command, place: Path) -> None:
    (place / "scanner.toml").write_text(CONFIG.replace("us-east-1", "us-west-2"))
    said = command("scan", "--verbose", "--log-format", "json", "-o", "i.json", "-o", "i.html")
    everything = said.out + said.err + (place / "i.json").read_text() + (place / "i.html").read_text()
    for secret in (SECRET_ID, "AWS4-HMAC", "SecretAccessKey", "SessionToken"):
        assert secret not in everything


def test_hostile_names_move_nothing_on_the_terminal(
    command: Command, sgw_fleet: Fleet, sgw_emulator: Emulator
) -> None:
    sgw_fleet.accounts[0].gateways.append(gateway(6, timedelta(days=9)))
    sgw_fleet.accounts[0].gateways[-1].name = "\x1b[31m[bold]red[/bold]\n\u202e"
    sgw_emulator.refresh()
    said = command("scan")
    assert "\\x1b[31m[bold]red[/bold]" in said.out
    assert "\x1b" not in said.out
    assert "\u202e" not in said.out


def test_an_expired_waiver_is_named(command: Command, place: Path) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=2)
    waiver = (
        f'[[policy.waivers]]\nmatch = {{ gateways = ["gateway*"] }}\nuntil = {yesterday}\nreason = "moving"'
    )
    (place / "scanner.toml").write_text(f"{CONFIG}\n{waiver}\n")
    said = command("scan")
    assert "The waiver “moving” ended on" in said.out


def test_an_output_that_fails_after_the_scan_costs_only_itself(
    command: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scanner.errors import OutputError
    from scanner.output import outputs, save

    async def full(inventory: object, output: object, *rest: object) -> None:
        if str(getattr(output, "destination", "")).endswith(".csv"):
            raise OutputError("i.csv: no space left on the device")
        await save(inventory, output, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(outputs, "save", full)
    places = ("-o", "i.csv", "-o", "i.json")
    said = command("scan", *places)
    assert said.code == 3
    assert "no space left" in said.err
    assert (place / "i.json").exists()
    assert (
        "\nWritten: i.json\nNot written: i.csv\nExit code 3: not everything that was read could be"
        in said.out
    )
    last = json.loads(command("scan", *places, "--log-format", "json").err.splitlines()[-1])
    assert (last["outputs"], last["not_written"]) == (["i.json"], ["i.csv"])
    assert command("scan", *places, "--exit-zero").code == 3


def test_a_breach_is_excused_and_an_output_that_is_lost_beside_it_is_not(
    command: Command, sgw_fleet: Fleet, sgw_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scanner.errors import OutputError
    from scanner.output import outputs

    async def full(*anything: object) -> None:
        raise OutputError("i.csv: no space left on the device")

    monkeypatch.setattr(outputs, "save", full)
    sgw_fleet.accounts[0].gateways.append(gateway(4, timedelta(days=3)))
    sgw_emulator.refresh()
    assert command("scan", "-o", "i.csv").code == 1
    assert command("scan", "-o", "i.csv", "--exit-zero").code == 3


@pytest.mark.parametrize("words, told", [((), False), (("--verbose",), True)])
def test_a_defect_exits_70_and_tells_no_secret(
    command: Command, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: bool
) -> None:
    """Its class by default, a traceback with --verbose; 1 would mean a breach."""

    def broken(*anything: object) -> None:
        raise ExceptionGroup("one", [KeyError(f"some fact, {SECRET_ID} and {'k' * 40}")])

    monkeypatch.setattr(Statistics, "coverage", broken)
    said = command("scan", *words)
    assert said.code == 70
    assert "a defect in sgw-scanner: KeyError" in said.err
    assert ("Traceback" in said.err) is told
    assert ("some fact, [hidden] and [hidden]" in said.err) is told
    assert SECRET_ID not in said.err


def test_the_day_and_the_scan_stand_in_the_names_of_outputs(command: Command, place: Path) -> None:
    """Their folders are made; each scan has files of its own."""
    command("scan", "-o", "lake/date={date}/{scan_id}.targets.parquet", "-o", "{scan_id}.ndjson")
    (table,) = place.glob("lake/date=*/*.targets.parquet")
    (lines,) = place.glob("*.ndjson")
    scan = json.loads(lines.read_text().splitlines()[-1])
    assert table.name == f"{scan['id']}.targets.parquet"
    assert lines.stem == scan["id"]
    assert table.parent.name == f"date={scan['started_at'][:10]}"


@pytest.mark.parametrize("configured", [False, True])
def test_a_placeholder_that_there_is_not_is_a_mistake(
    command: Command, place: Path, sgw_emulator: Emulator, configured: bool
) -> None:
    if configured:
        (place / "scanner.toml").write_text('[output]\nfiles = ["x{day}.json"]\n' + CONFIG)
    said = command("scan", "-o", "y.json" if configured else "x{day}.json")
    assert said.code == 2
    assert "x{day}.json: {day} is not known; there are {date} and {scan_id}" in said.err
    assert not sgw_emulator.requests


def test_folders_that_are_made_for_metrics_are_readable_by_all_as_the_metrics_are(
    command: Command, place: Path
) -> None:
    before = os.umask(0o077)
    try:
        assert command("scan", "-o", "n/{date}/u.prom", "-o", "own/{date}/u.json").code == 0
    finally:
        os.umask(before)
    (metrics,) = place.glob("n/*/u.prom")
    modes = [
        stat.S_IMODE(each.stat().st_mode) for each in (metrics, metrics.parent, place / "n", place / "own")
    ]
    assert modes == [0o644, 0o755, 0o755, 0o700]


def test_a_first_scan_without_a_configuration_can_rate(command: Command, place: Path) -> None:
    (place / "scanner.toml").unlink()
    command("scan", "--region", "us-east-1", "--rpo", "1m", "-o", "i.json")
    assert {v["verdict"]["rpo_seconds"] for v in inventory(place / "i.json")["volumes"]} == {60.0}
    said = command("scan", "--region", "us-east-1", "--profile", "nobody")
    assert said.code == 2
    assert "nobody" in said.err


def test_a_cluster_scans_as_one_machine_does(command: Command, place: Path) -> None:
    """Through Dask's own scheduler, in every form of output; the workers have the configuration's external id."""
    distributed: Any = importlib.import_module("distributed")
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "protocol": "tcp://"}
    assert command("scan", "-o", "here.json").code == 0
    with distributed.LocalCluster(dashboard_address="127.0.0.1:0", **options) as cluster:
        outputs = [word for suffix in ("json", "ndjson", "csv") for word in ("-o", f"there.{suffix}")]
        said = command("scan", "--dask", cluster.scheduler_address, "--history", "kept", *outputs)
        assert (said.code, SECRET_ID in said.out + said.err) == (0, False)
    here, there = inventory(place / "here.json"), inventory(place / "there.json")
    for whole in (here, there):
        for volume in whole["volumes"]:
            del volume["verdict"]["age_seconds"], volume["recovery_point_time"]
        for one in whole["gateways"]:
            del one["observed_at"]
    del here["scan"], there["scan"]
    assert here == there
    assert Inventory.read(place / "there.ndjson") == Inventory.read(place / "there.json")
    assert list((place / "kept").rglob("*.json"))


def test_a_cluster_that_cannot_be_asked_is_exit_2(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.scale.connect.CONNECT_SECONDS", 0.2)
    for words, told in (
        (("--shard", "1/2", "--dask", "tcp://127.0.0.1:9"), "--shard and --dask clash"),
        (("--dask", "tcp://10.0.0.7:8786"), "use tls://, or say --insecure"),
        (("--dask", "tcp://127.0.0.1:9"), "nobody listens there"),
    ):
        said = command("scan", *words)
        assert (said.code, told in said.err) == (2, True)
