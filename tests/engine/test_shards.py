"""Shards of one scan: merged, they are what one machine would have found."""

import json
from typing import Any

import pytest

from scanner.config.select import select
from scanner.config.settings import ScannerConfig, Selection
from scanner.errors import MergeError
from scanner.inventory.model import Inventory
from scanner.inventory.records import FailureKind, Outcome, Shard
from scanner.service.errors import CallFailed
from scanner.service.protocol import TargetKey
from tests.engine.simulated import SimulatedService, config, denied, inventory_of
from tests.virtual import run

REGIONS = ("us-east-1", "eu-west-1")


def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
    """Two accounts that cannot be entered, and a gateway here and there that fails."""
    if operation == "open" and target.account_id.endswith("3"):
        return denied()
    if operation == "read" and key and target.account_id.endswith("5") and key.endswith("1"):
        return CallFailed.of(FailureKind.GATEWAY_UNREACHABLE, "not connected")
    return None


def scanned(shard: Shard | None = None, accounts: int = 12, **scan: Any) -> Inventory:
    settings = config(accounts, REGIONS, list_volumes="with_gateways", **scan)
    service = SimulatedService(gateways=2, volumes=2, regions=REGIONS, fault=fault)
    return run(inventory_of(select(settings, Selection(shard=shard)), service))[0]


def parts(count: int, **options: Any) -> list[Inventory]:
    return [scanned(Shard(index=index, count=count), **options) for index in range(1, count + 1)]


def content(whole: Inventory) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(whole.model_dump_json())
    del body["scan"], body["coverage"]["calls"]
    return body


@pytest.mark.parametrize("shard_by", ["account", "target"])
@pytest.mark.parametrize("count", [1, 2, 3, 8, 16])
def test_all_shards_merged_are_one_scan(count: int, shard_by: str) -> None:
    """Some shards are empty, and two accounts cannot be entered."""
    whole = Inventory.merge(parts(count, shard_by=shard_by))
    assert content(whole) == content(scanned())
    assert whole.scan.missing_shards == ()
    assert whole.scan.shard is None


def test_a_shard_says_which_one_it_is_and_an_empty_one_is_complete() -> None:
    every = parts(16, accounts=1)
    assert [part.scan.shard for part in every] == [Shard(index=n, count=16) for n in range(1, 17)]
    assert sorted(part.coverage.targets.planned for part in every) == [0] * 15 + [2]
    assert {part.scan.outcome for part in every} == {Outcome.COMPLETE}


def test_a_merge_that_lacks_shards_names_them_and_is_partial() -> None:
    one, _, three, _ = every = parts(4, accounts=2)
    some = Inventory.merge([one, three])
    assert some.scan.missing_shards == (2, 4)
    assert some.scan.outcome is Outcome.PARTIAL
    assert Inventory.merge([some, every[1]]).scan.missing_shards == (4,)
    assert Inventory.merge([every[3], some, every[1]]).scan.missing_shards == ()


def test_shards_of_two_cuts_are_not_merged() -> None:
    with pytest.raises(MergeError, match="2 and 3 shards"):
        Inventory.merge([parts(2)[0], parts(3)[1]])


def test_the_own_account_is_scanned_by_one_shard_whose_ever_it_is() -> None:
    """Which account it is, is known only once it is signed in to."""
    settings = ScannerConfig.model_validate({"scan": {"regions": ["us-east-1"], "list_volumes": "never"}})
    planned = 0
    for index in (1, 2, 3):
        part = select(settings, Selection(shard=Shard(index=index, count=3)))
        whole, _ = run(inventory_of(part, SimulatedService()))
        assert whole.scan.outcome is Outcome.COMPLETE
        planned += whole.coverage.targets.planned
    assert planned == 1
