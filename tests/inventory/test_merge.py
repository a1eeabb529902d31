"""Parts merged line by line are what they are merged in memory, and what is no whole is refused by its name."""

import json
import random
from collections import Counter
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scanner.errors import ConfigError, MergeError
from scanner.inventory.consistency import unbalanced
from scanner.inventory.line_sorter import LineSorter
from scanner.inventory.merge import merge_parts
from scanner.inventory.model import Inventory
from scanner.inventory.records import (
    CallCounts,
    Failure,
    FailureKind,
    FailureScope,
    Gateway,
    GatewayStatus,
    Outcome,
    ScanInfo,
    Shard,
    SkipReason,
    Target,
    TargetStatus,
    VerdictStatus,
    coverage_of,
    is_excused,
    outcome_of,
)
from scanner.inventory.scan_id import new_scan_id
from scanner.output import FORMATS
from tests.output.fleet import HOSTILE, hostile, inventory, judged, remembering, verdict, written
from tests.strategies import ACCOUNTS, REGIONS, gateway, inventories, scan_info, volume

KEYS = [(account, region) for account in ACCOUNTS for region in REGIONS]


def merged(parts: list[Inventory], suffix: str = ".ndjson") -> Inventory:
    return merged_files(*(written(part, suffix) for part in parts), suffix=suffix)


def merged_files(*contents: bytes, suffix: str = ".ndjson") -> Inventory:
    """The whole; the files are called 1, 2, ..."""
    files = [(f"{number}{suffix}", BytesIO(content)) for number, content in enumerate(contents, 1)]
    with merge_parts(files) as whole:
        return whole.load()


@given(st.data(), st.sampled_from([".json", ".ndjson"]))
def test_merged_line_by_line_it_is_what_it_is_merged_in_memory(data: st.DataObject, suffix: str) -> None:
    keys = data.draw(st.permutations(KEYS))
    cuts = [keys[:4], keys[4:7], keys[7:9]]
    parts = [data.draw(inventories(cut, f"scan-{number}")) for number, cut in enumerate(cuts)]
    assert merged(parts, suffix) == Inventory.merge(parts)


@given(inventories(), st.randoms())
def test_lines_come_in_any_order_as_a_scan_writes_them(whole: Inventory, chance: random.Random) -> None:
    lines = written(whole, ".ndjson").splitlines(keepends=True)
    chance.shuffle(lines)
    assert merged_files(b"".join(lines)) == whole


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_text_stands_in_a_part_comes_through(text: str) -> None:
    part = changed(hostile(text))
    assert merged([part]) == Inventory.merge([part])


def test_a_document_of_any_layout_is_read() -> None:
    whole = inventory(whole=False)
    document = json.loads(written(whole, ".json"))
    spread = json.dumps(dict(reversed(document.items())) | {"later": [{}, 1.5]}, indent=4, ensure_ascii=False)
    assert merged_files(b"\xef\xbb\xbf" + spread.encode(), suffix=".json") == whole


@pytest.mark.parametrize("suffix", [*FORMATS, ".targets.csv", ".gateways.csv", ".failures.csv"])
def test_every_format_of_a_merge_is_that_of_the_inventory(suffix: str) -> None:
    """Also with what only earlier scans knew, and a volume that ListVolumes knows in two forms."""
    other = judged(*(verdict(status, 4) for status in VerdictStatus if status != "unrated"), account="9" * 12)
    parts = [remembering(inventory(whole=False)), other]
    with merge_parts((f"{part.scan.id}.json", BytesIO(written(part, ".json"))) for part in parts) as whole:
        assert written(whole, suffix) == written(Inventory.merge(parts), suffix)


def test_of_a_volume_that_was_moved_the_later_line_stands() -> None:
    lines = written(inventory(), ".ndjson").splitlines(keepends=True)
    number = next(n for n, line in enumerate(lines) if b'"record":"volume"' in line)
    moved = json.dumps(json.loads(lines[number]) | {"usage_bytes": 1}).encode() + b"\n"
    assert merged_files(b"".join([moved, *lines])) == inventory()


def changed(whole: Inventory, **lists: Any) -> Inventory:
    """With other records, all of which its coverage counts."""
    made = whole.model_copy(update={name: tuple(records) for name, records in lists.items()})
    coverage = coverage_of(
        Counter(target.status for target in made.targets),
        sum(target.gateways for target in made.targets),
        Counter(one.status for one in made.gateways),
        Counter(one.verdict.status for one in made.volumes),
        sum(is_excused(one.verdict) for one in made.volumes),
        CallCounts(),
    )
    scan = made.scan.model_copy(update={"outcome": outcome_of(coverage.targets)})
    return made.model_copy(update={"coverage": coverage, "scan": scan})


