"""Regions and partitions: what is asked where, and which settings cannot be meant."""

from pathlib import Path
from typing import Any

import botocore.session
import pytest

from scanner import ScannerConfig
from scanner.aws.regions import HOME, Regions
from scanner.emulator import Account, Emulator, Fleet, Role
from scanner.errors import ConfigError
from scanner.inventory.records import Outcome
from tests.strategies import selected

from .scans import calls, config, gateway, scan

Patch = pytest.MonkeyPatch


def known(monkeypatch: Patch, default: str | None = None) -> Regions:
    for name in ("AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    if default:
        monkeypatch.setenv("AWS_DEFAULT_REGION", default)
    else:
        monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    return Regions(botocore.session.get_session())


def settings(**values: Any) -> ScannerConfig:
    return ScannerConfig.model_validate(values)


def test_the_sdks_data_say_where_the_service_is_known_to_be(monkeypatch: Patch) -> None:
    regions = known(monkeypatch)
    assert regions.known_to_offer("us-east-1")
    assert not regions.known_to_offer("eu-newest-9")
    assert not regions.known_to_offer("us-isof-south-1")


@pytest.mark.parametrize("region", ["eu-newest-9", "us-isob-west-1", "eusc-de-east-1"])
def test_a_region_newer_than_the_sdks_data_can_be_named(monkeypatch: Patch, region: str) -> None:
    """Whether it is there the service says."""
    known(monkeypatch).check(settings(scan={"regions": [region]}))


def test_every_partition_has_a_home_of_its_own(monkeypatch: Patch) -> None:
    partitions = {
        each["partition"] for each in botocore.session.get_session().get_data("endpoints")["partitions"]
    }
    regions = known(monkeypatch)
    for partition in partitions:
        assert regions.partition(settings(scan={"regions": [HOME[partition]]}), None) == partition
        assert regions.home(partition) == HOME[partition]
    assert regions.home("aws-of-next-year") == HOME["aws"]


def test_the_sdks_own_region_is_home_within_its_partition(monkeypatch: Patch) -> None:
    regions = known(monkeypatch, "eu-central-1")
    assert regions.home("aws") == "eu-central-1"
    assert regions.home("aws-cn") == "cn-north-1"
    assert known(monkeypatch, "us-gov-east-1").partition(settings(), None) == "aws-us-gov"


@pytest.mark.parametrize(
    ("account", "partition"),
    [
        ({"role": "arn:aws-cn:iam::111122223333:role/scan"}, "aws-cn"),
        ({"role": "scan", "via": "arn:aws-us-gov:iam::111122223333:role/hub"}, "aws-us-gov"),
        ({"role": "scan", "regions": ["cn-north-1"]}, "aws-cn"),
        ({"role": "scan"}, "aws"),
    ],
)
def test_an_account_is_of_the_partition_that_its_settings_name(
    monkeypatch: Patch, account: dict[str, Any], partition: str
) -> None:
    made = settings(accounts=[{"id": "111122223333", **account}])
    assert known(monkeypatch).partition(made, made.accounts[0]) == partition


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"scan": {"regions": ["us-eats-1"]}}, "scan.regions: .*'us-eats-1'.*did you mean us-east-1"),
        ({"scan": {"regions": ["qqqqq-zzzzzzzzz-9"]}}, "us-east-1 would be one"),
        ({"scan": {"exclude_regions": ["us-esat-1"]}}, "exclude_regions: .*did you mean us-east-1"),
        ({"scan": {"exclude_regions": ["eu-wst-1"]}}, "exclude_regions: .*did you mean eu-west-1"),
        (
            {
                "scan": {"regions": ["us-eats-1"]},
                "accounts": [{"id": "111122223333", "role": "r", "regions": ["eu-west-1"]}],
            },
            "scan.regions: .*'us-eats-1'",
        ),
        (
            {
                "organization": {"role": "r", "via": "arn:aws-us-gov:iam::111122223333:role/hub"},
                "scan": {"regions": ["us-east-1"]},
            },
            "us-east-1 is of the partition aws, but organization.via is of aws-us-gov",
        ),
        (
            {
                "organization": {"role": "r"},
                "scan": {"regions": ["us-east-1", "cn-north-1"]},
                "accounts": [{"id": "111122223333", "role": "r", "regions": ["eu-west-1"]}],
            },
            "cn-north-1 is of the partition aws-cn, but us-east-1 is of aws",
        ),
        (
            {"accounts": [{"id": "111122223333", "role": "r", "regions": ["eu-wset-1"]}]},
            r"^accounts\[1\].regions: .*did you mean eu-west-1",
        ),
        (
            {"scan": {"regions": ["us-east-1", "cn-north-1"]}},
            "cn-north-1 is of the partition aws-cn, but us-east-1",
        ),
        (
            {
                "scan": {"regions": ["us-east-1"]},
                "accounts": [{"id": "111122223333", "role": "arn:aws-cn:iam::111122223333:role/scan"}],
            },
            "us-east-1 is of the partition aws, but account 111122223333 is of aws-cn",
        ),
    ],
)
def test_regions_that_cannot_be_meant_are_told_before_a_scan(
    monkeypatch: Patch, values: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        known(monkeypatch).check(settings(**values))


def test_regions_that_can_be_meant_are_no_error(monkeypatch: Patch) -> None:
    account = {"id": "111122223333", "role": "scan", "regions": ["us-gov-west-1"]}
    known(monkeypatch).check(settings(scan={"regions": ["us-east-1"]}, accounts=[account]))
    known(monkeypatch).check(settings())
    known(monkeypatch).check(settings(scan={"exclude_regions": ["us-east-1", "mx-central-7"]}))


def test_a_region_that_was_set_by_a_variable_or_flag_is_blamed_on_it(
    monkeypatch: Patch, tmp_path: Path
) -> None:
    (tmp_path / "c.toml").write_text('[scan]\nregions = ["us-esat-1"]\n')
    variable = {"SGW_SCANNER_SCAN__REGIONS": "us-esat-1"}
    in_file = ScannerConfig.load(tmp_path / "c.toml", environ={})
    for told, made in (
        (f"{tmp_path}/c.toml: scan.regions", in_file),
        ("SGW_SCANNER_SCAN__REGIONS: scan.regions", ScannerConfig.load(environ=variable)),
        ("--region: scan.regions", selected(ScannerConfig(), (), ["us-esat-1"])),
    ):
        with pytest.raises(ConfigError, match=rf"{told}: there is no Region 'us-esat-1'.*us-east-1\?"):
            known(monkeypatch).check(made)


def test_a_profile_leads_into_the_partition_of_its_region(monkeypatch: Patch) -> None:
    made = settings(accounts=[{"id": "111122223333", "profile": "gov"}])
    regions = Regions(botocore.session.get_session(), {"gov": "us-gov-west-1"})
    assert regions.partition(made, made.accounts[0]) == "aws-us-gov"


@pytest.mark.parametrize(("default", "common"), [("me-south-1", "us-east-1"), ("eu-west-1", "eu-west-1")])
def test_members_are_asked_where_all_of_them_can_be(monkeypatch: Patch, default: str, common: str) -> None:
    """The Region of the base identity may be one that they have not opted into."""
    regions = known(monkeypatch, default)
    assert (regions.home("aws"), regions.common("aws")) == (default, common)
    assert regions.common("aws-cn") == "cn-north-1"


@pytest.mark.parametrize(("partition", "region"), [("aws-us-gov", "us-gov-west-1"), ("aws-cn", "cn-north-1")])
async def test_other_partitions_are_scanned_like_the_first(
    monkeypatch: Patch, partition: str, region: str
) -> None:
    """Roles, the session's policy and the question for Regions are all of the account's partition."""
    account_id = "333344445555"
    made = Fleet(
        [
            Account("111122223333", regions=[region]),
            Account(account_id, regions=[region], gateways=[gateway(1, region)], roles=[Role("scan")]),
        ]
    )
    async with Emulator(made) as emulator:
        found = await scan(
            emulator,
            monkeypatch,
            config(
                {"id": account_id, "role": f"arn:{partition}:iam::{account_id}:role/scan"},
                scan={"regions": "enabled"},
            ),
        )
    assert found.scan.outcome is Outcome.COMPLETE, found.failures
    assert [volume.arn.split(":")[1] for volume in found.volumes] == [partition]
    assert calls(emulator, "ListVolumeRecoveryPoints", account_id) == 1
