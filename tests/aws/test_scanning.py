import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from scanner import Scanner
from scanner.emulator import Account, Emulator, Fault, Fleet, Key, Role, Volume
from scanner.emulator.services.policies import decide
from scanner.errors import ConfigError
from scanner.inventory.records import (
    FailureKind,
    FailureScope,
    Outcome,
    SkipReason,
    TargetStatus,
    VerdictStatus,
)

from .scans import HUB, PROD, REGION, account, calls, config, environment, fleet, gateway, scan, shown

Patch = pytest.MonkeyPatch


async def test_a_role_leads_into_its_account(monkeypatch: Patch) -> None:
    """One AssumeRole, then everything is read as that account and with its own signature."""
    async with Emulator(fleet(gateway(1), gateway(2, volumes=3), gateway(3, kind="FILE_S3"))) as emulator:
        found = await scan(emulator, monkeypatch, config(account()))
    assert found.scan.outcome is Outcome.COMPLETE
    assert not found.failures
    assert [len(found.gateways), len(found.volumes)] == [3, 4]
    assert {volume.account_id for volume in found.volumes} == {PROD}
    assert (calls(emulator, "AssumeRole"), calls(emulator, "ListVolumeRecoveryPoints", PROD)) == (1, 2)
    assert emulator.mismatches == 0


async def test_without_accounts_the_base_identity_is_scanned(monkeypatch: Patch) -> None:
    made = fleet()
    made.accounts[0].gateways.append(gateway(1))
    async with Emulator(made) as emulator:
        found = await scan(emulator, monkeypatch, config())
    assert [(target.account_id, target.gateways) for target in found.targets] == [(HUB, 1)]


async def test_a_hub_is_assumed_once_for_all_accounts_behind_it(monkeypatch: Patch) -> None:
    hub = "555566667777"
    behind = [f"{number:012}" for number in range(1, 6)]
    made = Fleet(
        [
            Account(HUB, regions=[REGION]),
            Account(hub, regions=[REGION], roles=[Role("hub", trust=(HUB,))]),
            *(Account(each, regions=[REGION], roles=[Role("scan", trust=(hub,))]) for each in behind),
        ]
    )
    via = f"arn:aws:iam::{hub}:role/hub"
    async with Emulator(made) as emulator:
        found = await scan(
            emulator, monkeypatch, config(*({"id": each, "role": "scan", "via": via} for each in behind))
        )
    assert found.coverage.targets.complete == 5
    assert (calls(emulator, "AssumeRole", HUB), calls(emulator, "AssumeRole", hub)) == (1, 5)


@pytest.mark.parametrize("given", ["right-one", "wrong-one", None])
async def test_the_external_id_opens_or_the_account_fails_once(monkeypatch: Patch, given: str | None) -> None:
    made = fleet(gateway(1))
    made.accounts[1].roles[0].external_id = "right-one"
    async with Emulator(made) as emulator:
        found = await scan(
            emulator,
            monkeypatch,
            config(account(external_id=given), scan={"regions": [REGION, "eu-west-1"]}),
        )
    if given == "right-one":
        assert found.scan.outcome is Outcome.COMPLETE
        return
    (failure,) = found.failures
    assert (failure.scope, failure.kind) == (FailureScope.ACCOUNT, FailureKind.ACCESS_DENIED)
    assert (failure.operation, failure.attempts, failure.code) == ("AssumeRole", 1, "AccessDenied")
    assert "trust policy" in shown(failure)
    assert "external id" in shown(failure)
    assert found.coverage.targets.failed == 2


def profiles(path: Path, monkeypatch: Patch, text: str) -> None:
    file = path / "config"
    file.write_text(text)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))


def made_with_key() -> Fleet:
    made = fleet(gateway(1))
    made.accounts[1].keys.append(Key("AKIAPRODPRODPRODPROD", "the-secret-of-prod"))
    return made


