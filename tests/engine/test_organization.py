"""What the walk over an organization promises: every account that is wanted, once, and no other."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import anyio
import pytest

from scanner.config.settings import ScannerConfig
from scanner.engine.calls.scheduler import Limits
from scanner.engine.scan import Scan
from scanner.inventory.collect import Collector
from scanner.inventory.events import Event
from scanner.inventory.model import Inventory
from scanner.inventory.records import FailureKind, FailureScope, Outcome, TargetStatus
from scanner.service.answers import MemberAccount, OrganizationPage
from scanner.service.errors import CallFailed
from scanner.service.protocol import OrganizationRequest, TargetKey
from tests.engine.simulated import Fault, SimulatedService, denied, events_of, inventory_of
from tests.strategies import selected
from tests.virtual import run

MANAGEMENT = "999999999999"
ROOT = "r-ab12"
PROD, LAB, DEEP = (f"ou-ab12-{number}1111111" for number in (1, 2, 3))
ACCOUNTS_OF, UNITS_OF = "ListAccountsForParent", "ListOrganizationalUnitsForParent"
NAMES = {ROOT: "Root", PROD: "Prod", LAB: "Lab", DEEP: "Deep"}
UNITS: dict[str | None, tuple[str, ...]] = {None: (ROOT,), ROOT: (PROD, LAB), PROD: (DEEP,)}


def account(number: int) -> str:
    return f"{number:012d}"


MEMBERS = {
    ROOT: (MemberAccount(MANAGEMENT, "management", True),),
    PROD: (MemberAccount(account(1), "one", True), MemberAccount(account(2), "two", True)),
    DEEP: (MemberAccount(account(3), "three", True), MemberAccount(account(4), None, False)),
    LAB: (MemberAccount(account(5), "five", True),),
}


def tree(inquiry: OrganizationRequest) -> OrganizationPage:
    match inquiry.operation:
        case "DescribeOrganization":
            return OrganizationPage(management_account=MANAGEMENT)
        case "ListAccountsForParent":
            return OrganizationPage(accounts=MEMBERS[inquiry.parent or ""])
    return OrganizationPage(units=tuple((unit, NAMES[unit]) for unit in UNITS.get(inquiry.parent, ())))


def organization(accounts: tuple[dict[str, Any], ...] = (), scan: Any = None, **keys: Any) -> ScannerConfig:
    return ScannerConfig.model_validate(
        {
            "organization": {"role": "sgw-scanner", **keys},
            "accounts": accounts,
            "scan": {"regions": ["us-east-1"], **(scan or {})},
        }
    )


def source(pages: Callable[[OrganizationRequest], OrganizationPage] = tree, **keys: Any) -> SimulatedService:
    return SimulatedService(gateways=1, volumes=1, organization_pages=pages, **keys)


def scanned(settings: ScannerConfig, served: SimulatedService | None = None) -> Inventory:
    return run(inventory_of(settings, served or source()))[0]


def accounts(whole: Inventory, status: TargetStatus = TargetStatus.COMPLETE) -> list[int | str]:
    found = [target.account_id for target in whole.targets if target.status is status]
    return [each if each in ("*", MANAGEMENT) else int(each) for each in found]


def failing(operation: str, parent: str | None = None, error: Callable[[], CallFailed] = denied) -> Fault:
    def fault(asked: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        return error() if asked == operation and key == parent else None

    return fault


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, [1, 2, 3, 5, MANAGEMENT]),
        ({"include_management_account": False}, [1, 2, 3, 5]),
        ({"include_ous": [PROD]}, [1, 2, 3]),
        ({"include_ous": [ROOT]}, [1, 2, 3, 5, MANAGEMENT]),
        ({"include_ous": [PROD, DEEP, PROD]}, [1, 2, 3]),
        ({"include_ous": [DEEP]}, [3]),
        ({"exclude_ous": [PROD]}, [5, MANAGEMENT]),
        ({"include_ous": [PROD], "exclude_ous": [DEEP]}, [1, 2]),
        ({"include_ous": [PROD, DEEP], "exclude_ous": [DEEP]}, [1, 2]),
        ({"exclude_accounts": [account(1), MANAGEMENT]}, [2, 3, 5]),
    ],
)
def test_units_and_accounts_are_taken_in_and_left_out(keys: Any, expected: list[int | str]) -> None:
    whole = scanned(organization(**keys))
    assert accounts(whole) == expected
    assert whole.scan.outcome is Outcome.COMPLETE
    assert whole.coverage.targets.planned == len(expected)


def test_names_come_from_the_organization() -> None:
    names = {target.account_id: target.account_name for target in scanned(organization()).targets}
    assert names[account(1)] == "one"


def test_each_account_tells_its_place_in_the_organization() -> None:
    """By the names of the units from the root down, whichever unit was taken in."""
    paths = {target.account_id: target.ou_path for target in scanned(organization()).targets}
    assert (paths[account(1)], paths[account(3)]) == ("Root/Prod", "Root/Prod/Deep")
    assert paths[MANAGEMENT] == "Root"
    (deep,) = scanned(organization(include_ous=[DEEP])).targets
    assert deep.ou_path == "Root/Prod/Deep"


def test_what_is_outside_of_the_units_taken_in_may_be_unreadable() -> None:
    """Then a path begins with the unit's id, and no account is lost."""
    for operation, parent in ((UNITS_OF, LAB), (UNITS_OF, ROOT), ("ListRoots", None)):
        whole = scanned(organization(include_ous=[DEEP]), source(fault=failing(operation, parent)))
        assert accounts(whole) == [3]
        assert not whole.failures
        path = "Root/Prod/Deep" if parent == LAB else DEEP
        assert [target.ou_path for target in whole.targets] == [path]


