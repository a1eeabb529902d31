"""Shards: each account, or each target, is scanned by one machine, whichever asks."""

from collections import Counter
from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.config.select import select
from scanner.config.settings import ScannerConfig, Selection
from scanner.config.shards import in_shard, parse_shard
from scanner.errors import ConfigError
from scanner.inventory.records import Shard

IDS = st.lists(st.integers(0, 10**12 - 1).map("{:012d}".format), unique=True, max_size=30)


def sharded(index: int, count: int, **scan: Any) -> ScannerConfig:
    config = ScannerConfig.model_validate({"scan": scan})
    return select(config, Selection(shard=Shard(index=index, count=count)))


@given(IDS, st.integers(1, 16))
def test_each_account_is_in_one_shard_by_the_documented_cut(ids: list[str], count: int) -> None:
    held = Counter(id for index in range(1, count + 1) for id in ids if sharded(index, count).holds(id))
    assert held == Counter(ids)
    for id in ids:
        cut = int.from_bytes(blake2b(id.encode(), digest_size=8).digest()) % count + 1
        assert sharded(cut, count).holds(id)


@given(IDS, st.integers(1, 8))
def test_where_targets_are_cut_each_is_in_one_shard_and_each_account_is_entered_by_all(
    ids: list[str], count: int
) -> None:
    shards = [sharded(index, count, shard_by="target") for index in range(1, count + 1)]
    for id in ids:
        assert all(shard.holds(id) for shard in shards)
        assert sum(shard.holds(id, "eu-west-1") for shard in shards) == 1


def test_sixteen_shards_of_two_thousand_accounts_are_even() -> None:
    sizes = Counter(
        index
        for number in range(2000)
        for index in range(1, 17)
        if in_shard(Shard(index=index, count=16), f"{111100000000 + number:012d}")
    )
    assert max(sizes.values()) <= 1.2 * 2000 / 16


@pytest.mark.parametrize(
    ("text", "environ", "shard"),
    [
        ("1/1", {}, (1, 1)),
        ("3/8", {}, (3, 8)),
        ("auto", {"AWS_BATCH_JOB_ARRAY_INDEX": "0", "AWS_BATCH_JOB_ARRAY_SIZE": "4"}, (1, 4)),
        ("auto", {"JOB_COMPLETION_INDEX": "7", "SGW_SCANNER_SHARDS": "8"}, (8, 8)),
    ],
)
def test_a_shard_is_counted_from_one(text: str, environ: dict[str, str], shard: tuple[int, int]) -> None:
    assert parse_shard(text, environ) == Shard(index=shard[0], count=shard[1])


@pytest.mark.parametrize(
    ("text", "environ", "said"),
    [
        ("0/4", {}, "no shard 0 of 4"),
        ("5/4", {}, "no shard 5 of 4"),
        ("x", {}, "write it like 1/8"),
        ("1/0", {}, "no shard 1 of 0"),
        ("-1/4", {}, "write it like 1/8"),
        ("auto", {}, "AWS_BATCH_JOB_ARRAY_INDEX"),
        ("auto", {"JOB_COMPLETION_INDEX": "0"}, "SGW_SCANNER_SHARDS"),
        ("auto", {"AWS_BATCH_JOB_ARRAY_INDEX": "x", "AWS_BATCH_JOB_ARRAY_SIZE": "4"}, "must be a number"),
        ("auto", {"AWS_BATCH_JOB_ARRAY_INDEX": "4", "AWS_BATCH_JOB_ARRAY_SIZE": "4"}, "no shard 5 of 4"),
    ],
)
def test_what_is_no_shard_is_told_with_its_remedy(text: str, environ: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_shard(text, environ)