PROFILE = """[profile prod]
aws_access_key_id = AKIAPRODPRODPRODPROD
aws_secret_access_key = the-secret-of-prod
"""


async def test_a_profile_is_taken_as_it_is(monkeypatch: Patch, tmp_path: Path) -> None:
    async with Emulator(made_with_key()) as emulator:
        environment(emulator, monkeypatch)
        profiles(tmp_path, monkeypatch, PROFILE)
        async with Scanner(config({"id": PROD, "profile": "prod"})) as scanner:
            found = await scanner.scan()
    assert (found.scan.outcome, len(found.volumes)) == (Outcome.COMPLETE, 1)
    assert calls(emulator, "AssumeRole") == 0


async def test_a_profile_of_another_account_is_found_out(monkeypatch: Patch, tmp_path: Path) -> None:
    """Nothing is read in the name of an account that it does not belong to."""
    async with Emulator(made_with_key()) as emulator:
        environment(emulator, monkeypatch)
        profiles(tmp_path, monkeypatch, PROFILE)
        async with Scanner(config({"id": "999900001111", "profile": "prod"})) as scanner:
            found = await scanner.scan()
    (failure,) = found.failures
    assert (failure.kind, failure.operation) == (FailureKind.WRONG_ACCOUNT, "GetCallerIdentity")
    assert PROD in shown(failure)
    assert calls(emulator, "ListGateways") == 0


async def test_no_credentials_anywhere_fail_the_account_and_send_nothing(monkeypatch: Patch) -> None:
    async with Emulator(fleet(gateway(1))) as emulator:
        environment(emulator, monkeypatch)
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        async with Scanner(config(account())) as scanner:
            found = await scanner.scan()
    (failure,) = found.failures
    assert (failure.kind, failure.attempts) == (FailureKind.CREDENTIALS, 0)
    assert "aws sso login" in shown(failure)
    assert found.scan.outcome is Outcome.FAILED
    assert not emulator.requests


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[profile prod]\ncredential_process = /nowhere/at-all\n", "/nowhere/at-all"),
        ("[profile prod]\ncredential_process = /bin/false\n", "credential"),
        (
            "[profile prod]\nsso_session = s\nsso_account_id = 222233334444\nsso_role_name = scan\n"
            "[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://example.com/start\n",
            "run `aws sso login --profile prod`",
        ),
    ],
)
async def test_a_chain_that_breaks_says_where(
    monkeypatch: Patch, tmp_path: Path, text: str, told: str
) -> None:
    async with Emulator(made_with_key()) as emulator:
        environment(emulator, monkeypatch)
        monkeypatch.setenv("HOME", str(tmp_path))
        profiles(tmp_path, monkeypatch, text)
        async with Scanner(config({"id": PROD, "profile": "prod"})) as scanner:
            found = await scanner.scan()
    (failure,) = found.failures
    assert (failure.kind, failure.operation) == (FailureKind.CREDENTIALS, "GetCredentials")
    assert told in shown(failure)


@pytest.mark.parametrize(
    ("place", "sections"),
    [
        (r"accounts\[1\].profile", {"accounts": [{"id": PROD, "profile": "gone"}]}),
        ("credentials.profile", {"credentials": {"profile": "gone"}}),
    ],
)
async def test_a_profile_that_does_not_exist_is_an_error_of_the_configuration(
    monkeypatch: Patch, place: str, sections: dict[str, Any]
) -> None:
    async with Emulator(fleet()) as emulator:
        environment(emulator, monkeypatch)
        settings = config().model_validate(sections)
        with pytest.raises(ConfigError, match=f"^{place}: the profile 'gone' does not exist"):
            await Scanner(settings).__aenter__()
        monkeypatch.setenv("AWS_PROFILE", "gone")
        with pytest.raises(ConfigError, match="AWS_PROFILE: the profile does not exist"):
            await Scanner(config()).__aenter__()


