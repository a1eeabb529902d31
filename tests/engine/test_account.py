"""One account: it is signed in to, its Regions are found, and nothing that was planned is lost."""

from collections import Counter

import pytest

from scanner.config.settings import ScannerConfig
from scanner.inventory.events import TargetEnded, TargetPlanned
from scanner.inventory.records import FailureKind, FailureScope, Outcome, TargetStatus
from scanner.service.answers import GatewayPage, RegionPage
from scanner.service.errors import CallFailed
from scanner.service.protocol import TargetKey
from tests.engine.simulated import SimulatedService, config, denied, events_of, inventory_of, throttle
from tests.virtual import run

ENABLED = ScannerConfig.model_validate({"accounts": [{"id": "000000000001"}]})


def test_an_account_that_cannot_be_entered_fails_once_for_all_its_regions() -> None:
    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        return denied() if operation == "open" and target.account_id == "000000000002" else None

    whole, _ = run(inventory_of(config(3, ("us-east-1", "eu-west-1")), SimulatedService(fault=fault)))
    (failure,) = whole.failures
    assert failure.scope is FailureScope.ACCOUNT
    assert whole.coverage.targets.failed == 2
    assert whole.coverage.targets.complete == 4


def test_without_known_regions_an_account_has_one_failed_target() -> None:
    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        return denied() if operation == "regions" else None

    settings = ScannerConfig.model_validate({"accounts": [{"id": "000000000001"}]})
    whole, _ = run(inventory_of(settings, SimulatedService(fault=fault)))
    assert [(target.region, target.status) for target in whole.targets] == [("*", TargetStatus.FAILED)]


def test_enabled_regions_are_followed_page_by_page() -> None:
    pages = {None: RegionPage(("us-east-1",), "a"), "a": RegionPage((), "b"), "b": RegionPage(("eu-west-1",))}
    whole, _ = run(inventory_of(ENABLED, SimulatedService(region_pages=pages.__getitem__)))
    assert [target.region for target in whole.targets] == ["eu-west-1", "us-east-1"]
    assert whole.scan.outcome is Outcome.COMPLETE


@pytest.mark.parametrize(
    "page", [RegionPage(()), RegionPage((), "again"), RegionPage(("us-east-1",), "again")]
)
def test_regions_that_never_end_or_are_none_fail_their_account(page: RegionPage) -> None:
    """Taken at its word, such an answer would make the account, or some of it, vanish without a word."""
    whole, _ = run(inventory_of(ENABLED, SimulatedService(region_pages=lambda marker: page)))
    (failure,) = whole.failures
    assert (failure.scope, failure.kind) == (FailureScope.ACCOUNT, FailureKind.INVALID_RESPONSE)
    assert (failure.operation, failure.attempts) == ("ListRegions", 1)
    assert [(target.region, target.status) for target in whole.targets] == [("*", TargetStatus.FAILED)]


def test_enabled_regions_are_asked_for_and_the_excluded_listed_as_skipped() -> None:
    settings = ScannerConfig.model_validate({"scan": {"exclude_regions": ["eu-west-1", "ap-south-1"]}})
    source = SimulatedService(
        regions=("us-east-1", "eu-west-1", "us-west-2"), not_offered=frozenset({"us-west-2"})
    )
    whole, _ = run(inventory_of(settings, source))
    told = [(target.region, target.status.value, target.reason) for target in whole.targets]
    assert told == [
        ("eu-west-1", "skipped", "excluded"),
        ("us-east-1", "complete", None),
        ("us-west-2", "skipped", "not_offered"),
    ]


def test_two_regions_that_are_not_enabled_share_one_question_and_are_both_skipped() -> None:
    """Keys that are worth nothing and a Region that is not enabled are answered alike, so the account is asked."""

    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        if operation == "list" and target.region != "us-east-1":
            return CallFailed.of(FailureKind.CREDENTIALS, "the token is not valid", unrecognized=True)
        return None

    source = SimulatedService(fault=fault, regions=("us-east-1",))
    whole, _ = run(inventory_of(config(1, ("us-east-1", "af-south-1", "me-south-1")), source))
    told = [(target.region, target.reason) for target in whole.targets]
    assert told == [("af-south-1", "not_enabled"), ("me-south-1", "not_enabled"), ("us-east-1", None)]
    assert source.calls["regions"] == 1


