"""The answers to the extra calls of `scan.details`, as records."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from scanner.aws.parse.answers import answered_for, entries, readable, size, text
from scanner.inventory.records import rfc3339
from scanner.service.answers import GatewayDescription, ListedVolume, TagPage, VolumeDescription, VolumePage
from scanner.service.errors import InvalidResponse

GATEWAY_TEXTS = {
    "GatewayState": "state",
    "GatewayTimezone": "time_zone",
    "EndpointType": "endpoint_type",
    "VPCEndpoint": "vpc_endpoint",
    "NextUpdateAvailabilityDate": "next_update_available",
    "LastSoftwareUpdate": "last_software_update",
    "SoftwareUpdatesEndDate": "software_updates_end",
    "GatewayCapacity": "capacity",
    "HostEnvironmentId": "host_environment_id",
    "Ec2InstanceRegion": "ec2_instance_region",
    "CloudWatchLogGroupARN": "log_group_arn",
}
VOLUME_TEXTS = {
    "VolumeStatus": "status",
    "VolumeType": "type",
    "SourceSnapshotId": "source_snapshot_id",
    "KMSKey": "kms_key",
    "TargetName": "target_name",
}
INTERFACE_TEXTS = {"Ipv4Address": "ipv4", "Ipv6Address": "ipv6", "MacAddress": "mac"}


def gateway_description(body: Mapping[str, Any], gateway_arn: str) -> GatewayDescription:
    """The answer of DescribeGatewayInformation; raises InvalidResponse when it is none."""
    if "GatewayARN" not in body:
        raise InvalidResponse.because("the answer describes no gateway", whole=True)
    answered_for(body, gateway_arn)
    details: dict[str, Any] = _texts(body, GATEWAY_TEXTS)
    if "GatewayNetworkInterfaces" in body:
        details["network_interfaces"] = [
            _texts(entry, INTERFACE_TEXTS) for entry in _mappings(body, "GatewayNetworkInterfaces")
        ]
    return GatewayDescription(details, _tags(body) if "Tags" in body else {})


def volume_page(body: Mapping[str, Any]) -> VolumePage:
    """A page of ListVolumes; raises InvalidResponse when it is of another shape."""
    return VolumePage(tuple(map(_listed, entries(body, "VolumeInfos"))), text(body, "Marker", whole=True))


def _listed(entry: Any) -> ListedVolume:
    try:
        if not isinstance(entry, Mapping):
            raise InvalidResponse.because("it is no record")
        (attached, attached_whole), (type, type_whole) = (
            readable(entry.get(key)) for key in ("VolumeAttachmentStatus", "VolumeType")
        )
        return ListedVolume(
            _arn(entry, "VolumeARN"),
            size(entry, "VolumeSizeInBytes"),
            attached,
            text(entry, "GatewayARN", whole=True),
            type,
            dropped=(
                *([] if attached_whole else ["VolumeAttachmentStatus"]),
                *([] if type_whole else ["VolumeType"]),
            ),
        )
    except InvalidResponse as broken:
        return ListedVolume("", problem=f"an entry of the listing is broken: {broken.facts.message}")


def volume_descriptions(body: Mapping[str, Any]) -> tuple[VolumeDescription, ...]:
    """The answer of DescribeCachediSCSIVolumes; raises InvalidResponse when it is of another shape."""
    return tuple(
        VolumeDescription(
            _arn(entry, "VolumeARN"),
            _volume_details(entry),
            size(entry, "VolumeSizeInBytes"),
            size(entry, "VolumeUsedInBytes"),
            text(entry, "VolumeAttachmentStatus"),
        )
        for entry in _mappings(body, "CachediSCSIVolumes")
    )


def _volume_details(entry: Mapping[str, Any]) -> dict[str, Any]:
    details: dict[str, Any] = _texts(entry, VOLUME_TEXTS)
    created = entry.get("CreatedDate")
    if created is not None:
        if isinstance(created, bool) or not isinstance(created, int | float):
            raise InvalidResponse.because(f"CreatedDate is no time: {str(created)[:100]!r}")
        try:
            details["created_at"] = rfc3339(datetime.fromtimestamp(created, UTC))
        except (ValueError, OverflowError, OSError):
            raise InvalidResponse.because(f"CreatedDate is no time: {created}") from None
    return details


def tag_page(body: Mapping[str, Any]) -> TagPage:
    """A page of GetResources; raises InvalidResponse when it is of another shape."""
    found = {_arn(entry, "ResourceARN"): _tags(entry) for entry in _mappings(body, "ResourceTagMappingList")}
    # The last page says so with an empty token.
    return TagPage(found, text(body, "PaginationToken", whole=True) or None)


def _tags(fields: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for entry in _mappings(fields, "Tags"):
        key = text(entry, "Key", whole=True)
        if key is None:
            raise InvalidResponse.because("a tag has no key", whole=True)
        found[key] = text(entry, "Value", whole=True) or ""
    return found


def _mappings(fields: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = entries(fields, key)
    if not all(isinstance(entry, Mapping) for entry in found):
        raise InvalidResponse.because(f"the answer's {key} are no records", whole=True)
    return found


def _arn(fields: Mapping[str, Any], key: str) -> str:
    arn = text(fields, key, whole=True)
    if arn is None:
        raise InvalidResponse.because(f"a record has no {key}", whole=True)
    return arn


def _texts(fields: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {name: value for key, name in names.items() if (value := text(fields, key)) is not None}
