"""Who signs for which account, over the whole life of a Scanner: never another account, and never for longer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scanner import Inventory, Scanner
from scanner.aws.storage_gateway import AwsService
from scanner.config.settings import AccountSettings
from scanner.emulator import Account, Bucket, Emulator, Fault, Fleet, Key, Role
from scanner.inventory.events import TargetPlanned
from scanner.inventory.records import FailureKind, GatewayStatus, Outcome, SkipReason, TargetStatus
from scanner.service.protocol import SignIn

from .scans import HUB, PROD, REGION, account, calls, config, environment, fleet, gateway, shown

ONE, OTHER = "111111111111", "222222222222"
KEYS = {
    ONE: Key("AKIAONEONEONEONEONE1", "secret-of-one-secret-of-one"),
    OTHER: Key("AKIAOTHEROTHEROTHER2", "secret-of-other-secret-of-other"),
}
Patch = pytest.MonkeyPatch
Hold = Callable[[Key], None]


@pytest.fixture
def hold(tmp_path: Path, monkeypatch: Patch) -> Hold:
    """Writes a key into the file that the base identity is read from."""
    file = tmp_path / "credentials"

    def write(key: Key) -> None:
        file.write_text(f"[default]\naws_access_key_id={key.id}\naws_secret_access_key={key.secret}\n")

    def use(key: Key) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
        write(key)

    return use


def two_accounts(**more: object) -> Fleet:
    regions = (REGION, "eu-west-1")
    return Fleet(
        [
            Account(ONE, "one", regions, [gateway(1), gateway(2, "eu-west-1")], keys=[KEYS[ONE]]),
            Account(OTHER, "other", regions, [], keys=[KEYS[OTHER]]),
        ],
        **more,  # type: ignore[arg-type]
    )


async def test_credentials_that_come_to_be_anothers_sign_nothing_for_the_account_that_was_planned(
    monkeypatch: Patch, hold: Hold
) -> None:
    """Asked as another account the Region would be complete and empty."""
    made = two_accounts()
    made.faults = [Fault("expired_token", operation="ListGateways", account=ONE, region="eu-west-1", times=1)]
    async with Emulator(made) as emulator:
        environment(emulator, monkeypatch)
        hold(KEYS[ONE])
        async with Scanner(config(scan={"regions": [REGION, "eu-west-1"]})) as scanner:
            found = []
            async with scanner.stream() as events:
                async for event in events:
                    found.append(event)
                    if isinstance(event, TargetPlanned):
                        hold(KEYS[OTHER])
        assert calls(emulator, "ListGateways", OTHER) == 0
    kinds = {event.failure.kind for event in found if hasattr(event, "failure")}
    assert kinds == {FailureKind.WRONG_ACCOUNT}


async def test_a_later_scan_may_be_of_the_account_that_the_credentials_are_of_by_then(
    monkeypatch: Patch, hold: Hold
) -> None:
    async with Emulator(two_accounts()) as emulator:
        environment(emulator, monkeypatch)
        hold(KEYS[ONE])
        async with Scanner(config()) as scanner:
            first = await scanner.scan()
            hold(KEYS[OTHER])
            emulator.fleet.accounts[0].keys.clear()
            emulator.refresh()
            between = await scanner.scan()
            later = await scanner.scan()
    assert [target.account_id for target in first.targets] == [ONE]
    assert {failure.kind for failure in between.failures} == {FailureKind.WRONG_ACCOUNT}
    assert [target.account_id for target in later.targets] == [OTHER]
    assert not first.failures
    assert not later.failures


@pytest.mark.parametrize("role", [True, False])
async def test_keys_that_were_exchanged_are_read_anew(monkeypatch: Patch, hold: Hold, role: bool) -> None:
    """A Scanner that lives for weeks must not fail for good when the keys in a file are rotated."""
    new = Key("AKIANEWNEWNEWNEWNEW2", "newsecret-newsecret")
    hub = Account(HUB, "hub", (REGION,), [gateway(1)], keys=[KEYS[ONE]])
    made = Fleet([hub, Account(PROD, "prod", (REGION,), [gateway(2)], [Role("scan", trust=(HUB,))])])
    async with Emulator(made) as emulator:
        environment(emulator, monkeypatch)
        hold(KEYS[ONE])
        async with Scanner(config(*([account()] if role else []))) as scanner:
            first = await scanner.scan()
            hub.keys[:] = [new]
            emulator.refresh()
            hold(new)
            for session in emulator.sessions.values():
                session.expires_at = emulator.now() - 1
            later = await scanner.scan()
    assert first.scan.outcome is later.scan.outcome is Outcome.COMPLETE, later.failures


async def test_keys_that_are_worth_nothing_are_told_after_one_more_look(
    monkeypatch: Patch, hold: Hold
) -> None:
    async with Emulator(two_accounts()) as emulator:
        environment(emulator, monkeypatch)
        hold(Key("AKIAGONEGONEGONEGONE", "gone-gone-gone-gone"))
        async with Scanner(config()) as scanner:
            found = await scanner.scan()
        assert calls(emulator, "GetCallerIdentity") == 2
    (failure,) = found.failures
    assert failure.kind is FailureKind.CREDENTIALS
    assert failure.remedy


async def test_a_region_enabled_since_the_last_scan_is_not_skipped_by_what_was_heard_then(
    monkeypatch: Patch,
) -> None:
    made = fleet(gateway(1), gateway(2, "ap-southeast-2"))
    made.accounts[1].regions = (REGION,)
    settings = config(account(), scan={"regions": [REGION, "ap-southeast-2"]})
    async with Emulator(made) as emulator:
        environment(emulator, monkeypatch)
        async with Scanner(settings) as scanner:
            first = await scanner.scan()
            made.accounts[1].regions = (REGION, "ap-southeast-2")
            emulator.refresh()
            later = await scanner.scan()
    assert [target.reason for target in first.targets] == [SkipReason.NOT_ENABLED, None]
    assert [target.status for target in later.targets] == [TargetStatus.COMPLETE] * 2


async def test_sessions_that_end_together_are_renewed_at_the_rate_that_sts_admits(monkeypatch: Patch) -> None:
    """No account is lost, and what STS throttles is not counted as Storage Gateway's."""
    ids = [f"{number:012d}" for number in range(200, 220)]
    roles = [Role("scan", trust=(HUB,))]
    made = Fleet(
        [Account(HUB, "hub", (REGION,)), *(Account(id, id, (REGION,), [gateway(1)], roles) for id in ids)],
        throttle=[Bucket(50, 20, service="sts")],
        faults=[Fault("expired_token", operation="ListGateways", account=id, times=1) for id in ids],
    )
    async with Emulator(made) as emulator:
        environment(emulator, monkeypatch)
        settings = config(*({"id": id, "role": "scan"} for id in ids), retry={"max_attempts": 8})
        async with Scanner(settings) as scanner:
            found = await scanner.scan()
    assert found.scan.outcome is Outcome.COMPLETE, found.failures
    assert found.coverage.calls.throttled == 0


