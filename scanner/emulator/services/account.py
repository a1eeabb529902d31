"""Account Management: which Regions an account has enabled."""

from __future__ import annotations

from typing import Any

from ..protocol.errors import ServiceError, denied
from .policies import demand
from .request import Operation, Request, operation


def _member_arn(request: Request, account_id: str) -> str:
    """The ARN of another account, for managers of the organization that both belong to."""
    organization, managing = request.backend.fleet.organization, request.backend.fleet.accounts[0].id
    together = {request.account_id, account_id} <= request.backend.members.keys()
    managers = () if organization is None else (managing, *organization.delegated)
    if organization is None or not together or request.account_id not in managers:
        reason = "because the account is no member of an organization that the caller manages"
        raise denied(request.principal.arn, "account:ListRegions", account_id, reason)
    return f"arn:{request.partition}:account::{managing}:account/{organization.id}/{account_id}"


def list_regions(request: Request) -> dict[str, Any]:
    account_id = request.text("AccountId", 12, 12) or request.account_id
    resource = f"arn:{request.partition}:account::{request.account_id}:account"
    if account_id != request.account_id:
        resource = _member_arn(request, account_id)
    demand(request.principal, "account:ListRegions", resource)
    wanted = request.params.get("RegionOptStatusContains") or []
    if not isinstance(wanted, list):
        raise ServiceError("ValidationException", "RegionOptStatusContains must be a list.")
    listed = [
        (region, status)
        for region, status in request.backend.region_statuses(account_id, request.partition).items()
        if not wanted or status in wanted
    ]
    size = request.number("MaxResults", 20, 1, 50)
    names = [region for region, _ in listed]
    page = request.page(names, size, request.text("NextToken"), extra=f"{account_id}{wanted}")
    if page is None:
        raise ServiceError("ValidationException", "The provided NextToken is invalid.")
    chosen, token = page
    answer: dict[str, Any] = {
        "Regions": [{"RegionName": listed[i][0], "RegionOptStatus": listed[i][1]} for i in chosen]
    }
    return answer if token is None else {**answer, "NextToken": token}


OPERATIONS: dict[str, Operation] = {
    "ListRegions": operation(list_regions, "AccountId", "MaxResults", "NextToken", "RegionOptStatusContains"),
}
