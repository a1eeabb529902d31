"""EC2: the Regions of an account."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from ..protocol.errors import ServiceError
from .policies import demand
from .request import Operation, Request, operation

_OPT_IN_STATUS = {"ENABLED_BY_DEFAULT": "opt-in-not-required", "ENABLED": "opted-in"}
_SUFFIXES = {
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
}
_FILTERS = {"endpoint": "regionEndpoint", "opt-in-status": "optInStatus", "region-name": "regionName"}
_FILTER = re.compile(r"Filter\.(\d+)\.(?:(Name)|Value\.\d+)")


def describe_regions(request: Request) -> dict[str, Any]:
    demand(request.principal, "ec2:DescribeRegions")
    filters = _filters(request.params)
    if _flag(request, "DryRun"):
        message = "Request would have succeeded, but DryRun flag is set."
        raise ServiceError("DryRunOperation", message, 412)
    named = {value for key, value in request.params.items() if key.startswith("RegionName.")}
    everything = _flag(request, "AllRegions")
    statuses = request.backend.region_statuses(request.account_id, request.partition)
    for name in sorted(named - statuses.keys()):
        raise ServiceError("InvalidParameterValue", f"Invalid region '{name}'.")
    described = [
        _describe(request, region, status)
        for region, status in statuses.items()
        if (everything or status in _OPT_IN_STATUS) and (not named or region in named)
    ]
    return {"regionInfo": [each for each in described if _passes(each, filters)]}


def _describe(request: Request, region: str, status: str) -> dict[str, str]:
    suffix = _SUFFIXES.get(request.partition, "amazonaws.com")
    return {
        "regionName": region,
        "regionEndpoint": f"ec2.{region}.{suffix}",
        "optInStatus": _OPT_IN_STATUS.get(status, "not-opted-in"),
    }


def _flag(request: Request, name: str) -> bool:
    text = str(request.params.get(name, "false")).lower()
    if text not in ("true", "false"):
        message = f"Invalid value '{text}' for {name}. Must be true or false."
        raise ServiceError("InvalidParameterValue", message)
    return text == "true"


def _filters(params: Mapping[str, Any]) -> dict[str, list[str]]:
    """The values of each filter, by the field that it is about."""
    names, values = dict[str, str](), dict[str, list[str]]()
    for key, value in params.items():
        if not key.startswith("Filter"):
            continue
        match = _FILTER.fullmatch(key)
        if match is None:
            raise ServiceError("InvalidParameterValue", f"The filter parameter '{key}' is malformed")
        if match[2]:
            names[match[1]] = value
        else:
            values.setdefault(match[1], []).append(value)
    for name in names.values():
        if name not in _FILTERS:
            raise ServiceError("InvalidParameterValue", f"The filter '{name}' is invalid")
    if names.keys() != values.keys():
        raise ServiceError("InvalidParameterValue", "Every filter needs a name and at least one value")
    return {_FILTERS[name]: values[number] for number, name in names.items()}


def _passes(region: Mapping[str, str], filters: Mapping[str, list[str]]) -> bool:
    return all(
        any(fnmatchcase(region[name], pattern) for pattern in patterns) for name, patterns in filters.items()
    )


OPERATIONS: dict[str, Operation] = {
    "DescribeRegions": operation(describe_regions, "AllRegions", "RegionName", "Filter", "DryRun"),
}
