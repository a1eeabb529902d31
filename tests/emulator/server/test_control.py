"""What a running emulator tells about the calls that it got, here and over its port."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from scanner.emulator import Account, Bucket, Emulator, Fault, Fleet, Gateway, Remote, Role

from ..clients import client, in_thread
from ..wire import send

HUB, PROD = "111111111111", "222222222222"


def fleet() -> Fleet:
    gateway = Gateway("sgw-12A3456B", "us-east-1")
    return Fleet([Account(HUB), Account(PROD, gateways=[gateway], roles=[Role("reader")])])


async def test_what_is_told_over_the_port_is_what_the_emulator_knows() -> None:
    served = fleet()
    served.throttle = [Bucket(0, 2, operations=["ListGateways"])]
    served.faults = [Fault("access_denied", operation="ListVolumes")]
    async with Emulator(served, log_size=9) as emulator:

        def use() -> None:
            api = client(emulator, "storagegateway")
            stranger = client(emulator, "storagegateway", aws_secret_access_key="wrong")
            api.list_gateways()
            api.list_gateways()
            for method, words in (
                (api.list_gateways, "ThrottlingException"),
                (api.list_volumes, "AccessDeniedException"),
                (stranger.list_gateways, "signature we calculated"),
            ):
                with pytest.raises(ClientError, match=words):
                    method()

        await in_thread(use)
        remote = Remote(emulator.url)
        told = await in_thread(remote.stats)
        assert told == emulator.stats()
        assert told["total"] == 5
        assert (told["mismatches"], told["throttled"], told["faults"]) == (1, 1, {"access_denied": 1})
        assert {
            "service": "storagegateway",
            "operation": "ListGateways",
            "account_id": HUB,
            "region": "us-east-1",
            "count": 4,
        } in told["calls"]
        await in_thread(remote.reset)
        assert await in_thread(remote.stats) == {
            "total": 0,
            "mismatches": 0,
            "throttled": 0,
            "faults": {},
            "calls": [],
        }
        assert not emulator.log


async def test_faults_can_be_put_in_force_over_the_port() -> None:
    async with Emulator(fleet()) as emulator:

        def use() -> None:
            remote, api = Remote(emulator.url), client(emulator, "storagegateway")
            remote.add_fault("throttle", code="SlowDown", operation="ListGateways")
            with pytest.raises(ClientError, match="SlowDown"):
                api.list_gateways()
            remote.clear_faults()
            api.list_gateways()
            for kind, rule in (("earthquake", {}), ("throttle", {"colour": "red"})):
                with pytest.raises(ValueError, match=r"no such fault: .*(earthquake|colour)"):
                    remote.add_fault(kind, **rule)

        await in_thread(use)
        assert emulator.requests.total() == 2


async def test_nothing_else_answers_beside_the_services() -> None:
    async with Emulator(fleet()) as emulator:
        other = Remote(emulator.url + "/_emulator")
        with pytest.raises(ValueError, match="nothing answers to GET /_emulator/_emulator/stats"):
            await in_thread(other.stats)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "the body is no JSON"),
        (b"{", "the body is no JSON"),
        (b"[" * 100_000, "the body is no JSON"),
        (b"null", "must be a table"),
        (b"[]", "must be a table"),
        (b"{}", "kind: is missing"),
        (b'{"kind": "mutate", "change": "x"}', "change: no such key"),
        (b'{"kind": "slow", "seconds": "x"}', "seconds: must be a number of seconds, not 'x'"),
        (b'{"kind": "slow", "seconds": 1e999}', "seconds: must be a number of seconds, not inf"),
        (b'{"kind": "error", "status": 7}', "status: must be an HTTP status, not 7"),
        (b'{"kind": "error", "code": 7}', "code: must be text, not 7"),
        (b'{"kind": "throttle", "probability": 2}', "probability: must be a number between 0 and 1, not 2"),
        (b'{"kind": "mutate", "patch": []}', "patch: must be a table"),
    ],
)
async def test_a_rule_that_makes_no_sense_is_refused_at_once(body: bytes, problem: str) -> None:
    async with Emulator(fleet()) as emulator:
        address = f"{emulator.url}/_emulator/faults"
        status, text = await send(address, {"Content-Type": "application/json"}, body)
        assert status == 400
        assert problem in json.loads(text)["message"]
        assert len((await in_thread(client(emulator, "storagegateway").list_gateways))["Gateways"]) == 0


async def test_a_patch_whose_path_leads_nowhere_changes_nothing() -> None:
    async with Emulator(fleet()) as emulator:
        rule = {"patch": {"Gateways.x": 1, "Gateways.-1": 1, "Nothing.x.y": 1}, "remove": ["Gateways.x"]}
        await in_thread(lambda: Remote(emulator.url).add_fault("mutate", **rule))
        assert (await in_thread(client(emulator, "storagegateway").list_gateways))["Gateways"] == []


async def test_markers_that_only_look_endless_do_no_harm() -> None:
    async with Emulator(fleet()) as emulator:
        emulator.faults.add(Fault("endless_markers"))
        api = client(emulator, "storagegateway")
        answer = await in_thread(lambda: api.list_gateways(Marker="endless-x"))
    assert answer["Marker"] == "endless-1"
