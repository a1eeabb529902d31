"""Storage Gateway: what the fleet answers about gateways, volumes and recovery points."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .errors import GatewayError, ServiceError, invalid
from .fleet import Gateway, Volume
from .iam import demand, tag_context
from .world import Call

_GATEWAY_ARN = re.compile(r"arn:[a-z-]+:storagegateway:[a-z0-9-]+:\d{12}:gateway/sgw-[0-9A-F]{8,17}")
_VOLUME_ARN = re.compile(rf"({_GATEWAY_ARN.pattern})/volume/vol-[0-9A-F]{{8,17}}")
_VOLUME_TYPES = {"CACHED": "CACHED iSCSI", "STORED": "STORED iSCSI"}
PAGE = 100


def _foreign(call: Call, arn: str, action: str) -> None:
    """Another account's or Region's ARN: no policy can allow it."""
    fields = arn.split(":")
    if fields[3] != call.region:
        raise GatewayError("InvalidParameters", "The specified gateway is in another Region.")
    if fields[4] != call.account_id:
        raise ServiceError(
            "AccessDeniedException",
            f"User: {call.caller.arn} is not authorized to perform: {action} on resource: {arn} "
            f"because no resource-based policy allows the {action} action",
        )


def _find(call: Call, arn: str, *, ask: bool = True) -> Gateway:
    """The gateway of an ARN for a caller who may ask about it; `ask` needs it to be reachable."""
    if not _GATEWAY_ARN.fullmatch(arn):
        raise GatewayError("InvalidParameters", "The specified gateway ARN is malformed.")
    action = f"storagegateway:{call.operation}"
    _foreign(call, arn, action)
    found = call.world.gateways.get(arn)
    demand(call.caller, action, arn, tag_context(found[1].tags) if found else None)
    if found is None:
        raise GatewayError("GatewayNotFound")
    gateway = found[1]
    if ask and gateway.error is not None:
        raise GatewayError(gateway.error)
    return gateway


def _gateway_arn(call: Call, *, required: bool = True) -> str | None:
    return call.text("GatewayARN", 50, 500, required=required)


def _paged(call: Call, keys: list[str], extra: str = "") -> tuple[range, dict[str, str]]:
    size = call.number("Limit", PAGE, 1, 100)
    page = call.page(keys, size, call.text("Marker", 1, 2000), extra=extra)
    if page is None:
        raise GatewayError("InvalidParameters", "The specified marker is invalid.")
    chosen, marker = page
    return chosen, {} if marker is None else {"Marker": marker}


def list_gateways(call: Call) -> dict[str, Any]:
    demand(call.caller, "storagegateway:ListGateways")
    known = call.world.targets.get((call.account_id, call.region), [])
    chosen, marker = _paged(call, [arn for arn, _ in known])
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


def list_volume_recovery_points(call: Call) -> dict[str, Any]:
    arn = _gateway_arn(call) or ""
    gateway = _find(call, arn)
    if gateway.type != "CACHED":
        raise GatewayError("UnsupportedOperationForGatewayType")
    points = []
    for volume in gateway.volumes:
        time = call.world.recovery_time(volume)
        if time is None:
            continue
        point = {
            "VolumeARN": call.world.volume_arn(arn, volume),
            "VolumeSizeInBytes": volume.size_bytes,
            "VolumeRecoveryPointTime": time,
        }
        if volume.usage_bytes is not None:
            point["VolumeUsageInBytes"] = volume.usage_bytes
        points.append(point)
    return {"GatewayARN": arn, "VolumeRecoveryPointInfos": points}


def list_volumes(call: Call) -> dict[str, Any]:
    arn = _gateway_arn(call, required=False)
    demand(call.caller, "storagegateway:ListVolumes")
    if arn is None:
        gateways = call.world.targets.get((call.account_id, call.region), [])
    else:
        if not _GATEWAY_ARN.fullmatch(arn):
            raise GatewayError("InvalidParameters", "The specified gateway ARN is malformed.")
        _foreign(call, arn, "storagegateway:ListVolumes")
        found = call.world.gateways.get(arn)
        if found is None:
            raise GatewayError("GatewayNotFound")
        gateways = [(arn, found[1])]
    volumes = [
        (call.world.volume_arn(owner, volume), owner, gateway, volume)
        for owner, gateway in gateways
        for volume in sorted(gateway.volumes, key=lambda volume: volume.id)
    ]
    chosen, marker = _paged(call, [item[0] for item in volumes], extra=arn or "")
    answer: dict[str, Any] = {"VolumeInfos": [_volume_info(*volumes[index]) for index in chosen], **marker}
    if arn is not None:
        answer["GatewayARN"] = arn
    return answer


def _volume_info(arn: str, owner: str, gateway: Gateway, volume: Volume) -> dict[str, Any]:
    return {
        "VolumeARN": arn,
        "VolumeId": volume.id,
        "GatewayARN": owner,
        "GatewayId": gateway.id,
        "VolumeType": _VOLUME_TYPES.get(gateway.type, gateway.type),
        "VolumeSizeInBytes": volume.size_bytes,
        "VolumeAttachmentStatus": volume.attachment_status,
    }


def _tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def describe_gateway_information(call: Call) -> dict[str, Any]:
    arn = _gateway_arn(call) or ""
    gateway = _find(call, arn)
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


def describe_cached_iscsi_volumes(call: Call) -> dict[str, Any]:
    arns = call.params.get("VolumeARNs")
    if not isinstance(arns, list) or not all(isinstance(arn, str) for arn in arns):
        raise invalid("Value null at 'volumeARNs' failed to satisfy constraint: Member must not be null")
    owners = set()
    for arn in arns:
        match = _VOLUME_ARN.fullmatch(arn)
        if match is None:
            raise GatewayError("InvalidParameters", f"The specified volume ARN is malformed: {arn}")
        owners.add(match[1])
    if len(owners) != 1:
        raise GatewayError("InvalidParameters", "All volumes must be of one gateway, and there must be one.")
    owner = owners.pop()
    action = "storagegateway:DescribeCachediSCSIVolumes"
    _foreign(call, owner, action)
    found = call.world.gateways.get(owner)
    volumes = {call.world.volume_arn(owner, volume): volume for volume in (found[1].volumes if found else ())}
    for arn in arns:
        demand(call.caller, action, arn, tag_context(volumes[arn].tags) if arn in volumes else None)
    if found is None:
        raise GatewayError("GatewayNotFound")
    if found[1].error is not None:
        raise GatewayError(found[1].error)
    if found[1].type != "CACHED":
        raise GatewayError("UnsupportedOperationForGatewayType")
    if any(arn not in volumes for arn in arns):
        raise GatewayError("VolumeNotFound")
    return {"CachediSCSIVolumes": [_described(call, arn, owner, volumes[arn]) for arn in arns]}


def _described(call: Call, arn: str, owner: str, volume: Volume) -> dict[str, Any]:
    target = f"iqn.1997-05.com.amazon:{volume.id.lower()}"
    described: dict[str, Any] = {
        "VolumeARN": arn,
        "VolumeId": volume.id,
        "VolumeType": "CACHED iSCSI",
        "VolumeStatus": volume.status,
        "VolumeAttachmentStatus": volume.attachment_status,
        "VolumeSizeInBytes": volume.size_bytes,
        "CreatedDate": call.world.started_at.timestamp() - 400 * 86400,
        "TargetName": volume.id.lower(),
    }
    if volume.attachment_status == "ATTACHED":
        described["VolumeiSCSIAttributes"] = {
            "TargetARN": f"{owner}/target/{target}",
            "NetworkInterfaceId": "10.0.0.10",
            "NetworkInterfacePort": 3260,
            "LunNumber": 1,
            "ChapEnabled": False,
        }
    if volume.usage_bytes is not None:
        described["VolumeUsedInBytes"] = volume.usage_bytes
    if volume.kms_key is not None:
        described["KMSKey"] = volume.kms_key
    return described


def list_tags_for_resource(call: Call) -> dict[str, Any]:
    arn = call.text("ResourceARN", 50, 500, required=True) or ""
    match = _VOLUME_ARN.fullmatch(arn)
    owner = match[1] if match else arn
    if not _GATEWAY_ARN.fullmatch(owner):
        raise GatewayError("InvalidParameters", "The specified resource ARN is malformed.")
    action = "storagegateway:ListTagsForResource"
    _foreign(call, arn, action)
    found = call.world.gateways.get(owner)
    tags = found[1].tags if found else None
    if match and found:
        tags = next(
            (each.tags for each in found[1].volumes if call.world.volume_arn(owner, each) == arn), None
        )
    demand(call.caller, action, arn, tag_context(tags or {}))
    if tags is None:
        raise GatewayError("VolumeNotFound" if match and found else "GatewayNotFound")
    listed = _tag_list(tags)
    chosen, marker = _paged(call, [tag["Key"] for tag in listed], extra=arn)
    return {"ResourceARN": arn, "Tags": [listed[index] for index in chosen], **marker}


OPERATIONS: dict[str, Callable[[Call], dict[str, Any]]] = {
    "ListGateways": list_gateways,
    "ListVolumeRecoveryPoints": list_volume_recovery_points,
    "ListVolumes": list_volumes,
    "DescribeGatewayInformation": describe_gateway_information,
    "DescribeCachediSCSIVolumes": describe_cached_iscsi_volumes,
    "ListTagsForResource": list_tags_for_resource,
}
