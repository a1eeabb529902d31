"""The service's answers as records: types and ranges are checked here, what they mean is the engine's."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from scanner.inventory.records import MAX_SIZE
from scanner.service.answers import GatewayPage, ListedGateway, RecoveryPoint, RecoveryPoints
from scanner.service.errors import InvalidResponse

LONGEST_NAME = 1024
"""Characters that are kept of a name, a state or a tag; AWS allows 256 at most."""
SURROGATES = re.compile("[\ud800-\udfff]")
"""Half a character each, which JSON can carry."""
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)", re.ASCII)
"""ListVolumeRecoveryPoints gives times as text; without an offset they would have to be guessed at."""


def gateway_page(body: Mapping[str, Any]) -> GatewayPage:
    """A page of ListGateways; raises InvalidResponse when it is of another shape."""
    return GatewayPage(tuple(map(_gateway, entries(body, "Gateways"))), text(body, "Marker", whole=True))


def _gateway(entry: Any) -> ListedGateway:
    fields = entry if isinstance(entry, Mapping) else {}
    arn = fields.get("GatewayARN")
    if not isinstance(arn, str):
        return ListedGateway(None)
    dropped: list[str] = []

    def shown(key: str) -> str | None:
        value, whole = readable(fields.get(key))
        if not whole:
            dropped.append(key)
        return value

    return ListedGateway(
        arn,
        name=shown("GatewayName"),
        type=shown("GatewayType"),
        operational_state=shown("GatewayOperationalState"),
        host_environment=shown("HostEnvironment"),
        ec2_instance_id=shown("Ec2InstanceId"),
        software_version=shown("SoftwareVersion"),
        deprecation_date=shown("DeprecationDate"),
        dropped=tuple(dropped),
    )


def recovery_points(body: Mapping[str, Any], gateway_arn: str, observed_at: datetime) -> RecoveryPoints:
    """The answer of ListVolumeRecoveryPoints about `gateway_arn`; a broken record raises InvalidResponse."""
    answered_for(body, gateway_arn)
    return RecoveryPoints(
        observed_at,
        tuple(_volume(record) for record in entries(body, "VolumeRecoveryPointInfos")),
    )


def _volume(record: Any) -> RecoveryPoint:
    if not isinstance(record, Mapping) or not isinstance(record.get("VolumeARN"), str):
        raise InvalidResponse.because("a record names no volume")
    return RecoveryPoint(
        record["VolumeARN"],
        size_bytes=size(record, "VolumeSizeInBytes"),
        usage_bytes=size(record, "VolumeUsageInBytes"),
        time=_time(record.get("VolumeRecoveryPointTime")),
    )


def answered_for(body: Mapping[str, Any], gateway_arn: str) -> None:
    """Raises InvalidResponse when the answer is about another gateway than the one asked."""
    named = body.get("GatewayARN")
    if named not in (None, gateway_arn):
        raise InvalidResponse.because(
            f"the answer is about another gateway: {str(named)[:200]!r}", whole=True
        )


def entries(body: Mapping[str, Any], key: str) -> list[Any]:
    """The list under `key`; raises InvalidResponse when there is none: something else has answered."""
    found = body.get(key)
    if not isinstance(found, list):
        raise InvalidResponse.because(f"the answer has no list of {key}", whole=True)
    return found


def text(fields: Mapping[str, Any], key: str, *, whole: bool = False) -> str | None:
    """The text under `key`, None if there is none; raises InvalidResponse for another type.

    `whole`: it is not cut, as a marker must come back as it is.
    """
    value = fields.get(key)
    if value is None:
        return None
    if isinstance(value, str) and not SURROGATES.search(value):
        return value if whole else _cut(value)
    raise InvalidResponse.because(f"{key} is no text: {str(value)[:100]!r}", whole=whole)


def readable(value: Any) -> tuple[str | None, bool]:
    """A text that no verdict needs, as far as it can be shown, and whether that is all of it.

    What is no text becomes None; lone surrogates, which no file and no terminal can show, become U+FFFD.
    """
    if not isinstance(value, str):
        return None, value is None
    if value.isascii():
        return _cut(value), True
    shown = SURROGATES.sub("\ufffd", value)
    return _cut(shown), shown == value


def _cut(value: str) -> str:
    return value if len(value) <= LONGEST_NAME else value[: LONGEST_NAME - 1] + "…"


def size(fields: Mapping[str, Any], key: str) -> int | None:
    """The bytes under `key`, None if there are none; raises InvalidResponse for what is no size."""
    value = fields.get(key)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= MAX_SIZE:
        raise InvalidResponse.because(f"{key} is no size in bytes: {str(value)[:100]!r}")
    return value


def _time(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        if isinstance(value, str) and TIME.fullmatch(value):
            return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InvalidResponse.because(f"VolumeRecoveryPointTime is no time: {str(value)[:100]!r}")