async def test_an_sdk_file_that_cannot_be_read_is_an_error_of_the_configuration(
    monkeypatch: Patch, tmp_path: Path
) -> None:
    async with Emulator(fleet()) as emulator:
        environment(emulator, monkeypatch)
        profiles(tmp_path, monkeypatch, "no section\n")
        with pytest.raises(ConfigError, match="mend this file"):
            await Scanner(config({"id": PROD, "profile": "prod"})).__aenter__()


@pytest.mark.parametrize("denied", [None, "account", "both"])
async def test_enabled_regions_come_from_the_account_itself(monkeypatch: Patch, denied: str | None) -> None:
    """From ListRegions, or where that is denied from DescribeRegions; never from a guess."""
    made = fleet(gateway(1), gateway(2, "eu-west-1"))
    if denied:
        made.faults.append(Fault("access_denied", service="account"))
    if denied == "both":
        made.faults.append(Fault("access_denied", service="ec2"))
    async with Emulator(made) as emulator:
        found = await scan(emulator, monkeypatch, config(account(), scan={"regions": "enabled"}))
    if denied == "both":
        (failure,) = found.failures
        assert (failure.kind, failure.operation) == (FailureKind.ACCESS_DENIED, "ListRegions")
        assert "ec2:DescribeRegions" in shown(failure)
        assert [(target.region, target.status) for target in found.targets] == [("*", TargetStatus.FAILED)]
        return
    assert [target.region for target in found.targets] == ["eu-west-1", REGION]
    assert len(found.volumes) == 2
    assert calls(emulator, "DescribeRegions") == (1 if denied else 0)


@pytest.mark.parametrize("service", ["account", "ec2"])
async def test_a_failure_while_asking_for_regions_keeps_its_own_kind(
    monkeypatch: Patch, service: str
) -> None:
    made = fleet(gateway(1), faults=[Fault("server_error", service=service)])
    made.faults.append(Fault("access_denied", service="account"))
    async with Emulator(made) as emulator:
        found = await scan(emulator, monkeypatch, config(account(), scan={"regions": "enabled"}))
    (failure,) = found.failures
    assert failure.kind is FailureKind.SERVER_ERROR
    assert failure.operation == {"account": "ListRegions", "ec2": "DescribeRegions"}[service]


async def test_many_enabled_regions_come_in_pages(monkeypatch: Patch) -> None:
    names = [f"eu-north-{number}" for number in range(10, 75)]
    made = fleet(extra_regions=names)
    made.accounts[1].regions = [REGION, *names]
    async with Emulator(made) as emulator:
        found = await scan(
            emulator, monkeypatch, config(account(), scan={"regions": "enabled", "exclude_regions": names})
        )
    assert {target.region for target in found.targets} == {REGION, *names}
    assert found.coverage.targets.skipped == len(names)
    assert calls(emulator, "ListRegions") == 2


@pytest.mark.parametrize("known", [True, False])
async def test_a_region_that_is_not_enabled_is_skipped_where_that_can_be_known(
    monkeypatch: Patch, known: bool
) -> None:
    made = fleet(gateway(1))
    if not known:
        made.faults = [Fault("access_denied", service="account"), Fault("access_denied", service="ec2")]
    async with Emulator(made) as emulator:
        found = await scan(
            emulator, monkeypatch, config(account(), scan={"regions": [REGION, "ap-southeast-2"]})
        )
    other, usual = found.targets
    assert usual.status is TargetStatus.COMPLETE
    if known:
        assert (other.status, other.reason) == (TargetStatus.SKIPPED, SkipReason.NOT_ENABLED)
        assert not found.failures
    else:
        assert other.status is TargetStatus.FAILED
        assert "the Region may not be enabled" in shown(found.failures[0])


async def test_a_token_that_expires_in_mid_scan_is_renewed_once(monkeypatch: Patch) -> None:
    made = fleet(*(gateway(number) for number in range(1, 9)))
    made.faults = [Fault("expired_token", operation="ListVolumeRecoveryPoints", nth=3)]
    async with Emulator(made) as emulator:
        found = await scan(emulator, monkeypatch, config(account()))
    assert found.scan.outcome is Outcome.COMPLETE
    assert len(found.volumes) == 8
    assert calls(emulator, "AssumeRole") == 2
    assert emulator.mismatches == 0