def test_an_account_whose_regions_cannot_be_known_is_asked_for_them_once() -> None:
    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        if operation == "list":
            return CallFailed.of(FailureKind.CREDENTIALS, "the token is not valid", unrecognized=True)
        return denied() if operation == "regions" else None

    source = SimulatedService(fault=fault)
    whole, _ = run(inventory_of(config(1, ("us-east-1", "af-south-1")), source))
    assert [target.status for target in whole.targets] == [TargetStatus.FAILED] * 2
    assert source.calls["regions"] == 1


def test_regions_come_page_after_page_as_long_as_there_are_new_ones() -> None:
    pages = {str(number): RegionPage((f"r-{number}",), str(number + 1)) for number in range(1, 150)}
    pages["150"] = RegionPage(("r-150",))
    source = SimulatedService(region_pages=lambda marker: pages[marker or "1"])
    whole, _ = run(inventory_of(ENABLED, source))
    assert (whole.coverage.targets.complete, whole.failures) == (150, ())


@pytest.mark.parametrize(
    ("listing", "describing", "told"),
    [
        # Denied both: the call that should have been allowed is named.
        (denied(), denied(), ("ListRegions", FailureKind.ACCESS_DENIED)),
        (CallFailed.of(FailureKind.NETWORK, "no route"), denied(), ("ListRegions", FailureKind.NETWORK)),
        (denied(), CallFailed.of(FailureKind.NETWORK, "no route"), ("DescribeRegions", FailureKind.NETWORK)),
        (
            denied(),
            CallFailed.of(FailureKind.CREDENTIALS, "expired"),
            ("DescribeRegions", FailureKind.CREDENTIALS),
        ),
    ],
)
def test_where_regions_cannot_be_known_the_decisive_failure_is_told_with_its_remedy(
    listing: CallFailed, describing: CallFailed, told: tuple[str, FailureKind]
) -> None:
    class Refusing(SimulatedService):
        async def list_regions(self, account_id: str, marker: str | None) -> RegionPage:
            raise listing

        async def describe_regions(self, account_id: str) -> RegionPage:
            raise describing

    whole, _ = run(inventory_of(ENABLED, Refusing()))
    (failure,) = whole.failures
    assert (failure.operation, failure.kind) == told
    advised = "scan.regions" in (failure.remedy or "")
    assert advised is (failure.kind is not FailureKind.CREDENTIALS)


@pytest.mark.parametrize("error", [throttle(), CallFailed.of(FailureKind.CREDENTIALS, "expired")])
def test_what_the_other_call_would_meet_too_is_not_asked_of_it(error: CallFailed) -> None:
    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        return error if operation == "regions" else None

    source = SimulatedService(fault=fault)
    whole, _ = run(inventory_of(ENABLED, source))
    assert source.calls["describe regions"] == 0
    assert [failure.operation for failure in whole.failures] == ["ListRegions"]


def test_calls_about_regions_are_none_of_storage_gateways() -> None:
    whole, _ = run(inventory_of(ENABLED, SimulatedService(gateways=0)))
    assert whole.coverage.calls.attempted == len(whole.targets) == 2


def test_every_target_is_planned_before_it_ends_whatever_becomes_of_it() -> None:
    """Progress and traces count by these two events."""

    def fault(operation: str, target: TargetKey, key: str | None, nth: int) -> CallFailed | None:
        return denied() if operation == "open" and target.account_id == "000000000002" else None

    regions = ("us-east-1", "eu-west-1", "ap-south-1")
    source = SimulatedService(fault=fault, not_offered=frozenset({"ap-south-1"}))
    events, _ = run(events_of(config(3, regions, exclude_regions=["eu-west-1"]), source))
    planned = [(event.account_id, event.region) for event in events if isinstance(event, TargetPlanned)]
    ended = [event.target for event in events if isinstance(event, TargetEnded)]
    assert sorted(planned) == sorted(target.key for target in ended)
    assert len(set(planned)) == len(planned) == 9
    statuses = Counter((target.account_id[-1], target.region, target.status.value) for target in ended)
    assert statuses["2", "eu-west-1", "skipped"] == statuses["2", "us-east-1", "failed"] == 1


def test_an_account_is_signed_in_to_again_when_its_session_ends_in_mid_scan() -> None:
    class Expiring(SimulatedService):
        async def list_gateways(self, target: TargetKey, marker: str | None) -> GatewayPage:
            page = await super().list_gateways(target, marker)
            self.signed.clear()
            return page

    source = Expiring(gateways=1)
    whole, _ = run(inventory_of(config(), source))
    assert whole.scan.outcome is Outcome.COMPLETE
    assert source.calls["open"] == 2