@given(st.data())
def test_what_the_model_refuses_no_merge_makes(data: st.DataObject) -> None:
    """One record is lost, doubled or altered, and everything else, the counts included, speaks for it."""
    whole = data.draw(inventories())
    name = data.draw(st.sampled_from(["targets", "gateways", "volumes", "failures"]))
    records = list(getattr(whole, name))
    if not records:
        return
    number = data.draw(st.integers(0, len(records) - 1))
    other = data.draw(st.sampled_from(records))
    changes: dict[str, list[dict[str, Any]]] = {
        "targets": [
            {"status": TargetStatus.COMPLETE, "reason": None},
            {"status": TargetStatus.FAILED},
            {"reason": SkipReason.EXCLUDED},
            {"gateways": records[number].gateways + 1} if name == "targets" else {},
            {"volumes": records[number].volumes + 1} if name == "targets" else {},
            {"region": "eu-west-3"},
        ],
        "gateways": [{"status": GatewayStatus.FAILED}, {"arn": other.arn} if name == "gateways" else {}],
        "volumes": [
            {"gateway_arn": None},
            {"gateway_arn": "arn:aws:storagegateway:eu-west-3:000000000001:gateway/sgw-1"},
            {"verdict": verdict(VerdictStatus.UNKNOWN), "gateway_arn": None},
        ],
        "failures": [
            {"region": "eu-west-3"},
            {"waived": "known"},
            {"kind": FailureKind.INVALID_RESPONSE},
            {"scope": FailureScope.ACCOUNT},
        ],
    }
    kind = data.draw(st.sampled_from(["lose", "double", *range(len(changes[name]))]))
    if kind == "lose":
        del records[number]
    elif kind == "double":
        records.append(records[number])
    else:
        records[number] = records[number].model_copy(update=changes[name][int(kind)])
    try:
        made = changed(whole, **{name: records})
    except ValidationError:
        # More gateways than its targets count: no coverage can say so.
        return
    if not any(unbalanced(made)):
        assert merged([made]) == Inventory.merge([made])
        return
    with pytest.raises((MergeError, ConfigError)):
        merged([made])


def test_a_broken_entry_of_one_target_makes_up_for_no_gateway_of_another() -> None:
    one, two = (gateway(ACCOUNTS[0], "us-east-1", number, GatewayStatus.SCANNED) for number in (1, 2))
    here = Target(account_id=ACCOUNTS[0], region="us-east-1", status=TargetStatus.COMPLETE, gateways=2)
    there = Target(account_id=ACCOUNTS[1], region="us-east-1", status=TargetStatus.PARTIAL, gateways=1)
    broken = Failure(
        scope=FailureScope.TARGET,
        account_id=ACCOUNTS[1],
        region="us-east-1",
        operation="ListGateways",
        kind=FailureKind.INVALID_RESPONSE,
        message="no ARN",
    )
    part = Inventory.build(scan_info(), CallCounts(), [here, there], [one, two], [], [broken])
    assert merged([part]) == Inventory.merge([part])
    with pytest.raises(MergeError, match="count other gateways"):
        merged([changed(part, gateways=[one])])


def test_two_parts_that_claim_one_target_are_named() -> None:
    with pytest.raises(MergeError, match=r"000000000001 in eu-west-1, 1\.ndjson and 2\.ndjson; merge only"):
        merged([inventory(), inventory()])


@pytest.mark.parametrize("order", [1, -1])
def test_an_account_whose_regions_no_part_knows_counts_once_and_a_failure_stands(order: int) -> None:
    """Whichever part is named first; and a walk through an organization that failed in two shards."""
    failed = Target(account_id=ACCOUNTS[0], region="*", status=TargetStatus.FAILED)
    skipped = failed.model_copy(update={"status": TargetStatus.SKIPPED, "reason": SkipReason.EXCLUDED})
    walk = Target(account_id="*", region="*", status=TargetStatus.FAILED)
    no_account, no_walk = (
        Failure(
            scope=FailureScope.ACCOUNT,
            account_id=target.account_id,
            operation="AssumeRole",
            kind=FailureKind.ACCESS_DENIED,
            message="no",
        )
        for target in (failed, walk)
    )
    one = Inventory.build(scan_info(), CallCounts(), [failed, walk], [], [], [no_account, no_walk])
    other = Inventory.build(scan_info(), CallCounts(), [skipped, walk], [], [], [no_walk])
    whole = merged([one, other][::order])
    assert whole == Inventory.merge([one, other])
    assert [target.status for target in whole.targets] == [TargetStatus.FAILED] * 2
    assert len(whole.failures) == 2


def shard(index: int, count: int, scan_id: str) -> Inventory:
    scan = ScanInfo.model_validate(
        scan_info(scan_id).model_dump()
        | {"shard": Shard(index=index, count=count), "outcome": Outcome.COMPLETE}
    )
    target = Target(account_id=ACCOUNTS[index], region="us-east-1", status=TargetStatus.COMPLETE)
    return Inventory.build(scan, CallCounts(), [target], [], [], [])