async def test_a_token_that_is_always_expired_ends_as_a_failure(monkeypatch: Patch) -> None:
    made = fleet(gateway(1), faults=[Fault("expired_token", operation="ListGateways")])
    async with Emulator(made) as emulator:
        found = await scan(emulator, monkeypatch, config(account()))
    assert [failure.kind for failure in found.failures] == [FailureKind.CREDENTIALS]


async def test_credentials_are_renewed_before_they_end(monkeypatch: Patch) -> None:
    """Those that have less than five minutes left are not used for another call."""
    ahead = timedelta()
    monkeypatch.setattr("scanner.aws.clocks.Clocks.now", lambda clocks, endpoint: datetime.now(UTC) + ahead)
    async with Emulator(fleet(gateway(1))) as emulator:
        environment(emulator, monkeypatch)
        async with Scanner(config(account())) as scanner:
            await scanner.scan()
            await scanner.scan()
            assert calls(emulator, "AssumeRole") == 1
            ahead = timedelta(minutes=56)
            await scanner.scan()
    assert calls(emulator, "AssumeRole") > 1


async def test_scans_that_run_at_once_assume_each_role_once(monkeypatch: Patch) -> None:
    async with Emulator(fleet(gateway(1), gateway(2, "eu-west-1"))) as emulator:
        environment(emulator, monkeypatch)
        settings = config(account(), scan={"regions": [REGION, "eu-west-1"]})
        async with Scanner(settings) as scanner, anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(scanner.scan)
    assert calls(emulator, "AssumeRole") == 1
    assert calls(emulator, "ListGateways") == 10


async def test_forty_accounts_at_once_never_mix_up_their_credentials(monkeypatch: Patch) -> None:
    made = Fleet.generate(40, [REGION, "eu-west-1"], 3, (1, 3), 2, {"CACHED": 1})
    ids = [each.id for each in made.accounts]
    async with Emulator(made) as emulator:
        settings = config(
            *({"id": each, "role": "sgw-scanner"} for each in ids), scan={"regions": [REGION, "eu-west-1"]}
        )
        found = await scan(emulator, monkeypatch, settings)
    assert (found.coverage.targets.planned, found.scan.outcome) == (80, Outcome.COMPLETE)
    assert {gateway.arn for gateway in found.gateways} == set(emulator.backend.gateways)
    assert emulator.mismatches == 0


async def test_a_session_may_do_no_more_than_the_scan_needs(monkeypatch: Patch) -> None:
    """A role that allows everything is bounded by the session's own policy: a detail not asked is denied."""
    async with Emulator(fleet(gateway(1))) as emulator:
        found = await scan(emulator, monkeypatch, config(account()))
        assert not found.failures
        (session,) = emulator.sessions.values()
        assert session.session_policy is not None
        arn = f"arn:aws:storagegateway:{REGION}:{PROD}:gateway/sgw-00000001"
        assert decide(session, "storagegateway:ListVolumeRecoveryPoints", arn) is None
        for action in ("DescribeGatewayInformation", "DeleteGateway", "ShutdownGateway"):
            assert decide(session, f"storagegateway:{action}", arn) is not None


DETAILS = ("DescribeGatewayInformation", "DescribeCachediSCSIVolumes", "GetResources")


