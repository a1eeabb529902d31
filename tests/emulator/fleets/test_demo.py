from __future__ import annotations

from datetime import timedelta

from scanner.emulator import Fleet, Gateway, Volume
from scanner.emulator.fleets import TYPES

DAY = timedelta(days=1)


def gateways(fleet: Fleet) -> list[Gateway]:
    return [gateway for account in fleet.accounts for gateway in account.gateways]


def seen(fleet: Fleet) -> list[Volume]:
    """The volumes that a scan can read: of cached gateways that answer, in accounts that let one in."""
    hub = fleet.accounts[0].id
    return [
        volume
        for account in fleet.accounts
        if hub in account.roles[0].trust
        for gateway in account.gateways
        if gateway.type == "CACHED" and gateway.error is None
        for volume in gateway.volumes
    ]


def test_every_demo_shows_the_same() -> None:
    assert Fleet.demo() == Fleet.demo()


def test_the_demo_has_something_of_everything() -> None:
    fleet = Fleet.demo()
    assert {gateway.type for gateway in gateways(fleet)} == set(TYPES)
    assert len({gateway.region for gateway in gateways(fleet)}) == 4
    assert len(fleet.accounts) == 5
    assert all(account.name for account in fleet.accounts)
    assert 50 <= len(seen(fleet)) <= 60


def test_the_demo_has_breaches_risks_and_one_volume_without_a_point() -> None:
    ages = [volume.recovery_point for volume in seen(Fleet.demo())]
    assert ages.count(None) == 1
    known = [age for age in ages if isinstance(age, timedelta)]
    assert len(known) == len(ages) - 1
    assert len([age for age in known if age > DAY]) == 4
    assert len([age for age in known if 0.8 * DAY < age <= DAY]) == 2


def test_the_demo_has_an_account_a_gateway_and_a_target_in_trouble() -> None:
    fleet = Fleet.demo()
    hub = fleet.accounts[0].id
    assert [account.name for account in fleet.accounts if hub not in account.roles[0].trust] == ["lab"]
    assert [gateway.name for gateway in gateways(fleet) if gateway.error] == ["branch-office-7"]
    (limit,) = fleet.throttle
    staging = fleet.account(limit.accounts[0])
    slow = [gateway for gateway in staging.gateways if gateway.region in limit.regions]
    assert len(slow) > limit.burst


def test_the_demo_has_one_volume_that_no_gateway_holds() -> None:
    fleet = Fleet.demo()
    (detached,) = [volume for account in fleet.accounts for volume in account.detached_volumes]
    assert detached.attachment_status == "DETACHED"
    assert detached.gateway not in {gateway.id for gateway in gateways(fleet)}
