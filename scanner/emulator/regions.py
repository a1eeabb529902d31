"""Which Regions an account has enabled, as Account Management and EC2 tell it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .errors import ServiceError, denied
from .iam import demand
from .places import OPT_IN_REGIONS, partition_of, regions_of
from .world import Call, World

_EC2 = {"ENABLED_BY_DEFAULT": "opt-in-not-required", "ENABLED": "opted-in"}
_SUFFIXES = {
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
}


def statuses(world: World, account_id: str, partition: str) -> dict[str, str]:
    """Every Region of the partition with what the account has made of it."""
    account = world.accounts.get(account_id)
    known = {region for region in world.regions if partition_of(region) == partition}
    enabled = world.enabled.get(account_id)
    found = {}
    for region in sorted(known | set(regions_of(partition))):
        on = enabled is None or region in enabled
        # A Region that the emulator has never heard of is a new one, and new ones are opt-in.
        opt_in = partition == "aws" and (region in OPT_IN_REGIONS or region in world.fleet.extra_regions)
        found[region] = ("ENABLED" if opt_in else "ENABLED_BY_DEFAULT") if on else "DISABLED"
    if account is not None:
        found.update(account.region_status)
    return found


def _member(call: Call, account_id: str) -> str:
    """The ARN of another account, for those who may ask about it: managers of the organization they share."""
    organization, managing = call.world.fleet.organization, call.world.fleet.accounts[0].id
    together = {call.account_id, account_id} <= call.world.members.keys()
    if organization is None or not together or call.account_id not in (managing, *organization.delegated):
        reason = "because the account is no member of an organization that the caller manages"
        raise denied("account", call.caller.arn, "account:ListRegions", account_id, reason)
    return f"arn:{call.partition}:account::{managing}:account/{organization.id}/{account_id}"


def list_regions(call: Call) -> dict[str, Any]:
    account_id = call.text("AccountId", 12, 12) or call.account_id
    action, resource = "account:ListRegions", f"arn:{call.partition}:account::{call.account_id}:account"
    if account_id != call.account_id:
        resource = _member(call, account_id)
    demand(call.caller, action, resource)
    wanted = call.params.get("RegionOptStatusContains")
    listed = [
        (region, status)
        for region, status in statuses(call.world, account_id, call.partition).items()
        if not wanted or status in wanted
    ]
    size = call.number("MaxResults", 20, 1, 50)
    page = call.page([region for region, _ in listed], size, call.text("NextToken"), extra=f"{account_id}")
    if page is None:
        raise ServiceError("ValidationException", "The provided NextToken is invalid.")
    chosen, token = page
    answer: dict[str, Any] = {
        "Regions": [{"RegionName": listed[i][0], "RegionOptStatus": listed[i][1]} for i in chosen]
    }
    return answer if token is None else {**answer, "NextToken": token}


def describe_regions(call: Call) -> dict[str, Any]:
    demand(call.caller, "ec2:DescribeRegions")
    everything = str(call.params.get("AllRegions", "false")).lower() == "true"
    named = {value for key, value in call.params.items() if key.startswith("RegionName.")}
    suffix = _SUFFIXES.get(call.partition, "amazonaws.com")
    found = []
    known = statuses(call.world, call.account_id, call.partition)
    for name in sorted(named - known.keys()):
        raise ServiceError("InvalidParameterValue", f"Invalid region '{name}'.")
    for region, status in known.items():
        shown = status in _EC2 or everything
        if shown and (not named or region in named):
            found.append(
                {
                    "regionName": region,
                    "regionEndpoint": f"ec2.{region}.{suffix}",
                    "optInStatus": _EC2.get(status, "not-opted-in"),
                }
            )
    return {"regionInfo": found}


ACCOUNT_OPERATIONS: dict[str, Callable[[Call], dict[str, Any]]] = {"ListRegions": list_regions}
EC2_OPERATIONS: dict[str, Callable[[Call], dict[str, Any]]] = {"DescribeRegions": describe_regions}