@pytest.mark.parametrize(
    ("details", "asked"),
    [
        ([], set()),
        (["gateway"], {"DescribeGatewayInformation"}),
        (["volumes"], {"DescribeCachediSCSIVolumes"}),
        (["tags"], {"GetResources"}),
        (["gateway", "volumes", "tags"], set(DETAILS)),
    ],
)
async def test_no_detail_is_asked_for_that_was_not_wanted(
    monkeypatch: Patch, details: list[str], asked: set[str]
) -> None:
    made = fleet(gateway(1, volumes=2, tags={"tier": "1"}))
    made.accounts[1].gateways[0].volumes.append(Volume("vol-00010009", tags={"owner": "db"}))
    async with Emulator(made) as emulator:
        found = await scan(emulator, monkeypatch, config(account(), scan={"details": details}))
    assert not found.failures
    assert {name for name in DETAILS if calls(emulator, name)} == asked
    (only,) = found.gateways
    assert (only.details is not None) == ("gateway" in details)
    pointless = [each for each in found.volumes if each.verdict.status is VerdictStatus.NO_RECOVERY_POINT]
    assert [each.id for each in pointless] == ["vol-00010009"]
    if "tags" in details:
        assert only.tags == {"tier": "1"}
    if "tags" in details:
        assert pointless[0].tags == {"owner": "db"}
        assert pointless[0].attachment_status == "ATTACHED"


def organization() -> Fleet:
    def member(number: int, unit: str, **more: Any) -> Account:
        role = Role("scan", trust=(HUB,))
        return Account(f"{number:012}", f"a{number}", [REGION], [gateway(number)], [role], ou=unit, **more)

    hub = Account(HUB, "hub", [REGION], [gateway(99)], [Role("scan", trust=(HUB,))])
    return Fleet(
        [
            hub,
            member(1, "prod"),
            member(2, "prod/db"),
            member(3, "prod/db"),
            member(4, "prod/db"),
            member(5, "prod/db"),
            member(6, "lab"),
            member(7, "prod", state="SUSPENDED"),
            member(8, "prod", state="CLOSED"),
        ]
    )


def unit(path: str) -> str:
    made = organization().organization
    assert made is not None
    return made.unit_id(path)


@pytest.mark.parametrize("status", [False, True])
@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, {HUB, 1, 2, 3, 4, 5, 6}),
        ({"include_management_account": False}, {1, 2, 3, 4, 5, 6}),
        ({"include_ous": [unit("prod")]}, {1, 2, 3, 4, 5}),
        ({"include_ous": [unit("prod/db"), unit("lab")]}, {2, 3, 4, 5, 6}),
        ({"exclude_ous": [unit("prod/db")]}, {HUB, 1, 6}),
        ({"exclude_accounts": ["000000000006"]}, {HUB, 1, 2, 3, 4, 5}),
    ],
)
async def test_an_organization_is_walked_as_far_as_asked(
    monkeypatch: Patch, settings: dict[str, Any], found: set[int | str], status: bool
) -> None:
    made = organization()
    assert made.organization
    made.organization.status = status
    async with Emulator(made) as emulator:
        inventory = await scan(emulator, monkeypatch, config(organization={"role": "scan", **settings}))
    assert not inventory.failures
    ids = {each if isinstance(each, str) else f"{each:012}" for each in found}
    assert {target.account_id for target in inventory.targets} == ids
    assert {gateway.account_id for gateway in inventory.gateways} == ids


@pytest.mark.parametrize(
    ("settings", "faults", "told", "kind"),
    [
        (
            {"include_ous": ["ou-ab12-00000000"]},
            [],
            "there is no such root or organizational unit",
            FailureKind.INVALID_REQUEST,
        ),
        (
            {},
            [Fault("access_denied", service="organizations", operation="ListRoots")],
            "delegated administrator",
            FailureKind.ACCESS_DENIED,
        ),
        (
            {},
            [Fault("error", service="organizations", code="AWSOrganizationsNotInUseException")],
            "the account is in no organization; remove",
            FailureKind.INVALID_REQUEST,
        ),
    ],
)
async def test_an_organization_that_cannot_be_read_is_told_with_the_remedy(
    monkeypatch: Patch, settings: dict[str, Any], faults: list[Fault], told: str, kind: FailureKind
) -> None:
    made = organization()
    made.faults = faults
    async with Emulator(made) as emulator:
        found = await scan(emulator, monkeypatch, config(organization={"role": "scan", **settings}))
    assert {failure.kind for failure in found.failures} == {kind}
    failure = found.failures[0]
    assert told in shown(failure)
    assert (found.targets[0].account_id, found.targets[0].status) == ("*", TargetStatus.FAILED)


