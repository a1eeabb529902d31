from __future__ import annotations

from typing import Any

import pytest

from scanner.emulator import Emulator, Fault

from ..clients import client, in_thread
from .fleets import fleet


async def test_fields_can_be_changed_and_removed() -> None:
    def double(answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "VolumeRecoveryPointInfos": answer["VolumeRecoveryPointInfos"] * 2}

    infos = "VolumeRecoveryPointInfos"
    rules = [
        Fault("mutate", nth=1, patch={f"{infos}.*.VolumeSizeInBytes": -1, f"{infos}.7.x": 1, "a.b": 1}),
        Fault("mutate", nth=1, remove=[f"{infos}.0", f"{infos}.0.VolumeRecoveryPointTime", "none"]),
        Fault("mutate", nth=1, change=double),
    ]
    for rule in rules:
        rule.operation = "ListVolumeRecoveryPoints"
    served = fleet(*rules)
    arn = served.accounts[0].arn_of(served.accounts[0].gateways[0])
    async with Emulator(served) as emulator:

        def use() -> None:
            api = client(emulator, "storagegateway")
            answers = [api.list_volume_recovery_points(GatewayARN=arn)[infos] for _ in range(4)]
            assert [point["VolumeSizeInBytes"] for point in answers[0]] == [-1, -1]
            assert ["VolumeRecoveryPointTime" in point for point in answers[1]] == [False]
            assert len(answers[2]) == 4
            assert len(answers[3]) == 2

        await in_thread(use)


async def test_records_can_come_twice_or_be_of_others() -> None:
    operation, infos = "ListVolumeRecoveryPoints", "VolumeRecoveryPointInfos"
    rules = (
        Fault("duplicate", operation=operation, nth=1),
        Fault("foreign_account", operation=operation, nth=1),
        Fault("foreign_account", operation=operation, nth=1, other="123456789012"),
        Fault("foreign_region", operation=operation, nth=1),
    )
    served = fleet(*rules)
    arn = served.accounts[0].arn_of(served.accounts[0].gateways[0])
    async with Emulator(served) as emulator:

        def use() -> None:
            api = client(emulator, "storagegateway")
            answers = [api.list_volume_recovery_points(GatewayARN=arn) for _ in range(5)]
            assert {answer["GatewayARN"] for answer in answers} == {arn}
            owners = [
                [tuple(point["VolumeARN"].split(":")[3:5]) for point in answer[infos]] for answer in answers
            ]
            own = served.accounts[0].id
            assert owners == [
                [("us-east-1", own)] * 4,
                [("us-east-1", "999999999999")] * 2,
                [("us-east-1", "123456789012")] * 2,
                [("ap-south-2", own)] * 2,
                [("us-east-1", own)] * 2,
            ]

        await in_thread(use)


async def test_markers_can_repeat_or_never_end() -> None:
    rules = (Fault("repeat_marker", times=3), Fault("endless_markers"))
    async with Emulator(fleet(*rules)) as emulator:

        def use() -> None:
            api = client(emulator, "storagegateway")
            same = [api.list_gateways()["Marker"]]
            same += [api.list_gateways(Marker=same[0])["Marker"] for _ in range(2)]
            assert len(set(same)) == 1
            marker, seen = api.list_gateways()["Marker"], set()
            for _ in range(5):
                seen.add(marker)
                marker = api.list_gateways(Marker=marker)["Marker"]
            assert len(seen) == 5

        await in_thread(use)


async def test_an_empty_page_loses_nothing_for_who_goes_on() -> None:
    async with Emulator(fleet(Fault("empty_page", nth=1), Fault("empty_page", nth=2))) as emulator:

        def use() -> None:
            pages = client(emulator, "storagegateway").get_paginator("list_gateways")
            sizes = [len(page["Gateways"]) for page in pages.paginate(PaginationConfig={"PageSize": 2})]
            assert sizes == [0, 2, 0, 1]

        await in_thread(use)


@pytest.mark.parametrize(
    ("service", "method", "key", "arguments"),
    [
        ("organizations", "list_accounts_for_parent", "Accounts", {"ParentId": "r-ab12"}),
        ("account", "list_regions", "Regions", {}),
        ("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", {}),
    ],
)
async def test_an_empty_page_of_any_service_leads_on_to_what_it_left_out(
    service: str, method: str, key: str, arguments: dict[str, str]
) -> None:
    name = "tagging" if service.startswith("resource") else service
    served = fleet(Fault("empty_page", service=name, nth=1))
    served.accounts[0].gateways[0].tags = {"tier": "1"}
    async with Emulator(served) as emulator:

        def use() -> None:
            pages = client(emulator, service).get_paginator(method).paginate(**arguments)
            first, *rest = [page[key] for page in pages]
            assert first == []
            assert rest[0]

        await in_thread(use)
