"""Storage Gateway: gateways, volumes and their recovery points."""

from __future__ import annotations

import re
from typing import Any

from ..fleets.accounts import Gateway, Volume
from ..protocol.errors import GatewayError, denied, invalid
from ..state.backend import VolumeEntry
from .policies import demand, tag_context
from .request import Operation, Request, operation

_GATEWAY_ARN = re.compile(r"arn:[a-z-]+:storagegateway:[a-z0-9-]+:\d{12}:gateway/sgw-[0-9A-F]{8,17}")
_VOLUME_ARN = re.compile(rf"({_GATEWAY_ARN.pattern})/volume/vol-[0-9A-F]{{8,17}}")
PAGE = 100


def _check_owner(request: Request, arn: str, action: str) -> None:
    """Refuses another account's or Region's ARN: no policy can allow it."""
    fields = arn.split(":")
    if fields[3] != request.region:
        raise GatewayError("InvalidParameters", "The specified gateway is in another Region.")
    if fields[4] != request.account_id:
        reason = f"because no resource-based policy allows the {action} action"
        raise denied(request.principal.arn, action, arn, reason)


def _find_gateway(request: Request, arn: str) -> Gateway:
    """The gateway of an ARN, if the caller may call it and it can be reached."""
    if not _GATEWAY_ARN.fullmatch(arn):
        raise GatewayError("InvalidParameters", "The specified gateway ARN is malformed.")
    action = f"storagegateway:{request.operation}"
    _check_owner(request, arn, action)
    found = request.backend.gateways.get(arn)
    demand(request.principal, action, arn, tag_context(found[1].tags) if found else None)
    if found is None:
        raise GatewayError("GatewayNotFound")
    gateway = found[1]
    if gateway.error is not None:
        raise GatewayError(gateway.error)
    return gateway


def _gateway_arn(request: Request, *, required: bool = True) -> str | None:
    return request.text("GatewayARN", 50, 500, required=required)


def _paged(request: Request, keys: list[str], extra: str = "") -> tuple[range, dict[str, str]]:
    size = request.number("Limit", PAGE, 1, 100)
    page = request.page(keys, size, request.text("Marker", 1, 2000), extra=extra)
    if page is None:
        raise GatewayError("InvalidParameters", "The specified marker is invalid.")
    chosen, marker = page
    return chosen, {} if marker is None else {"Marker": marker}


def list_gateways(request: Request) -> dict[str, Any]:
    demand(request.principal, "storagegateway:ListGateways")
    known = request.backend.gateways_in(request.account_id, request.region)
    chosen, marker = _paged(request, [arn for arn, _ in known])
    return {"Gateways": [_info(*known[index]) for index in chosen], **marker}


def _info(arn: str, gateway: Gateway) -> dict[str, Any]:
    info = {
        "GatewayARN": arn,
        "GatewayId": gateway.id,
        "GatewayOperationalState": gateway.state,
        "GatewayType": gateway.type,
        "HostEnvironment": gateway.host_environment,
        "SoftwareVersion": gateway.software_version,
    }
    if gateway.name is not None:
        info["GatewayName"] = gateway.name
    if gateway.host_environment == "EC2":
        info["Ec2InstanceId"] = f"i-0{gateway.id[4:].lower():0>16}"
        info["Ec2InstanceRegion"] = gateway.region
    return info


def list_volume_recovery_points(request: Request) -> dict[str, Any]:
    arn = _gateway_arn(request) or ""
    gateway = _find_gateway(request, arn)
    if gateway.type != "CACHED":
        raise GatewayError("UnsupportedOperationForGatewayType")
    points = []
    for entry in request.backend.volumes_of(arn, gateway):
        volume = entry.volume
        time = request.backend.recovery_time(volume)
        if time is None:
            continue
        point = {
            "VolumeARN": entry.arn,
            "VolumeSizeInBytes": volume.size_bytes,
            "VolumeRecoveryPointTime": time,
        }
        if volume.usage_bytes is not None:
            point["VolumeUsageInBytes"] = volume.usage_bytes
        points.append(point)
    return {"GatewayARN": arn, "VolumeRecoveryPointInfos": points}