def test_an_account_of_its_own_takes_only_name_and_place_from_the_organization() -> None:
    """And is scanned even where the walk does not meet it."""
    own = ({"id": account(3), "rpo": "1h"}, {"id": account(8)})
    whole = scanned(organization(own))
    found = {target.account_id: (target.account_name, target.ou_path) for target in whole.targets}
    assert found[account(3)] == ("three", "Root/Prod/Deep")
    assert found[account(8)] == (None, None)
    rated = {volume.account_id: volume.verdict.rule for volume in whole.volumes}
    assert (rated[account(3)], rated[account(1)]) == ("account", None)


def test_an_account_of_its_own_that_is_suspended_is_left_out_of_the_plan() -> None:
    assert accounts(scanned(organization(({"id": account(4)},)))) == [1, 2, 3, 5, MANAGEMENT]


def test_an_excluded_unit_that_was_not_met_is_told_as_it_kept_nothing_out() -> None:
    unknown = "ou-ab12-99999999"
    whole = scanned(organization(exclude_ous=[LAB, unknown]))
    (failure,) = whole.failures
    assert (failure.account_id, failure.kind) == ("*", FailureKind.INVALID_REQUEST)
    assert failure.message.startswith(f"{unknown}: ")
    assert accounts(whole) == [1, 2, 3, MANAGEMENT]


def test_an_entry_that_cannot_be_trusted_costs_no_other_account_of_its_page() -> None:
    def pages(inquiry: OrganizationRequest) -> OrganizationPage:
        page = tree(inquiry)
        return replace(page, problems=("an account has no id",)) if inquiry.parent == PROD else page

    whole = scanned(organization(include_ous=[PROD], exclude_ous=[DEEP]), source(pages))
    assert accounts(whole) == [1, 2]
    assert {failure.message for failure in whole.failures} == {f"{PROD}: an account has no id"}


def test_units_below_units_without_end_are_ended() -> None:
    def pages(inquiry: OrganizationRequest) -> OrganizationPage:
        if inquiry.operation == "ListOrganizationalUnitsForParent":
            return OrganizationPage(units=((f"{inquiry.parent}1", "again"),))
        return OrganizationPage(management_account=MANAGEMENT)

    whole = scanned(organization(include_ous=[PROD]), source(pages))
    (failure,) = whole.failures
    assert (failure.kind, failure.account_id) == (FailureKind.INVALID_RESPONSE, "*")
    assert "nested deeper" in failure.message


def test_slashes_in_the_name_of_a_unit_are_no_depth() -> None:
    def pages(inquiry: OrganizationRequest) -> OrganizationPage:
        page = tree(inquiry)
        return replace(page, units=tuple((unit, "a/" * 30 + name) for unit, name in page.units))

    whole = scanned(organization(), source(pages))
    assert whole.failures == ()
    assert accounts(whole) == [1, 2, 3, 5, MANAGEMENT]