async def test_a_hub_whose_sts_is_busy_is_waited_for(monkeypatch: Patch) -> None:
    hub_role = f"arn:aws:iam::{HUB}:role/hub"
    ids = [f"{number:012d}" for number in range(200, 203)]
    made = Fleet(
        [
            Account(HUB, "hub", (REGION,), roles=[Role("hub", trust=(HUB,))]),
            *(Account(id, id, (REGION,), [gateway(1)], [Role("scan", trust=(HUB,))]) for id in ids),
        ],
        faults=[Fault("throttle", service="sts", operation="AssumeRole", gateway=hub_role, times=6)],
    )
    async with Emulator(made) as emulator:
        environment(emulator, monkeypatch)
        accounts = [{"id": id, "role": "scan", "via": hub_role} for id in ids]
        async with Scanner(config(*accounts, retry={"max_attempts": 8, "base_delay": "1ms"})) as scanner:
            found = await scanner.scan()
        assert calls(emulator, "AssumeRole", HUB) >= 7
    assert found.scan.outcome is Outcome.COMPLETE, found.failures


async def test_the_wrong_clock_of_one_region_costs_the_others_nothing(monkeypatch: Patch) -> None:
    regions = (REGION, "eu-west-1")
    gateways = [gateway(n) for n in range(1, 21)] + [gateway(n, "eu-west-1") for n in range(21, 41)]
    made = Fleet([Account(ONE, "one", regions, gateways)])
    made.faults = [
        Fault("wrong_clock", region="eu-west-1", operation="ListVolumeRecoveryPoints", seconds=3600)
    ]
    async with Emulator(made) as emulator:
        environment(emulator, monkeypatch)
        async with Scanner(config(scan={"regions": list(regions)})) as scanner:
            found: Inventory = await scanner.scan()
    failed = {each.region for each in found.gateways if each.status is GatewayStatus.FAILED}
    assert REGION not in failed