def list_volumes(request: Request) -> dict[str, Any]:
    """The volumes of a gateway, or without one all of the account in the Region, detached ones included."""
    arn = _gateway_arn(request, required=False)
    demand(request.principal, "storagegateway:ListVolumes")
    if arn is None:
        entries = request.backend.volumes_in(request.account_id, request.region)
    else:
        if not _GATEWAY_ARN.fullmatch(arn):
            raise GatewayError("InvalidParameters", "The specified gateway ARN is malformed.")
        _check_owner(request, arn, "storagegateway:ListVolumes")
        found = request.backend.gateways.get(arn)
        if found is None:
            raise GatewayError("GatewayNotFound")
        entries = request.backend.volumes_of(arn, found[1])
    entries.sort(key=lambda entry: entry.arn)
    chosen, marker = _paged(request, [entry.arn for entry in entries], extra=arn or "")
    answer: dict[str, Any] = {"VolumeInfos": [_volume_info(entries[index]) for index in chosen], **marker}
    if arn is not None:
        answer["GatewayARN"] = arn
    return answer


def _volume_info(entry: VolumeEntry) -> dict[str, Any]:
    info = {
        "VolumeARN": entry.arn,
        "VolumeId": entry.volume.id,
        "VolumeType": entry.type,
        "VolumeSizeInBytes": entry.volume.size_bytes,
        "VolumeAttachmentStatus": entry.volume.attachment_status,
    }
    if entry.gateway is not None:
        info["GatewayARN"] = entry.gateway_arn
        info["GatewayId"] = entry.gateway.id
    return info


def list_file_shares(request: Request) -> dict[str, Any]:
    """No gateway here has file shares; whoever lists them must not fail."""
    arn = _gateway_arn(request, required=False)
    demand(request.principal, "storagegateway:ListFileShares")
    if arn is not None:
        if not _GATEWAY_ARN.fullmatch(arn):
            raise GatewayError("InvalidParameters", "The specified gateway ARN is malformed.")
        _check_owner(request, arn, "storagegateway:ListFileShares")
        if arn not in request.backend.gateways:
            raise GatewayError("GatewayNotFound")
    _paged(request, [], extra=arn or "")
    return {"FileShareInfoList": []}


def _tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def describe_gateway_information(request: Request) -> dict[str, Any]:
    arn = _gateway_arn(request) or ""
    gateway = _find_gateway(request, arn)
    number = int(gateway.id[4:12], 16)
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    answer: dict[str, Any] = {
        **_info(arn, gateway),
        "GatewayTimezone": "GMT",
        "GatewayState": "RUNNING",
        "GatewayNetworkInterfaces": [{"Ipv4Address": address}],
        "LastSoftwareUpdate": "2026-06-01T03:00:00",
        "EndpointType": "STANDARD",
        "GatewayCapacity": "Small",
        "SupportedGatewayCapacities": ["Small", "Medium", "Large"],
        # Ten at most; the rest is what ListTagsForResource is for.
        "Tags": _tag_list(gateway.tags)[:10],
    }
    del answer["GatewayOperationalState"]
    return answer


def describe_cached_iscsi_volumes(request: Request) -> dict[str, Any]:
    arns = request.params.get("VolumeARNs")
    if not isinstance(arns, list) or not all(isinstance(arn, str) for arn in arns):
        raise invalid("Value null at 'volumeARNs' failed to satisfy constraint: Member must not be null")
    owner = _single_owner(arns)
    action = "storagegateway:DescribeCachediSCSIVolumes"
    _check_owner(request, owner, action)
    found = request.backend.gateways.get(owner)
    detached = {entry.arn: entry for entry in request.backend.detached_in(request.account_id, request.region)}
    attached = {entry.arn: entry for entry in request.backend.volumes_of(owner, found[1])} if found else {}
    known = attached | detached
    for arn in arns:
        demand(request.principal, action, arn, tag_context(known[arn].volume.tags) if arn in known else None)
    if not detached.keys() >= set(arns):
        _check_serves_cached(found[1] if found else None)
    if not known.keys() >= set(arns):
        raise GatewayError("VolumeNotFound")
    if any(known[arn].type != "CACHED" for arn in arns):
        raise GatewayError("UnsupportedOperationForGatewayType")
    return {"CachediSCSIVolumes": [_describe(request, known[arn], owner) for arn in arns]}