def test_an_account_listed_again_and_again_is_no_news() -> None:
    numbers = count()

    def pages(inquiry: OrganizationRequest) -> OrganizationPage:
        if inquiry.operation == "ListAccountsForParent":
            return OrganizationPage(accounts=MEMBERS[LAB], marker=str(next(numbers)))
        return tree(inquiry)

    whole = scanned(organization(include_ous=[LAB]), source(pages))
    assert accounts(whole) == [5]
    assert "did not end" in whole.failures[0].message


def test_each_unit_is_asked_about_once_though_it_is_reached_twice() -> None:
    served = source()
    scanned(organization(include_ous=[DEEP, PROD, ROOT]), served)
    units = {key: tries for (asked, _, key), tries in served.tries.items() if asked == UNITS_OF}
    assert units == dict.fromkeys((ROOT, PROD, LAB, DEEP), 1)


def test_each_unit_is_looked_at_once_more_for_accounts_that_were_moved_meanwhile() -> None:
    served = source()
    scanned(organization(), served)
    accounts_of = {key: tries for (asked, _, key), tries in served.tries.items() if asked == ACCOUNTS_OF}
    assert accounts_of == dict.fromkeys((ROOT, PROD, LAB, DEEP), 2)


def test_an_account_moved_to_a_unit_that_was_listed_before_is_scanned() -> None:
    """It was gone where the walk came later, and not there yet where it had been."""
    looks = Counter[str | None]()

    def pages(inquiry: OrganizationRequest) -> OrganizationPage:
        if inquiry.operation == ACCOUNTS_OF:
            looks[inquiry.parent] += 1
            moved = (MemberAccount(account(7), "moved", True),)
            return OrganizationPage(accounts=moved if inquiry.parent == LAB and looks[LAB] > 1 else ())
        return tree(inquiry)

    assert accounts(scanned(organization(), source(pages))) == [7]


def test_an_account_moved_during_the_walk_is_scanned_once() -> None:
    def pages(inquiry: OrganizationRequest) -> OrganizationPage:
        if inquiry.operation == "ListAccountsForParent":
            return OrganizationPage(accounts=(MemberAccount(account(7), None, True),))
        return tree(inquiry)

    assert accounts(scanned(organization(), source(pages))) == [7]


def test_a_configured_account_keeps_its_own_settings() -> None:
    own = {"id": account(1), "name": "mine", "regions": ["eu-west-1"]}
    whole = scanned(organization((own, {"id": account(8)})))
    assert accounts(whole) == [1, 2, 3, 5, 8, MANAGEMENT]
    mine = whole.targets[0]
    assert (mine.account_name, mine.region) == ("mine", "eu-west-1")


def test_narrowing_scans_only_the_accounts_that_were_named() -> None:
    whole = scanned(selected(organization(({"id": account(8)},)), [account(3), account(8)]))
    assert accounts(whole) == [3, 8]
    assert whole.coverage.targets.planned == 2


def test_an_account_that_the_wanted_regions_leave_out_is_not_scanned_as_a_member() -> None:
    own = {"id": account(3), "regions": ["eu-west-1"]}
    assert accounts(scanned(selected(organization((own,)), (), ["us-east-1"]))) == [1, 2, 5, MANAGEMENT]


@pytest.mark.parametrize("missing", [account(77), account(4)])
def test_a_named_account_that_the_organization_does_not_have_is_told(missing: str) -> None:
    whole = scanned(selected(organization(), [account(3), missing]))
    (failure,) = whole.failures
    assert (failure.account_id, failure.kind) == (missing, FailureKind.INVALID_REQUEST)
    assert accounts(whole, TargetStatus.FAILED) == [int(missing)]
    assert accounts(whole) == [3]
    assert whole.scan.outcome is Outcome.PARTIAL


