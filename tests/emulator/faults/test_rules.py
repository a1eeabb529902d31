from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
)

from scanner.emulator import Emulator, Fault, Fleet
from scanner.emulator.faults import KINDS, bodies, errors, records
from scanner.emulator.fleets.faults import CONNECTION_KINDS, RESPONSE_KINDS

from ..clients import client, in_thread
from .fleets import error_of, fleet


async def test_a_rule_hits_only_the_calls_that_it_names() -> None:
    served = fleet()
    first, second = (served.accounts[0].arn_of(gateway) for gateway in served.accounts[0].gateways[:2])
    rules = [
        Fault("vanished", gateway=first.rpartition("/")[2], times=1),
        Fault("vanished", account="9*"),
        Fault("vanished", region="eu-*"),
        Fault("throttle", operation="ListVol*", from_nth=3, times=1, each=True),
    ]
    async with Emulator(served) as emulator:
        for rule in rules:
            emulator.faults.add(rule)

        def use() -> None:
            api = client(emulator, "storagegateway")
            api.list_gateways()
            assert error_of(api, "list_volume_recovery_points", GatewayARN=first)["error"]["errorCode"]
            for arn in (first, second):
                hits = 0
                for _ in range(5):
                    try:
                        api.list_volume_recovery_points(GatewayARN=arn)
                    except ClientError:
                        hits += 1
                assert hits == 1
            emulator.faults.clear()
            api.list_volume_recovery_points(GatewayARN=first)

        await in_thread(use)
        assert emulator.faults.hits == {"vanished": 1, "throttle": 2}


async def test_the_same_seed_hits_the_same_calls() -> None:
    def struck(emulator: Emulator) -> list[bool]:
        api = client(emulator, "storagegateway")
        found = []
        for _ in range(20):
            try:
                api.list_gateways()
                found.append(False)
            except ClientError:
                found.append(True)
        return found

    runs = []
    for seed in (1, 1, 2):
        async with Emulator(fleet(Fault("throttle", probability=0.5, seed=seed))) as emulator:
            runs.append(await in_thread(lambda emulator=emulator: struck(emulator)))  # type: ignore[misc]
    assert runs[0] == runs[1] != runs[2]
    assert 0 < sum(runs[0]) < 20


async def test_the_same_seed_hits_the_same_gateways_in_whatever_order_they_are_asked() -> None:
    served = Fleet.generate(1, ["us-east-1"], gateways_per_target=16, types={"CACHED": 1})
    served.faults = [Fault("throttle", operation="ListVolume*", probability=0.5, seed=4)]
    arns = [served.accounts[0].arn_of(gateway) for gateway in served.accounts[0].gateways]

    def struck(emulator: Emulator, order: list[str]) -> set[str]:
        api, found = client(emulator, "storagegateway"), set()
        for arn in order:
            try:
                api.list_volume_recovery_points(GatewayARN=arn)
            except ClientError:
                found.add(arn)
        return found

    hits = []
    for order in (arns, arns[::-1]):
        async with Emulator(served) as emulator:
            hits.append(await in_thread(lambda emulator=emulator, order=order: struck(emulator, order)))  # type: ignore[misc]
    assert hits[0] == hits[1]
    assert 0 < len(hits[0]) < 16


def test_an_unknown_kind_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match="there are throttle, error"):
        Fault("earthquake")
    assert len(set(KINDS)) == len(KINDS)


def test_every_kind_has_an_answer_of_its_own() -> None:
    """A kind that a fleet may name and nothing performs would answer as if nothing were wrong."""
    performed = [*bodies.KINDS, *errors.KINDS, *records.KINDS]
    assert sorted(performed) == sorted(RESPONSE_KINDS)
    assert set(KINDS) == {*RESPONSE_KINDS, *CONNECTION_KINDS}
