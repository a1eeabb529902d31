"""What an inventory promises: balanced books, a stable order, and a lossless way to JSON and back."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scanner.errors import MergeError
from scanner.inventory.model import Inventory
from scanner.inventory.records import (
    CallCounts,
    Failure,
    FailureKind,
    FailureScope,
    GatewayStatus,
    Outcome,
    ScanInfo,
    SkipReason,
    Target,
    TargetStatus,
    Verdict,
)
from tests.strategies import ACCOUNTS, REGIONS, failure_of, gateway, inventories, scan_info, volume

EVERY_TARGET = [(account, region) for account in ACCOUNTS for region in REGIONS]


@given(inventories())
def test_parsing_an_inventory_back_gives_an_equal_object(inventory: Inventory) -> None:
    assert Inventory.model_validate_json(inventory.model_dump_json()) == inventory


def test_an_inventory_shows_what_it_holds_in_one_line() -> None:
    target = Target(account_id=ACCOUNTS[0], region=REGIONS[0], status=TargetStatus.COMPLETE)
    inventory = Inventory.build(scan_info(), CallCounts(attempted=1), [target], [], [], [])
    assert str(inventory) == repr(inventory)
    assert repr(inventory) == (
        f"<Inventory {inventory.scan.id} complete: 1 targets, 0 gateways, 0 volumes, 0 failures>"
    )


@given(inventories(), st.data())
def test_no_count_can_be_changed_without_the_inventory_refusing_to_exist(
    inventory: Inventory, data: st.DataObject
) -> None:
    body: dict[str, Any] = json.loads(inventory.model_dump_json())
    table, key = data.draw(
        st.sampled_from(
            [(name, key) for name in ("targets", "gateways", "volumes") for key in body["coverage"][name]]
        )
    )
    counts = body["coverage"][table]
    counts[key] += data.draw(st.integers(1, 5))
    with pytest.raises(ValidationError):
        Inventory.model_validate(body)


@given(inventories(), st.data())
def test_no_record_can_be_lost_without_the_inventory_refusing_to_exist(
    inventory: Inventory, data: st.DataObject
) -> None:
    body: dict[str, Any] = json.loads(inventory.model_dump_json())
    rows = [(name, i) for name in ("targets", "gateways", "volumes") for i in range(len(body[name]))]
    if rows:
        name, index = data.draw(st.sampled_from(rows))
        del body[name][index]
        with pytest.raises(ValidationError):
            Inventory.model_validate(body)


@given(inventories())
def test_what_failed_is_always_named_by_a_failure(inventory: Inventory) -> None:
    body: dict[str, Any] = json.loads(inventory.model_dump_json())
    if body["failures"]:
        body["failures"] = []
        with pytest.raises(ValidationError):
            Inventory.model_validate(body)


@pytest.mark.parametrize(
    ("table", "field", "value", "complaint"),
    [
        ("volumes", "arn", "arn:aws:s3:::bucket", "disagrees"),
        ("volumes", "id", "vol-FFFFFFFF", "disagrees"),
        ("volumes", "gateway_arn", "arn:other", "has no gateway"),
        ("volumes", "size_bytes", 2**63, "less than or equal"),
        ("gateways", "region", "eu-west-1", "disagrees"),
        ("targets", "reason", "excluded", "reason exactly when"),
        ("targets", "account_id", "12345", "pattern"),
    ],
)
def test_a_record_that_contradicts_another_is_refused(
    table: str, field: str, value: object, complaint: str
) -> None:
    body = json.loads(_one_volume().model_dump_json())
    body[table][0][field] = value
    with pytest.raises(ValidationError, match=complaint):
        Inventory.model_validate(body)


def test_an_arn_that_stands_twice_is_refused() -> None:
    one = gateway(ACCOUNTS[0], "us-east-1", 1, GatewayStatus.SCANNED)
    target = Target(
        account_id=ACCOUNTS[0], region="us-east-1", status=TargetStatus.COMPLETE, gateways=2, volumes=0
    )
    with pytest.raises(ValidationError, match="stands twice"):
        Inventory.build(scan_info(), CallCounts(), [target], [one, one], [], [])


def test_times_are_written_in_utc_with_milliseconds() -> None:
    body = json.loads(_one_volume().model_dump_json())
    assert body["volumes"][0]["recovery_point_time"] == "2026-11-24T03:00:00.000Z"


def test_a_scan_that_planned_nothing_is_complete() -> None:
    assert Inventory.build(scan_info(), CallCounts(), [], [], [], []).scan.outcome is Outcome.COMPLETE


def test_nothing_read_of_what_was_planned_is_outcome_failed() -> None:
    skipped = Target(
        account_id=ACCOUNTS[0],
        region=REGIONS[0],
        status=TargetStatus.SKIPPED,
        reason=SkipReason.EXCLUDED,
    )
    assert Inventory.build(scan_info(), CallCounts(), [skipped], [], [], []).scan.outcome is Outcome.FAILED


@given(st.data())
def test_merge_is_associative_and_commutative(data: st.DataObject) -> None:
    keys = data.draw(st.permutations(EVERY_TARGET))
    one, two, three = (data.draw(inventories(keys=keys[i : i + 2], name=f"scan-{i}")) for i in range(0, 6, 2))
    merged = Inventory.merge([one, two, three])
    assert Inventory.merge([Inventory.merge([one, two]), three]) == merged
    assert Inventory.merge([one, Inventory.merge([two, three])]) == merged
    assert Inventory.merge([three, one, two]) == merged


@given(inventories(keys=[EVERY_TARGET[0]]), inventories(keys=EVERY_TARGET[:2]))
def test_merge_refuses_two_inventories_that_claim_one_target(one: Inventory, two: Inventory) -> None:
    with pytest.raises(MergeError, match="000000000001 in us-east-1"):
        Inventory.merge([one, two])


def test_merge_of_nothing_says_so() -> None:
    with pytest.raises(MergeError, match="no inventory"):
        Inventory.merge([])


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("schema_version", "2", "schema_version"),
        ("scan.outcome", "partial", "does not follow"),
        ("coverage.calls.retried", 3, "more calls"),
        ("targets.0.volumes", 2, "counts other gateways or volumes"),
        ("targets.0.status", "failed", "coverage counts"),
        ("gateways.0.status", "failed", "coverage counts"),
        ("failures.0.region", None, "does not name"),
        ("failures.0.region", "ap-south-1", "has no target"),
        ("failures.0.account_id", "999999999999", "no account"),
        ("failures.0.scope", "account", "names more"),
    ],
)
def test_books_that_do_not_balance_are_refused(path: str, value: object, complaint: str) -> None:
    one = gateway(ACCOUNTS[0], "us-east-1", 1, GatewayStatus.SCANNED)
    target = Target(
        account_id=ACCOUNTS[0], region="us-east-1", status=TargetStatus.PARTIAL, gateways=1, volumes=1
    )
    whole = Inventory.build(
        scan_info(), CallCounts(attempted=2), [target], [one], [volume(one, 1)], [failure_of(target)]
    )
    body: Any = json.loads(whole.model_dump_json())
    *way, last = path.split(".")
    place = body
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[last] = value
    if path == "scan.outcome":
        body["targets"][0]["status"] = "complete"
        body["coverage"]["targets"] |= {"complete": 1, "partial": 0}
    with pytest.raises(ValidationError, match=complaint):
        Inventory.model_validate(body)


@pytest.mark.parametrize(
    ("status", "failures", "complaint"),
    [
        (TargetStatus.COMPLETE, True, "its target is complete"),
        (TargetStatus.PARTIAL, False, "has no failure"),
        (TargetStatus.FAILED, True, "is failed but lists gateways"),
    ],
)
def test_a_failed_gateway_needs_its_failure_and_a_partial_target(
    status: TargetStatus, failures: bool, complaint: str
) -> None:
    one = gateway(ACCOUNTS[0], "us-east-1", 1, GatewayStatus.FAILED)
    target = Target(account_id=ACCOUNTS[0], region="us-east-1", status=status, gateways=1)
    with pytest.raises(ValidationError, match=complaint):
        named = [failure_of(one)] if failures else []
        Inventory.build(scan_info(), CallCounts(), [target], [one], [], named)


def test_a_target_a_volume_or_a_gateway_out_of_place_is_refused() -> None:
    one = gateway(ACCOUNTS[0], "us-east-1", 1, GatewayStatus.SCANNED)
    other = gateway(ACCOUNTS[1], "us-east-1", 2, GatewayStatus.SCANNED)
    here, there = (
        Target(account_id=account, region="us-east-1", status=TargetStatus.COMPLETE, gateways=1, volumes=1)
        for account in ACCOUNTS[:2]
    )
    strayed = volume(one, 1).model_copy(update={"gateway_arn": other.arn})
    for targets, gateways, volumes, complaint in [
        ([here, here], [one], [volume(one, 1)], "stands twice"),
        ([there], [one], [volume(one, 1)], "has no target"),
        ([here], [one], [volume(one, 1), volume(one, 1)], "stands twice"),
        ([here, there], [one, other], [strayed, volume(other, 2)], "another target"),
    ]:
        with pytest.raises(ValidationError, match=complaint):
            Inventory.build(scan_info(), CallCounts(), targets, gateways, volumes, [])


def test_parts_that_contradict_each_other_cannot_be_merged() -> None:
    one, other = _one_volume(), _one_volume()
    moved = other.model_copy(
        update={"targets": (other.targets[0].model_copy(update={"region": "eu-west-1"}),)}
    )
    with pytest.raises(MergeError, match="contradict"):
        Inventory.merge([one, moved])


def test_an_account_that_failed_in_two_parts_fails_once_in_their_merge() -> None:
    failure = Failure(
        scope=FailureScope.ACCOUNT,
        account_id=ACCOUNTS[0],
        operation="AssumeRole",
        kind=FailureKind.ACCESS_DENIED,
        message="refused",
    )
    parts = [
        Inventory.build(
            scan_info(),
            CallCounts(),
            [Target(account_id=ACCOUNTS[0], region=region, status=TargetStatus.FAILED)],
            [],
            [],
            [failure.model_copy(update={"request_id": region})],
        )
        for region in REGIONS[:2]
    ]
    assert len(Inventory.merge(parts).failures) == 1


def _one_volume() -> Inventory:
    one = gateway(ACCOUNTS[0], "us-east-1", 1, GatewayStatus.SCANNED)
    target = Target(
        account_id=ACCOUNTS[0], region="us-east-1", status=TargetStatus.COMPLETE, gateways=1, volumes=1
    )
    return Inventory.build(scan_info(), CallCounts(attempted=2), [target], [one], [volume(one, 1)], [])


def test_a_gateway_lost_in_one_target_is_not_made_up_for_by_a_broken_entry_in_another() -> None:
    one, two = (gateway(ACCOUNTS[0], "us-east-1", number, GatewayStatus.SCANNED) for number in (1, 2))
    here = Target(
        account_id=ACCOUNTS[0], region="us-east-1", status=TargetStatus.COMPLETE, gateways=2, volumes=0
    )
    there = Target(account_id=ACCOUNTS[1], region="us-east-1", status=TargetStatus.PARTIAL, gateways=1)
    broken = failure_of(there, FailureKind.INVALID_RESPONSE)
    Inventory.build(scan_info(), CallCounts(), [here, there], [one, two], [], [broken])
    with pytest.raises(ValidationError, match="counts other gateways"):
        Inventory.build(scan_info(), CallCounts(), [here, there], [one], [], [broken])


def test_a_complete_target_has_no_failure_and_a_failure_no_gateway_that_is_not_there() -> None:
    one = gateway(ACCOUNTS[0], "us-east-1", 1, GatewayStatus.SCANNED)
    whole = Target(account_id=ACCOUNTS[0], region="us-east-1", status=TargetStatus.COMPLETE, gateways=1)
    with pytest.raises(ValidationError, match="is complete but has a failure"):
        Inventory.build(scan_info(), CallCounts(), [whole], [one], [], [failure_of(one)])
    partial = whole.model_copy(update={"status": TargetStatus.PARTIAL})
    stray = failure_of(one).model_copy(update={"gateway_arn": one.arn.replace("00000001", "00000002")})
    with pytest.raises(ValidationError, match="of a gateway that its target does not hold"):
        Inventory.build(scan_info(), CallCounts(), [partial], [one], [], [stray])


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "Infinity", "-Infinity", "9" * 400])
@pytest.mark.parametrize("field", ["age_seconds", "rpo_seconds"])
def test_an_age_that_is_no_number_of_seconds_is_refused(field: str, number: str) -> None:
    """An inventory may come from anybody; none may break whatever is made of it."""
    with pytest.raises(ValidationError):
        Verdict.model_validate_json(f'{{"status": "breach", "{field}": {number}}}')


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_beyond_the_calendar_is_refused(moment: str) -> None:
    with pytest.raises(ValidationError, match="no time that a calendar has"):
        ScanInfo.model_validate(
            {
                "id": "x",
                "started_at": moment,
                "finished_at": moment,
                "outcome": "failed",
                "scanner_version": "1",
            }
        )


def _undiscovered(account: str, *kinds: FailureKind) -> Inventory:
    """A scan whose walk through the organization failed, in these ways."""
    found = Target(account_id=account, region=REGIONS[0], status=TargetStatus.COMPLETE)
    unknown = Target(account_id="*", region="*", status=TargetStatus.FAILED)
    failures = [
        Failure(scope=FailureScope.ACCOUNT, account_id="*", operation="ListRoots", kind=kind, message="no")
        for kind in kinds
    ]
    return Inventory.build(scan_info(), CallCounts(), [found, unknown], [], [], failures)


def test_inventories_whose_discovery_failed_can_be_merged() -> None:
    """What none of them could find counts once, and every way in which it failed stands."""
    one = _undiscovered(ACCOUNTS[0], FailureKind.ACCESS_DENIED)
    other = _undiscovered(ACCOUNTS[1], FailureKind.ACCESS_DENIED, FailureKind.THROTTLED)
    whole = Inventory.merge([one, other])
    assert [target.account_id for target in whole.targets].count("*") == 1
    assert whole.coverage.targets.planned == 3
    assert [failure.kind for failure in whole.failures] == [FailureKind.ACCESS_DENIED, FailureKind.THROTTLED]


@pytest.mark.parametrize("holder", ["", "gateway/sgw-BEFORE00/"], ids=["no gateway", "an earlier gateway"])
def test_a_volume_may_stand_only_once_whichever_form_its_arn_has(holder: str) -> None:
    one = gateway(ACCOUNTS[0], REGIONS[0], 1, GatewayStatus.SCANNED)
    long = volume(one, 1)
    other = long.model_copy(update={"arn": long.arn.replace(f"gateway/{one.id}/", holder)})
    target = Target(
        account_id=one.account_id, region=one.region, status=TargetStatus.COMPLETE, gateways=1, volumes=2
    )
    with pytest.raises(ValidationError, match="stands twice"):
        Inventory.build(scan_info(), CallCounts(), [target], [one], [long, other], [])


@pytest.mark.parametrize("failed_first", [True, False])
def test_an_account_whose_regions_no_part_knows_counts_once_and_a_failure_stands(failed_first: bool) -> None:
    """Whichever part is named first."""
    failed = Target(account_id=ACCOUNTS[0], region="*", status=TargetStatus.FAILED)
    skipped = failed.model_copy(update={"status": TargetStatus.SKIPPED, "reason": SkipReason.EXCLUDED})
    failure = Failure(
        scope=FailureScope.ACCOUNT,
        account_id=ACCOUNTS[0],
        operation="AssumeRole",
        kind=FailureKind.ACCESS_DENIED,
        message="no",
    )
    one = Inventory.build(scan_info(), CallCounts(), [failed], [], [], [failure])
    other = Inventory.build(scan_info(), CallCounts(), [skipped], [], [], [])
    whole = Inventory.merge([one, other] if failed_first else [other, one])
    assert [target.status for target in whole.targets] == [TargetStatus.FAILED]
    assert whole.coverage.targets.planned == 1
