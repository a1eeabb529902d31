"""Whatever becomes of the list of an account's Regions, the account stays in the books."""

from __future__ import annotations

from typing import Any

import pytest

from scanner import Inventory
from scanner.emulator import Account, Emulator, Fault, Fleet, Gateway, Role
from scanner.engine.calls.paging import EMPTY_PAGES
from tests.aws.scans import HUB, PROD, REGION, account, calls, config, scan

OTHER = "333344445555"
NEWER = [f"eu-north-{number}" for number in range(10, 75)]


def fleet(*faults: Fault) -> Fleet:
    """An account with 66 Regions, more than a page takes, and one beside it that nothing goes wrong with."""
    for fault in faults:
        fault.account = PROD
        fault.service = "ec2" if fault.operation == "DescribeRegions" else "account"
    roles = [Role("scan", trust=(HUB,))]
    return Fleet(
        [
            Account(HUB, regions=[REGION]),
            Account(PROD, regions=[REGION, *NEWER], roles=roles),
            Account(OTHER, regions=[REGION], gateways=[Gateway("sgw-12A3456B", REGION)], roles=roles),
        ],
        faults=list(faults),
        extra_regions=NEWER,
    )


async def scanned(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Inventory:
    accounts = (account(), {"id": OTHER, "role": "scan"})
    regions = {"regions": "enabled", "exclude_regions": NEWER}
    return await scan(emulator, monkeypatch, config(*accounts, scan=regions))


def regions_of(found: Inventory, account_id: str) -> set[str]:
    return {target.region for target in found.targets if target.account_id == account_id}


@pytest.mark.parametrize(
    "faults", [(), (Fault("empty_page", nth=1),), (Fault("empty_page", times=3),), (Fault("duplicate"),)]
)
async def test_every_page_is_read_whether_or_not_there_is_something_on_it(
    monkeypatch: pytest.MonkeyPatch, faults: tuple[Fault, ...]
) -> None:
    async with Emulator(fleet(*faults)) as emulator:
        found = await scanned(emulator, monkeypatch)
    assert not found.failures
    assert regions_of(found, PROD) == {REGION, *NEWER}
    empty = sum(fault.nth or fault.times or 0 for fault in faults)
    assert calls(emulator, "ListRegions", PROD) == 2 + empty


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault("mutate", patch={"Regions": []}, remove=["NextToken"]), "said to have no Region enabled"),
        (Fault("mutate", patch={"Regions": []}), "said to have no Region enabled"),
        (Fault("mutate", remove=["Regions"]), "Regions"),
        (Fault("endless_markers"), "the listing did not end"),
        (Fault("empty_page"), "the listing did not end"),
        (Fault("repeat_marker"), "a marker came twice"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
async def test_a_list_that_cannot_be_right_fails_its_account_and_no_other(
    monkeypatch: pytest.MonkeyPatch, fault: Fault, told: str
) -> None:
    """Once, within a bounded number of calls, and with nothing guessed."""
    async with Emulator(fleet(fault)) as emulator:
        found = await scanned(emulator, monkeypatch)
    (failure,) = found.failures
    facts: dict[str, Any] = failure.model_dump(include={"scope", "account_id", "operation", "kind"})
    assert facts == {
        "scope": "account",
        "account_id": PROD,
        "operation": "ListRegions",
        "kind": "invalid_response",
    }
    assert told in failure.message
    assert regions_of(found, PROD) == {"*"}
    assert calls(emulator, "ListRegions", PROD) <= EMPTY_PAGES + 2
    assert [target.status for target in found.targets if target.account_id == OTHER] == ["complete"]
    assert [gateway.account_id for gateway in found.gateways] == [OTHER]


async def test_an_empty_answer_of_the_other_service_is_believed_as_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused = Fault("access_denied")
    nothing = Fault("mutate", operation="DescribeRegions", patch={"regionInfo": []})
    async with Emulator(fleet(refused, nothing)) as emulator:
        found = await scanned(emulator, monkeypatch)
    (failure,) = found.failures
    assert (failure.scope, failure.account_id, failure.kind) == ("account", PROD, "invalid_response")
    assert regions_of(found, PROD) == {"*"}
