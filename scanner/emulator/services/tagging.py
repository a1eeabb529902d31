"""Resource Groups Tagging: all tagged resources of an account in a Region at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..protocol.errors import ServiceError
from .policies import demand
from .request import Operation, Request, operation


def _tagged(request: Request) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """(ARN, type, tags) of what has tags; what has none is not seen by this service."""
    target = request.account_id, request.region
    for arn, gateway in request.backend.gateways_in(*target):
        if gateway.tags:
            yield arn, "storagegateway:gateway", gateway.tags
    for entry in request.backend.volumes_in(*target):
        if entry.volume.tags:
            yield entry.arn, "storagegateway:volume", entry.volume.tags


def _texts(request: Request, name: str) -> list[str]:
    value = request.params.get(name) or []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ServiceError("InvalidParameterException", f"{name} must be a list.")
    return value


def _tag_filters(request: Request) -> list[Mapping[str, Any]]:
    filters = request.params.get("TagFilters") or []
    if not isinstance(filters, list):
        raise ServiceError("InvalidParameterException", "TagFilters must be a list.")
    for each in filters:
        key, values = (each.get("Key"), each.get("Values") or []) if isinstance(each, dict) else (None, [])
        if not isinstance(key, str) or not isinstance(values, list):
            raise ServiceError("InvalidParameterException", "Each of TagFilters must have a Key, and Values.")
    return filters


def _wanted(kinds: list[str], filters: list[Mapping[str, Any]], kind: str, tags: Mapping[str, str]) -> bool:
    if kinds and kind not in kinds and kind.partition(":")[0] not in kinds:
        return False
    return all(
        each["Key"] in tags and (not each.get("Values") or tags[each["Key"]] in each["Values"])
        for each in filters
    )


def get_resources(request: Request) -> dict[str, Any]:
    demand(request.principal, "tag:GetResources")
    kinds, filters = _texts(request, "ResourceTypeFilters"), _tag_filters(request)
    arns = _texts(request, "ResourceARNList")
    size = request.params.get("ResourcesPerPage", 50)
    if type(size) is not int or not 1 <= size <= 100:
        raise ServiceError("InvalidParameterException", "ResourcesPerPage must be between 1 and 100.")
    if arns and (kinds or filters or "ResourcesPerPage" in request.params or len(arns) > 100):
        raise ServiceError(
            "InvalidParameterException", "ResourceARNList stands alone and names at most 100 resources."
        )
    wanted = {
        arn: tags
        for arn, kind, tags in _tagged(request)
        if _wanted(kinds, filters, kind, tags) and (not arns or arn in arns)
    }
    found = sorted(wanted.items(), key=lambda item: item[0])
    token = request.text("PaginationToken", 0) or None
    page = request.page(
        [arn for arn, _ in found], 100 if arns else size, token, extra=f"{kinds}{filters}{size}"
    )
    if page is None:
        raise ServiceError("InvalidParameterException", "The PaginationToken is not of this request.")
    chosen, following = page
    return {
        "PaginationToken": following or "",
        "ResourceTagMappingList": [
            {
                "ResourceARN": found[index][0],
                "Tags": [{"Key": key, "Value": value} for key, value in sorted(found[index][1].items())],
            }
            for index in chosen
        ],
    }


OPERATIONS: dict[str, Operation] = {
    "GetResources": operation(
        get_resources,
        "PaginationToken",
        "ResourceARNList",
        "ResourceTypeFilters",
        "ResourcesPerPage",
        "TagFilters",
    ),
}
