"""One target: what its listing names is counted once, read once, and never lost."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from scanner.inventory.events import Event, FieldsDropped, GatewaysListed
from scanner.inventory.model import Inventory
from scanner.inventory.records import FailureKind, Outcome, TargetStatus
from scanner.service.answers import (
    GatewayPage,
    ListedGateway,
    ListedVolume,
    RecoveryPoint,
    RecoveryPoints,
    VolumePage,
)
from scanner.service.errors import CallFailed, RegionNotOffered
from scanner.service.protocol import TargetKey
from tests.engine.simulated import NOW, SimulatedService, cached, config, events_of, inventory_of
from tests.virtual import run

TARGET = TargetKey("000000000001", "us-east-1")
REGION = "arn:aws:storagegateway:us-east-1:000000000001"
NAMELESS = ListedGateway(None, "no ARN", "CACHED")


def paged(*pages: tuple[ListedGateway, ...]) -> Callable[[TargetKey, str | None], GatewayPage]:
    """A listing of these pages."""

    def page(target: TargetKey, marker: str | None) -> GatewayPage:
        number = int(marker or 0)
        return GatewayPage(pages[number], str(number + 1) if number + 1 < len(pages) else None)

    return page


def scanned(service: SimulatedService, **scan: object) -> Inventory:
    return run(inventory_of(config(**scan), service))[0]  # type: ignore[arg-type]


def events(service: SimulatedService) -> list[Event]:
    return run(events_of(config(), service))[0]


def test_each_page_is_told_with_all_of_its_entries_broken_ones_too() -> None:
    service = SimulatedService(pages=paged((cached(TARGET, 0), NAMELESS), (cached(TARGET, 1),)))
    listed = [event.gateways for event in events(service) if isinstance(event, GatewaysListed)]
    assert listed == [2, 1]


def test_a_gateway_that_two_pages_name_is_read_once() -> None:
    """The listing moves while it is read, so its pages may overlap."""
    service = SimulatedService(pages=paged((cached(TARGET, 0), cached(TARGET, 1)), (cached(TARGET, 1),)))
    whole = scanned(service)
    assert (whole.coverage.gateways.listed, service.calls["read"]) == (2, 2)
    assert whole.scan.outcome is Outcome.COMPLETE


def test_a_broken_field_of_a_gateway_is_told_as_an_event() -> None:
    broken = replace(cached(TARGET, 0), name=None, dropped=("GatewayName",))
    told = [
        event
        for event in events(SimulatedService(pages=paged((broken,))))
        if isinstance(event, FieldsDropped)
    ]
    assert told == [FieldsDropped(broken.arn or "", "ListGateways", ("GatewayName",))]


def test_tags_and_volumes_are_asked_for_once_however_many_pages_name_gateways() -> None:
    service = SimulatedService(gateways=6, page_size=2)
    scanned(service, details=["tags"], list_volumes="with_gateways")
    assert (service.calls["list"], service.calls["tags"], service.calls["list volumes"]) == (3, 1, 1)


def test_a_listing_that_breaks_off_keeps_what_it_named_and_is_no_skipped_region() -> None:
    """A Region that named a gateway offers the service, whatever it answers afterwards."""

    def pages(target: TargetKey, marker: str | None) -> GatewayPage:
        if marker:
            raise RegionNotOffered.of(FailureKind.NETWORK, "no such host", connected=False)
        return GatewayPage((cached(target, 0),), "more")

    whole = scanned(SimulatedService(pages=pages))
    assert (whole.targets[0].status, whole.targets[0].gateways) == (TargetStatus.PARTIAL, 1)
    assert [failure.operation for failure in whole.failures] == ["ListGateways"]


@pytest.mark.parametrize(("entries", "failures"), [((), 1), ((NAMELESS,), 1)])
def test_a_gateway_that_only_a_volume_names_is_no_second_failure_beside_a_nameless_entry(
    entries: tuple[ListedGateway, ...], failures: int
) -> None:
    """The entry without an ARN may be that very gateway."""
    unlisted = f"{REGION}:gateway/sgw-0000000F"
    volume = ListedVolume(f"{unlisted}/volume/vol-1", 1, "ATTACHED", unlisted, "CACHED")
    service = SimulatedService(
        pages=paged((cached(TARGET, 0), *entries)), listed=lambda _: VolumePage((volume,))
    )
    whole = scanned(service, list_volumes="with_gateways")
    assert len(whole.failures) == failures
    assert whole.targets[0].status is TargetStatus.PARTIAL
    assert whole.coverage.volumes.unknown == 1


@pytest.mark.parametrize("answering", [0, 1])
def test_a_volume_that_a_silent_gateway_holds_by_the_list_stands_as_the_other_one_answered(
    answering: int,
) -> None:
    """It was moved meanwhile: whoever answers for it knows more than the list."""
    holder = f"{REGION}:gateway/sgw-0000000{1 - answering}"

    def points(target: TargetKey, gateway: str) -> RecoveryPoints:
        if gateway == holder:
            raise CallFailed.of(FailureKind.GATEWAY_UNREACHABLE, "not connected")
        record = RecoveryPoint(f"{REGION}:volume/vol-1", 1, None, NOW - timedelta(hours=1))
        return RecoveryPoints(NOW, (record,))

    volume = ListedVolume(f"{REGION}:volume/vol-1", 1, "ATTACHED", holder, "CACHED")
    service = SimulatedService(gateways=2, points=points, listed=lambda _: VolumePage((volume,)))
    (found,) = scanned(service, list_volumes="with_gateways").volumes
    assert found.gateway_arn == f"{REGION}:gateway/sgw-0000000{answering}"
    assert found.verdict.age_seconds == 3600.0


def test_a_target_is_read_by_as_many_workers_as_it_may_have_calls_in_flight() -> None:
    """While it is still being listed, and afterwards."""
    service = SimulatedService(gateways=40, page_size=10)
    scanned(service, max_concurrency_per_target=3)
    assert service.peak[TARGET] == 3
    alone = SimulatedService(gateways=40, page_size=10)
    scanned(alone, max_concurrency_per_target=1)
    assert alone.peak[TARGET] == 1


def test_a_few_unlisted_gateways_are_named_and_of_many_only_the_first() -> None:
    def told(count: int) -> str:
        volumes = tuple(
            ListedVolume(f"{holder}/volume/vol-{number}", 1, "ATTACHED", holder, "CACHED")
            for number in range(count)
            for holder in (f"{REGION}:gateway/sgw-000000F{number}",)
        )
        service = SimulatedService(gateways=1, listed=lambda _: VolumePage(volumes))
        (failure,) = scanned(service, list_volumes="with_gateways").failures
        return failure.message

    assert told(3).count("sgw-") == 3
    assert told(4).count("sgw-") == 3
    assert not told(3).endswith(", ...")
    assert told(4).endswith(", ...")
