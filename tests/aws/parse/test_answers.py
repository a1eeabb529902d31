"""Answers as records: types and ranges are checked, and one record's fault is told from a whole answer's."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.aws.parse.answers import gateway_page, recovery_points
from scanner.inventory.records import MAX_SIZE, FailureKind
from scanner.service.answers import ListedGateway, RecoveryPoint
from scanner.service.errors import InvalidResponse

NOW = datetime(2026, 11, 24, tzinfo=UTC)
GATEWAY = "arn:aws:storagegateway:us-east-1:111122223333:gateway/sgw-1"
VOLUME = f"{GATEWAY}/volume/vol-1"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def read(**fields: Any) -> RecoveryPoint:
    body = {"GatewayARN": GATEWAY, "VolumeRecoveryPointInfos": [{"VolumeARN": VOLUME, **fields}]}
    (volume,) = recovery_points(body, GATEWAY, NOW).volumes
    return volume


def test_a_record_keeps_sizes_to_the_byte_and_times_in_utc() -> None:
    found = read(
        VolumeSizeInBytes=MAX_SIZE,
        VolumeUsageInBytes=0,
        VolumeRecoveryPointTime="2026-11-23T10:00:00.001+02:00",
    )
    assert found == RecoveryPoint(VOLUME, MAX_SIZE, 0, datetime(2026, 11, 23, 8, 0, 0, 1000, UTC))


def test_what_is_missing_is_not_known() -> None:
    assert read() == read(VolumeSizeInBytes=None, VolumeRecoveryPointTime=None) == RecoveryPoint(VOLUME)


@pytest.mark.parametrize("field", ["VolumeSizeInBytes", "VolumeUsageInBytes"])
@pytest.mark.parametrize("value", ["1", -1, MAX_SIZE + 1, 1.0, True, False, [], {}, float("nan")])
def test_what_is_no_size_costs_its_gateway(field: str, value: object) -> None:
    with pytest.raises(InvalidResponse) as raised:
        read(**{field: value})
    assert (raised.value.facts.kind, raised.value.facts.retryable) == (FailureKind.INVALID_RESPONSE, False)
    assert field in raised.value.facts.message


@pytest.mark.parametrize(
    "value",
    [
        "",
        "now",
        "2026-11-23",
        "2026-11-23T08:00:00",
        "2026-11-23 08:00:00Z",
        "2026-13-01T00:00:00Z",
        "0001-01-01T00:00:00+23:00",
        "9999-12-31T23:59:59-23:00",
        "2026-11-23T08:00:00+99:99",
        "٢٠٢٦-11-23T08:00:00Z",
        "2026-11-23T08:00:00Z\n",
        0,
        1.5e9,
        True,
        [],
    ],
)
def test_what_is_no_time_costs_its_gateway(value: object) -> None:
    with pytest.raises(InvalidResponse, match="VolumeRecoveryPointTime is no time"):
        read(VolumeRecoveryPointTime=value)


@pytest.mark.parametrize("record", [None, 7, "x", [], {}, {"VolumeARN": None}, {"VolumeARN": 7}])
def test_a_record_that_names_no_volume_costs_its_gateway(record: object) -> None:
    with pytest.raises(InvalidResponse, match="names no volume") as raised:
        recovery_points({"VolumeRecoveryPointInfos": [record]}, GATEWAY, NOW)
    assert not raised.value.facts.retryable


@pytest.mark.parametrize("body", [{}, {"VolumeRecoveryPointInfos": None}, {"VolumeRecoveryPointInfos": {}}])
def test_an_answer_without_its_list_is_none_and_worth_another_try(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidResponse) as raised:
        recovery_points(body, GATEWAY, NOW)
    assert raised.value.facts.retryable


@pytest.mark.parametrize("named", [GATEWAY + "2", "", 7])
def test_an_answer_about_another_gateway_is_not_taken(named: object) -> None:
    with pytest.raises(InvalidResponse, match="another gateway") as raised:
        recovery_points({"GatewayARN": named, "VolumeRecoveryPointInfos": []}, GATEWAY, NOW)
    assert raised.value.facts.retryable


def test_an_answer_that_names_no_gateway_is_of_the_one_asked() -> None:
    assert recovery_points({"VolumeRecoveryPointInfos": []}, GATEWAY, NOW).observed_at is NOW


@pytest.mark.parametrize("entry", [None, 7, [], {}, {"GatewayARN": 7}])
def test_a_listed_entry_without_an_arn_is_still_counted(entry: object) -> None:
    assert gateway_page({"Gateways": [entry]}).gateways == (ListedGateway(None),)


@pytest.mark.parametrize(
    ("value", "shown"), [(7, None), ([], None), ({}, None), (True, None), ("half \udcff", "half \ufffd")]
)
def test_a_broken_name_is_left_out_and_named(value: object, shown: str | None) -> None:
    """No verdict needs it, so it costs nothing else."""
    (found,) = gateway_page({"Gateways": [{"GatewayARN": GATEWAY, "GatewayName": value}]}).gateways
    assert (found.arn, found.name, found.problem) == (GATEWAY, shown, None)
    assert found.dropped == ("GatewayName",)


def test_a_name_in_any_script_is_whole() -> None:
    (found,) = gateway_page({"Gateways": [{"GatewayARN": GATEWAY, "GatewayName": "Zürich 東京"}]}).gateways
    assert (found.name, found.dropped) == ("Zürich 東京", ())


@pytest.mark.parametrize("marker", [7, [], True])
def test_a_marker_that_is_no_text_breaks_the_page(marker: object) -> None:
    with pytest.raises(InvalidResponse) as raised:
        gateway_page({"Gateways": [], "Marker": marker})
    assert raised.value.facts.retryable


@given(st.fixed_dictionaries({}, optional={"Gateways": JSON, "Marker": JSON, "GatewayARN": JSON}))
def test_no_page_however_odd_breaks_more_than_itself(body: dict[str, Any]) -> None:
    try:
        page = gateway_page(body)
    except InvalidResponse:
        return
    assert len(page.gateways) == len(body["Gateways"])


@given(JSON, JSON, JSON)
def test_no_record_however_odd_breaks_more_than_itself(size: Any, usage: Any, time: Any) -> None:
    try:
        found = read(VolumeSizeInBytes=size, VolumeUsageInBytes=usage, VolumeRecoveryPointTime=time)
    except InvalidResponse:
        return
    assert found.size_bytes is None or 0 <= found.size_bytes <= MAX_SIZE