def test_shards_that_are_missing_are_named() -> None:
    whole = merged([shard(1, 3, "scan-1"), shard(3, 3, "scan-1")])
    assert whole.scan.missing_shards == (2,)
    assert whole.scan.outcome is Outcome.PARTIAL


def test_parts_of_different_scans_or_cuts_are_refused() -> None:
    """Without `--scan-id` each shard makes up an id of its own: these may be of one scan."""
    one, other = new_scan_id(), new_scan_id()
    merged([shard(1, 2, one), shard(2, 2, other)])
    with pytest.raises(MergeError, match="shards of different scans, monday and tuesday"):
        merged([shard(1, 2, "monday"), shard(2, 2, "tuesday")])
    with pytest.raises(MergeError, match="shards of different scans"):
        merged([shard(1, 3, one), shard(2, 3, one), shard(3, 3, other)])
    with pytest.raises(MergeError, match="cut into 2 and 3 shards"):
        merged([shard(1, 2, "monday"), shard(2, 3, "monday")])


LINES = written(inventory(), ".ndjson")
DOCUMENT = written(inventory(), ".json")


@pytest.mark.parametrize(
    "content, suffix, told",
    [
        (LINES[:-30], ".ndjson", r"2\.ndjson: line \d+: is no JSON, and the file ends in it: it was cut off"),
        (LINES[: LINES.rindex(b"{")], ".ndjson", r"2\.ndjson: is not one whole scan"),
        (LINES.split(b"\n", 1)[1], ".ndjson", r"2\.ndjson: lacks records that its coverage counts"),
        (b"[]\n", ".ndjson", r"2\.ndjson: line 1: names no kind"),
        (b"", ".ndjson", r"2\.ndjson: is not one whole scan"),
        (DOCUMENT[:-20], ".json", r"2\.json: is no inventory"),
        (DOCUMENT + b"{", ".json", r"2\.json: is no inventory: something follows its end"),
        (b"{}", ".json", r"2\.json: is not one whole scan"),
        (b"[]", ".json", r"2\.json: is no inventory: \{ is missing"),
        (b"", ".json", r"2\.json: is no inventory: it ends too early"),
        (b'{"targets":[{"region":7}]}', ".json", r"2\.json: is no inventory: account_id: Field required"),
        (LINES.replace(b"gateway 0", b"x" * 70_000), ".ndjson", r"2\.ndjson: .* a text of more than 32 KiB"),
        (DOCUMENT.replace(b"gateway 0", b"x" * 70_000), ".json", r"2\.json: .* a text of more than 32 KiB"),
        (DOCUMENT.replace(b'"1"', b'"9"', 1), ".json", r"2\.json: schema_version \"9\" is not '1'"),
    ],
)
def test_a_part_that_is_no_whole_inventory_is_named(content: bytes, suffix: str, told: str) -> None:
    other = shard(1, 1, "scan-1").model_copy(update={"scan": scan_info()})
    with pytest.raises(ConfigError, match=told):
        merged_files(written(other, suffix), content, suffix=suffix)


def test_a_merge_of_nothing_says_so() -> None:
    with pytest.raises(MergeError, match="no inventory to merge"):
        merged([])


@given(st.lists(st.binary().map(lambda text: text.replace(b"\n", b""))))
def test_more_lines_than_memory_holds_are_sorted(lines: list[bytes]) -> None:
    with LineSorter(run_bytes=100) as sorter:
        for line in lines:
            sorter.add(line)
        assert list(sorter.sorted()) == sorted(lines)


def test_many_runs_are_merged_before_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.inventory.line_sorter.MOST_RUNS", 3)
    monkeypatch.setattr("scanner.inventory.line_sorter.BLOCK", 7)
    lines = [f"{number * 37 % 1000:04d}".encode() for number in range(1000)]
    with LineSorter(run_bytes=2000) as sorter:
        for line in lines:
            sorter.add(line)
        assert list(sorter.sorted()) == sorted(lines)


def test_records_in_files_are_read_again_and_again() -> None:
    with merge_parts([("1.ndjson", BytesIO(LINES))]) as whole:
        assert list(whole.volumes) == list(whole.volumes) == list(inventory().volumes)
        assert {type(one) for one in whole.gateways} == {Gateway}


def test_an_unknown_volume_may_lack_its_gateway_only_where_not_all_was_read() -> None:
    lost = volume(gateway(ACCOUNTS[0], "us-east-1", 7, GatewayStatus.SCANNED), 1).model_copy(
        update={"verdict": verdict(VerdictStatus.UNKNOWN)}
    )
    target = Target(account_id=ACCOUNTS[0], region="us-east-1", status=TargetStatus.COMPLETE, volumes=1)
    with pytest.raises(MergeError, match="has no gateway"):
        merged([changed(inventory(), targets=[target], gateways=[], volumes=[lost])])