async def test_a_profiles_own_region_is_asked_who_it_is(monkeypatch: Patch, tmp_path: Path) -> None:
    """The base's Region may be one that the profile's account has not enabled."""
    made = Fleet(
        [
            Account(HUB, "hub", (REGION, "me-south-1"), [gateway(1)]),
            Account(OTHER, "other", (REGION,), [gateway(2)], keys=[KEYS[OTHER]]),
        ]
    )
    async with Emulator(made) as emulator:
        environment(emulator, monkeypatch)
        (tmp_path / "config").write_text("[default]\nregion=me-south-1\n[profile other]\nregion=us-east-1\n")
        key = KEYS[OTHER]
        (tmp_path / "keys").write_text(
            f"[other]\naws_access_key_id={key.id}\naws_secret_access_key={key.secret}\n"
        )
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))
        monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
        async with Scanner(config({"id": OTHER, "profile": "other"})) as scanner:
            found = await scanner.scan()
    assert found.scan.outcome is Outcome.COMPLETE, [shown(failure) for failure in found.failures]


@pytest.mark.parametrize("role", [True, False])
async def test_an_account_that_is_renamed_is_signed_in_still(monkeypatch: Patch, role: bool) -> None:
    """Its name, its Regions and its RPO decide nothing of who one is in it; its external id does."""
    async with Emulator(fleet()) as emulator:
        environment(emulator, monkeypatch)
        async with AwsService(config(), "test") as service:

            def steps(**more: Any) -> tuple[SignIn, ...]:
                way = {"role": "scan"} if role else {}
                id = PROD if role else HUB
                return service.sign_in_steps(AccountSettings.model_validate({"id": id, **way, **more}))

            for step in steps(name="before"):
                await service.sign_in(step)
            later = steps(name="after", regions=[REGION], rpo="1h")
            assert all(service.signed_in(step) for step in later)
            assert later[-1].account
            assert later[-1].account.name == "after"
            if role:
                assert not service.signed_in(steps(external_id="another-one")[-1])


@pytest.mark.parametrize("mode", ["adaptive", "standard", "legacy"])
async def test_the_sdks_retry_mode_decides_nothing(monkeypatch: Patch, mode: str) -> None:
    """In adaptive mode the SDK would slow down every account for one that is throttled."""
    made = fleet(gateway(1), faults=[Fault("throttle", operation="ListGateways", times=2)])
    async with Emulator(made) as emulator:
        environment(emulator, monkeypatch)
        monkeypatch.setenv("AWS_RETRY_MODE", mode)
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "9")
        async with Scanner(config(account(), retry={"max_attempts": 2})) as scanner:
            found = await scanner.scan()
        assert calls(emulator, "ListGateways") == 2
    assert [failure.kind for failure in found.failures] == [FailureKind.THROTTLED]
