from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scanner.emulator import DetachedVolume, Fleet
from scanner.emulator.fleets import FleetFileError

WHOLE = """
base_account = "111122223333"
extra_regions = ["mx-central-9"]

[[accounts]]
id = "111122223333"
name = "prod"
regions = ["us-east-1"]
ou = "prod/db"

[[accounts.roles]]
name = "sgw-scanner"
trust = ["111122223333"]
external_id = "secret"
trust_tags = false
policy = [{ Effect = "Allow", Action = "storagegateway:List*", Resource = "*" }]

[[accounts.keys]]
id = "AKIAEXAMPLE"
secret = "s"

[[accounts.gateways]]
id = "sgw-12A3456B"
region = "us-east-1"
name = "db-1"
tags = { tier = "1" }

[[accounts.gateways.volumes]]
id = "vol-1122AABB"
age = "1h30m"

[[accounts.gateways.volumes]]
id = "vol-1122AABC"
recovery_point = 2026-11-23T08:00:00Z

[[accounts.gateways.volumes]]
id = "vol-1122AABD"

[[accounts.detached_volumes]]
id = "vol-1122AABE"
region = "eu-west-1"
gateway = "sgw-12A3456C"
age = "2d"

[organization]
page_size = 2
delegated = ["111122223333"]

[[throttle]]
rate = 20
burst = 20
changes = [[5, 2]]

[[faults]]
kind = "inner"
inner = "GatewayNotConnected"
gateway = "sgw-12A3456B"
times = 2
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "fleet.toml"
    path.write_text(text)
    return path


def test_a_file_describes_everything_that_the_classes_can(tmp_path: Path) -> None:
    fleet = Fleet.from_toml(write(tmp_path, WHOLE))
    (account,) = fleet.accounts
    (gateway,) = account.gateways
    assert [volume.recovery_point for volume in gateway.volumes] == [
        timedelta(minutes=90),
        datetime(2026, 11, 23, 8, tzinfo=UTC),
        None,
    ]
    assert account.detached_volumes == [
        DetachedVolume(
            "vol-1122AABE", region="eu-west-1", gateway="sgw-12A3456C", recovery_point=timedelta(days=2)
        )
    ]
    assert account.roles[0].external_id == "secret"
    assert account.roles[0].trust_tags is False
    assert account.keys[0].secret == "s"
    assert fleet.throttle[0].changes == [(5.0, 2.0)]
    assert fleet.faults[0].times == 2
    assert fleet.organization is not None
    assert fleet.organization.page_size == 2


def test_a_file_may_ask_for_a_generated_fleet(tmp_path: Path) -> None:
    path = write(tmp_path, "[generate]\naccounts = 3\nregions = 2\nseed = 9\ngateways_per_target = [1, 2]\n")
    assert Fleet.from_toml(path) == Fleet.generate(3, 2, 9, (1, 2))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("accounts = [", "not a TOML file"),
        ("", "accounts: none"),
        ("[[acounts]]\n", "acounts: no such key; did you mean 'accounts'"),
        ("accounts = 3\n", r"must be a list of tables \(\[\[accounts\]\]\)"),
        ("organization = 3\n[[accounts]]\nid = '111122223333'\n", r"must be a table \(\[organization\]\)"),
        ("[[accounts]]\nname = 'x'\n", r"accounts\[0\].id: is missing"),
        ("[[accounts]]\nid = 111122223333\n", r"accounts\[0\].id: must be an account id of 12 digits"),
        ("[[accounts]]\nid = '111122223333'\n[[accounts]]\nid = '111122223333'\n", "stands twice"),
        (WHOLE.replace("sgw-12A3456B", "sgw-12a3456b"), r"gateways\[0\].id: must be a gateway id"),
        (WHOLE.replace('"1h30m"', '"soon"'), r"volumes\[0\].age: must be a duration"),
        (WHOLE.replace("2026-11-23T08:00:00Z", "3"), r"volumes\[1\].recovery_point: must be a time"),
        (WHOLE.replace('age = "1h30m"', 'age = "1h"\nrecovery_point = "x"'), "clashes with recovery_point"),
        (WHOLE.replace('"inner"', '"iner"'), r"faults\[0\].kind: must be one of throttle"),
        (WHOLE.replace("rate = 20", "rate = true"), r"throttle\[0\].rate: must be a number"),
        (WHOLE.replace("[[5, 2]]", "[5]"), r"throttle\[0\].changes: must be a list"),
        (WHOLE.replace('"Allow"', '"May"'), r"roles\[0\].policy: must be a list of IAM statements"),
        (WHOLE.replace('tier = "1"', "tier = 1"), r"gateways\[0\].tags: must be a table of texts"),
        (WHOLE.replace("[[5, 2]]", "[['soon', 2]]"), r"throttle\[0\].changes: must be a list"),
        ("[generate]\ntypes = { TAPES = 1 }\n", "generate.types: must be a table of whole numbers for some"),
        ("[generate]\ntypes = { VTL = 0 }\n", "generate.types: must be a table of whole numbers for some"),
        ("[generate]\nregions = 99\n", r"generate.regions: regions must be between 1 and 34"),
        ("[generate]\nvolumes_per_gateway = [3, 1]\n", "must be a number or"),
        (WHOLE + "probability = 7\n", r"faults\[0\].probability: must be a number between 0 and 1, not 7"),
        (
            WHOLE.replace('region = "eu-west-1"', ""),
            r"accounts\[0\].detached_volumes\[0\].region: is missing",
        ),
        (WHOLE.replace('"vol-1122AABD"', '"vol-1122AABC"'), "volume/vol-1122AABC stands twice"),
        (WHOLE.replace('"us-east-1"\nname', '"us"\nname'), r"gateways\[0\].region: must be a Region such as"),
        (WHOLE.replace('"2d"', "2"), r"detached_volumes\[0\].age: must be a duration .*, not 2"),
        (WHOLE.replace("times = 2", "times = 2.5"), r"faults\[0\].times: must be a whole number, not 2.5"),
        (WHOLE.replace("times = 2", "change = 2"), r"faults\[0\].change: no such key"),
        (WHOLE.replace("trust_tags = false", 'trust_tags = "no"'), "must be true or false, not 'no'"),
        ("[generate]\naccounts = '3'\n", "generate.accounts: must be a whole number, not '3'"),
        ("[generate]\nacounts = 3\n", "generate.acounts: no such key; did you mean 'accounts'"),
        ("[generate]\nregions = 0\n", "generate.regions: must be a number of Regions, or a list"),
        ("generation = 3\n", "generation: no such key"),
        (WHOLE.replace('delegated = ["111122223333"]', "delegated = [3]"), "must be a list of texts"),
    ],
)
def test_a_bad_file_is_refused_with_its_name_the_key_and_what_would_be_right(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(FleetFileError, match=rf"fleet\.toml: .*{complaint}"):
        Fleet.from_toml(write(tmp_path, text))


def test_the_same_seed_makes_the_same_fleet() -> None:
    assert Fleet.generate(4, 3, seed=5) == Fleet.generate(4, 3, seed=5)
    assert Fleet.generate(4, 3, seed=5) != Fleet.generate(4, 3, seed=6)


def test_every_mistake_is_named_at_once_and_no_secret_with_them(tmp_path: Path) -> None:
    wrong = WHOLE.replace('secret = "s"', "secret = 4711").replace("rate = 20", "rate = 'x'")
    with pytest.raises(FleetFileError) as refused:
        Fleet.from_toml(write(tmp_path, wrong))
    path = tmp_path / "fleet.toml"
    assert str(refused.value).splitlines() == [
        f"{path}: accounts[0].keys[0].secret: must be text",
        f"{path}: throttle[0].rate: must be a number, not 'x'",
    ]


def test_a_fleet_made_in_python_is_not_checked() -> None:
    """A test may want a fleet that no file could describe."""
    assert DetachedVolume("anything", region="nowhere").attachment_status == "DETACHED"