def _check_serves_cached(gateway: Gateway | None) -> None:
    if gateway is None:
        raise GatewayError("GatewayNotFound")
    if gateway.error is not None:
        raise GatewayError(gateway.error)
    if gateway.type != "CACHED":
        raise GatewayError("UnsupportedOperationForGatewayType")


def _single_owner(arns: list[str]) -> str:
    """The gateway that all of the ARNs name."""
    owners = set()
    for arn in arns:
        match = _VOLUME_ARN.fullmatch(arn)
        if match is None:
            raise GatewayError("InvalidParameters", f"The specified volume ARN is malformed: {arn}")
        owners.add(match[1])
    if len(owners) != 1:
        raise GatewayError("InvalidParameters", "All volumes must be of one gateway, and there must be one.")
    return owners.pop()


def _describe(request: Request, entry: VolumeEntry, owner: str) -> dict[str, Any]:
    volume = entry.volume
    described: dict[str, Any] = {
        "VolumeARN": entry.arn,
        "VolumeId": volume.id,
        "VolumeType": "CACHED iSCSI",
        "VolumeStatus": volume.status,
        "VolumeAttachmentStatus": volume.attachment_status,
        "VolumeSizeInBytes": volume.size_bytes,
        "CreatedDate": request.backend.started_at.timestamp() - 400 * 86400,
        "TargetName": volume.id.lower(),
    }
    if volume.attachment_status == "ATTACHED":
        described["VolumeiSCSIAttributes"] = _iscsi_target(volume, owner)
    if volume.usage_bytes is not None:
        described["VolumeUsedInBytes"] = volume.usage_bytes
    if volume.kms_key is not None:
        described["KMSKey"] = volume.kms_key
    return described


def _iscsi_target(volume: Volume, gateway_arn: str) -> dict[str, Any]:
    return {
        "TargetARN": f"{gateway_arn}/target/iqn.1997-05.com.amazon:{volume.id.lower()}",
        "NetworkInterfaceId": "10.0.0.10",
        "NetworkInterfacePort": 3260,
        "LunNumber": 1,
        "ChapEnabled": False,
    }


def list_tags_for_resource(request: Request) -> dict[str, Any]:
    arn = request.text("ResourceARN", 50, 500, required=True) or ""
    match = _VOLUME_ARN.fullmatch(arn)
    owner = match[1] if match else arn
    if not _GATEWAY_ARN.fullmatch(owner):
        raise GatewayError("InvalidParameters", "The specified resource ARN is malformed.")
    action = "storagegateway:ListTagsForResource"
    _check_owner(request, arn, action)
    found = request.backend.gateways.get(owner)
    tags = found[1].tags if found else None
    if match:
        entry = request.backend.find_volume(arn)
        tags = entry.volume.tags if entry else None
    demand(request.principal, action, arn, tag_context(tags or {}))
    if tags is None:
        raise GatewayError("VolumeNotFound" if match and found else "GatewayNotFound")
    listed = _tag_list(tags)
    chosen, marker = _paged(request, [tag["Key"] for tag in listed], extra=arn)
    return {"ResourceARN": arn, "Tags": [listed[index] for index in chosen], **marker}


OPERATIONS: dict[str, Operation] = {
    "ListGateways": operation(list_gateways, "Limit", "Marker"),
    "ListVolumeRecoveryPoints": operation(list_volume_recovery_points, "GatewayARN"),
    "ListVolumes": operation(list_volumes, "GatewayARN", "Limit", "Marker"),
    "ListFileShares": operation(list_file_shares, "GatewayARN", "Limit", "Marker"),
    "DescribeGatewayInformation": operation(describe_gateway_information, "GatewayARN"),
    "DescribeCachediSCSIVolumes": operation(describe_cached_iscsi_volumes, "VolumeARNs"),
    "ListTagsForResource": operation(list_tags_for_resource, "ResourceARN", "Limit", "Marker"),
}