def test_an_unknown_unit_fails_once_and_the_others_are_scanned() -> None:
    unknown = "ou-ab12-99999999"

    def fault(asked: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        gone = CallFailed.of(FailureKind.INVALID_REQUEST, "no such parent", code="ParentNotFoundException")
        return gone if key == unknown else None

    whole = scanned(organization(include_ous=[unknown, PROD]), source(fault=fault))
    (failure,) = whole.failures
    assert (failure.scope, failure.account_id) == (FailureScope.ACCOUNT, "*")
    assert failure.code == "ParentNotFoundException"
    assert unknown in failure.message
    (failed,) = (target for target in whole.targets if target.status is TargetStatus.FAILED)
    assert (failed.account_id, failed.region) == ("*", "*")
    assert accounts(whole) == [1, 2, 3]


@pytest.mark.parametrize(
    ("operation", "parent", "expected"),
    [
        ("DescribeOrganization", None, [8]),
        ("ListRoots", None, [8]),
        ("ListOrganizationalUnitsForParent", PROD, [1, 2, 5, 8, MANAGEMENT]),
        ("ListAccountsForParent", DEEP, [1, 2, 5, 8, MANAGEMENT]),
    ],
)
def test_a_denied_question_costs_what_it_would_have_found(
    operation: str, parent: str | None, expected: list[int | str]
) -> None:
    whole = scanned(organization(({"id": account(8)},)), source(fault=failing(operation, parent)))
    assert [failure.operation for failure in whole.failures] == [operation]
    assert accounts(whole) == expected
    assert accounts(whole, TargetStatus.FAILED) == ["*"]


def test_a_broken_question_is_asked_again() -> None:
    def fault(asked: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        busy = CallFailed.of(FailureKind.THROTTLED, "too many requests", retryable=True)
        return busy if asked.startswith(("List", "Describe")) and nth < 3 else None

    whole = scanned(organization(), source(fault=fault))
    assert accounts(whole) == [1, 2, 3, 5, MANAGEMENT]
    assert whole.coverage.calls.throttled == 0, "only Storage Gateway calls are counted"


def test_long_lists_are_followed_through_pages_that_are_empty() -> None:
    def pages(inquiry: OrganizationRequest) -> OrganizationPage:
        if inquiry.operation != "ListAccountsForParent" or inquiry.parent != LAB:
            return tree(inquiry)
        number = int(inquiry.marker or 0)
        members = () if number % 2 else (MemberAccount(account(100 + number), None, True),)
        return OrganizationPage(accounts=members, marker=str(number + 1) if number < 40 else None)

    found = accounts(scanned(organization(include_ous=[LAB]), source(pages)))
    assert found == [100 + number for number in range(0, 41, 2)]


@pytest.mark.parametrize("markers", [["a"] * 2, ["a", "b", "a"], map(str, count())])
def test_a_list_of_accounts_that_never_ends_is_ended_and_told(markers: Any) -> None:
    following = iter(markers)

    def pages(inquiry: OrganizationRequest) -> OrganizationPage:
        if inquiry.operation == "ListAccountsForParent" and inquiry.parent == LAB:
            first = () if inquiry.marker else MEMBERS[LAB]
            return OrganizationPage(accounts=first, marker=next(following))
        return tree(inquiry)

    whole = scanned(organization(), source(pages))
    (failure,) = whole.failures
    assert (failure.kind, failure.account_id) == (FailureKind.INVALID_RESPONSE, "*")
    assert accounts(whole) == [1, 2, 3, 5, MANAGEMENT]


class Hanging(SimulatedService):
    """Hangs at the questions about one unit."""

    async def organization(self, inquiry: OrganizationRequest) -> OrganizationPage:
        if inquiry.parent == LAB:
            await anyio.sleep_forever()
        return await super().organization(inquiry)


def test_the_deadline_during_the_walk_keeps_what_was_found() -> None:
    served = Hanging(gateways=1, volumes=1, organization_pages=tree)
    whole, seconds = run(inventory_of(organization(scan={"deadline": "30s"}), served))
    assert 30 <= seconds < 31
    assert accounts(whole) == [1, 2, 3, MANAGEMENT]
    assert [(failure.account_id, failure.kind) for failure in whole.failures] == [("*", FailureKind.DEADLINE)]


def test_an_interrupt_during_the_walk_ends_it_at_once() -> None:
    settings, collector = organization(), Collector()

    async def emit(event: Event) -> None:
        collector.add(event)

    async def main() -> None:
        scan = Scan(
            settings, Hanging(organization_pages=tree), Limits(anyio.CapacityLimiter(8), 8), "1", emit
        )
        async with anyio.create_task_group() as group:
            group.start_soon(scan.run)
            await anyio.sleep(20)
            scan.interrupt()

    _, seconds = run(main())
    whole = collector.inventory()
    assert seconds < 22
    assert whole.scan.interrupted
    assert accounts(whole, TargetStatus.FAILED) == ["*"]


def test_an_organization_without_accounts_to_scan_has_an_empty_plan() -> None:
    seen = run(events_of(organization(include_ous=[LAB], exclude_accounts=[account(5)]), source()))[0]
    assert len(seen) == 2