@pytest.mark.parametrize("hours", [-3, 5])
async def test_a_wrong_local_clock_is_mended_by_the_services_own(monkeypatch: Patch, hours: int) -> None:
    """The service tells its time with the refusal; from then on everything is signed at that time."""
    made = fleet(gateway(1), gateway(2))
    async with Emulator(made, clock=lambda: time.time() + hours * 3600) as emulator:
        found = await scan(emulator, monkeypatch, config(account()))
    assert found.scan.outcome is Outcome.COMPLETE, found.failures
    assert len(found.volumes) == 2
    age = found.volumes[0].verdict.age_seconds
    assert age is not None
    assert abs(age - 7200) < 60


async def test_all_calls_under_way_at_the_wrong_time_are_mended_by_the_first_that_learns_it(
    monkeypatch: Patch,
) -> None:
    """Ten minutes are too much for Storage Gateway, and not for STS: every Region's first call is refused."""
    regions = ["us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-central-1"]
    prod = Account(PROD, regions=regions, gateways=[gateway(n, r) for n, r in enumerate(regions)])
    prod.roles.append(Role("scan", trust=(HUB,)))
    made = Fleet([Account(HUB, regions=regions), prod])
    async with Emulator(made, clock=lambda: time.time() + 600) as emulator:
        found = await scan(emulator, monkeypatch, config(account(), scan={"regions": regions}))
    assert found.scan.outcome is Outcome.COMPLETE, found.failures
    assert calls(emulator, "AssumeRole") == 1


async def test_a_clock_that_cannot_be_mended_fails_with_the_remedy(monkeypatch: Patch) -> None:
    made = fleet(gateway(1), faults=[Fault("wrong_clock", operation="ListGateways", seconds=0)])
    async with Emulator(made) as emulator:
        found = await scan(emulator, monkeypatch, config(account()))
    (failure,) = found.failures
    assert failure.kind is FailureKind.CREDENTIALS
    assert "set it by NTP" in shown(failure)


async def test_a_key_with_another_secret_fails_at_the_door(monkeypatch: Patch) -> None:
    async with Emulator(fleet(gateway(1))) as emulator:
        environment(emulator, monkeypatch)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
        async with Scanner(config()) as scanner:
            found = await scanner.scan()
    (failure,) = found.failures
    assert (failure.kind, failure.operation) == (FailureKind.CREDENTIALS, "GetCallerIdentity")
    assert calls(emulator, "ListGateways") == 0


async def test_tags_and_volumes_beyond_a_page_are_read_to_the_end(monkeypatch: Patch) -> None:
    made = fleet(gateway(1, volumes=103))
    for volume in made.accounts[1].gateways[0].volumes:
        volume.tags = {"of": volume.id}
    async with Emulator(made) as emulator:
        found = await scan(emulator, monkeypatch, config(account(), scan={"details": ["volumes", "tags"]}))
    assert not found.failures
    assert {volume.id: volume.tags for volume in found.volumes} == {
        volume.id: {"of": volume.id} for volume in made.accounts[1].gateways[0].volumes
    }
    assert (calls(emulator, "ListVolumes"), calls(emulator, "GetResources")) == (2, 2)


async def test_session_tags_go_with_every_role(monkeypatch: Patch) -> None:
    async with Emulator(fleet(gateway(1))) as emulator:
        tags = {"purpose": "audit", "team": "storage"}
        settings = config(account(), credentials={"session_tags": tags})
        found = await scan(emulator, monkeypatch, settings)
    assert not found.failures
    assert [session.tags for session in emulator.sessions.values()] == [tags]
