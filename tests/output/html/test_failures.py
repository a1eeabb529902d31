"""What was not read: how much, in groups of one cause, each with its remedy."""

import re

import pytest

from scanner.config.settings import ScannerConfig
from scanner.iam.remedies import REASONS, REMEDIES
from scanner.inventory.model import Inventory
from scanner.inventory.records import (
    CallCounts,
    FailureKind,
    GatewayStatus,
    SkipReason,
    Target,
    TargetStatus,
)
from scanner.output.html.facts import MOST_OPEN, MOST_PLACES
from scanner.output.html.failures import groups_of, unread_of
from tests.output.fleet import inventory, written
from tests.output.html import fleets
from tests.output.html.test_facts import text_of
from tests.strategies import failure_of, gateway, scan_info


def denied(accounts: int, regions: int) -> Inventory:
    targets = [
        fleets.target(f"{account:012d}", f"eu-west-{region}", TargetStatus.FAILED)
        for account in range(1, accounts + 1)
        for region in range(1, regions + 1)
    ]
    failures = [fleets.failure(each.account_id, each.region, FailureKind.ACCESS_DENIED) for each in targets]
    return fleets.without_volumes(targets, failures)


def test_failures_of_an_account_with_one_cause_are_one_group() -> None:
    """With one remedy, however many Regions it took."""
    groups = groups_of(denied(2, 17))
    assert [(group.account, group.extent) for group in groups] == [
        ("000000000001", "17 Regions"),
        ("000000000002", "17 Regions"),
    ]
    said = text_of(denied(2, 17))
    assert "000000000001 , 17 Regions: ListGateways access denied" in said
    assert said.count("Add to the policy of the role that scans") == 2


def test_other_causes_and_what_a_waiver_excuses_stand_apart() -> None:
    """What is waived comes last, and says why."""
    broken = [gateway(fleets.ACCOUNT, "us-east-1", number, GatewayStatus.FAILED) for number in range(3)]
    kinds = (FailureKind.GATEWAY_UNREACHABLE, FailureKind.TIMEOUT, FailureKind.GATEWAY_UNREACHABLE)
    failures = [failure_of(one, kind) for one, kind in zip(broken, kinds, strict=True)]
    failures[0] = failures[0].model_copy(update={"waived": "lab"})
    of = Target(
        account_id=fleets.ACCOUNT, region="us-east-1", status=TargetStatus.PARTIAL, gateways=3, volumes=0
    )
    made = Inventory.build(scan_info(), CallCounts(), [of], broken, [], failures)
    *others, last = [(group.kind, group.waived) for group in groups_of(made)]
    assert set(others) == {(FailureKind.GATEWAY_UNREACHABLE, None), (FailureKind.TIMEOUT, None)}
    assert last == (FailureKind.GATEWAY_UNREACHABLE, "lab")
    assert (unread_of(made).count, unread_of(made).excused) == (2, 1)
    assert "(waived: lab )" in text_of(made)


@pytest.mark.parametrize(
    ("of", "count", "excused"),
    [
        (inventory(), 0, 0),
        (inventory(whole=False), 2, 0),
        (fleets.unreachable(), 2, 0),
        (fleets.unreachable(waived="lab"), 0, 1),
        (denied(2, 3), 6, 0),
    ],
)
def test_each_gateway_or_target_that_was_not_read_counts_once(
    of: Inventory, count: int, excused: int
) -> None:
    """A target that is partial for its gateways is counted by them."""
    assert (unread_of(of).count, unread_of(of).excused) == (count, excused)


def test_a_target_that_broke_off_counts_although_no_gateway_failed() -> None:
    one = gateway(fleets.ACCOUNT, "us-east-1", 1, GatewayStatus.SCANNED)
    broke = Target(account_id=fleets.ACCOUNT, region="us-east-1", status=TargetStatus.PARTIAL, gateways=1)
    of = Inventory.build(scan_info(), CallCounts(), [broke], [one], [], [failure_of(broke)])
    assert unread_of(of).count == 1


def test_a_failed_gateway_is_named_by_its_name_and_its_id() -> None:
    """Whoever is to start it again must know which it is."""
    assert "gateway 999 sgw-000003E7 in eu-west-1" in text_of(inventory(whole=False))


def test_more_than_ten_causes_are_closed_and_none_is_lost_silently() -> None:
    """Neither among the causes nor among their places."""
    page = written(denied(MOST_OPEN + 3, MOST_PLACES + 2), ".html").decode()
    before, _, after = page.partition("<details><summary>3 more causes</summary>")
    assert before.count('class="cause') - before.count('class="causes') == MOST_OPEN
    assert after.count('class="cause"') == 3
    assert "2 more places are in the inventory, not on this page." in page
    assert "50 more causes are in the inventory" in written(denied(250, 1), ".html").decode()


def test_every_failure_has_a_remedy_and_every_skip_a_reason() -> None:
    """Sentences, and only commands and settings that there are."""
    assert set(REMEDIES) == set(FailureKind)
    assert set(REASONS) == set(SkipReason)
    assert all(remedy.endswith((".", "iam policy")) for remedy in REMEDIES.values())
    named = set(re.findall(r"\b([a-z]+)\.([a-z_]+)\b", " ".join(REMEDIES.values())))
    assert named
    for section, key in named:
        assert key in type(getattr(ScannerConfig(), section)).model_fields
