"""Organizations: the tree of units and the accounts in it, for those who may see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .errors import ServiceError
from .fleet import Account, Organization
from .iam import demand
from .world import Call

_JOINED = 1_600_000_000.0
# The older field knew fewer states.
_STATUS = {"CLOSED": "SUSPENDED", "PENDING_ACTIVATION": "ACTIVE"}


def _organization(call: Call) -> Organization:
    organization = call.world.fleet.organization
    own = call.world.accounts.get(call.account_id)
    if organization is None or own is None or not own.in_organization:
        raise ServiceError(
            "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."
        )
    return organization


def _readable(call: Call) -> Organization:
    """The organization, for its management account and delegated administrators only."""
    organization = _organization(call)
    demand(call.caller, f"organizations:{call.operation}")
    if call.account_id not in (_management(call).id, *organization.delegated):
        raise ServiceError("AccessDeniedException", "You don't have permissions to access this resource.")
    return organization


def _management(call: Call) -> Account:
    return call.world.fleet.accounts[0]


def _arn(call: Call, rest: str) -> str:
    return f"arn:{call.partition}:organizations::{_management(call).id}:{rest}"


def _members(call: Call) -> list[Account]:
    return sorted(
        (account for account in call.world.fleet.accounts if account.in_organization),
        key=lambda account: account.id,
    )


def _paths(call: Call, organization: Organization) -> dict[str, str]:
    """Every unit by its id, with the path that leads to it; the root has the empty one."""
    paths = {""}
    for path in (*organization.units, *(account.ou for account in _members(call))):
        steps = path.split("/") if path else []
        paths.update("/".join(steps[: end + 1]) for end in range(len(steps)))
    return {organization.unit_id(path): path for path in sorted(paths)}


def _page(
    call: Call, organization: Organization, name: str, items: Sequence[Mapping[str, Any]], extra: str = ""
) -> dict[str, Any]:
    size = min(call.number("MaxResults", 20, 1, 20), organization.page_size)
    page = call.page([item["Id"] for item in items], size, call.text("NextToken"), extra=extra)
    if page is None:
        raise ServiceError("InvalidInputException", "You specified an invalid value for nextToken.")
    chosen, token = page
    answer: dict[str, Any] = {name: [items[index] for index in chosen]}
    return answer if token is None else {**answer, "NextToken": token}


def _account(call: Call, organization: Organization, account: Account) -> dict[str, Any]:
    described = {
        "Id": account.id,
        "Arn": _arn(call, f"account/{organization.id}/{account.id}"),
        "Email": account.email or f"{account.id}@example.com",
        "Name": account.name or account.id,
        "State": account.state,
        "JoinedMethod": "CREATED",
        "JoinedTimestamp": _JOINED,
    }
    if organization.status:
        described["Status"] = _STATUS.get(account.state, account.state)
    return described


def _unit(call: Call, organization: Organization, unit_id: str, path: str) -> dict[str, Any]:
    return {
        "Id": unit_id,
        "Arn": _arn(call, f"ou/{organization.id}/{unit_id}"),
        "Name": path.rpartition("/")[2],
    }


def _parent(call: Call, organization: Organization) -> tuple[str, str]:
    parent_id = call.text("ParentId", required=True) or ""
    paths = _paths(call, organization)
    if parent_id not in paths:
        raise ServiceError(
            "ParentNotFoundException", "You specified parent that doesn't exist in your organization."
        )
    return parent_id, paths[parent_id]


def describe_organization(call: Call) -> dict[str, Any]:
    organization = _organization(call)
    demand(call.caller, "organizations:DescribeOrganization")
    management = _management(call)
    return {
        "Organization": {
            "Id": organization.id,
            "Arn": _arn(call, f"organization/{organization.id}"),
            "FeatureSet": "ALL",
            "MasterAccountArn": _arn(call, f"account/{organization.id}/{management.id}"),
            "MasterAccountId": management.id,
            "MasterAccountEmail": management.email or f"{management.id}@example.com",
            "AvailablePolicyTypes": [],
        }
    }


def list_roots(call: Call) -> dict[str, Any]:
    organization = _readable(call)
    arn = _arn(call, f"root/{organization.id}/{organization.root_id}")
    root = {"Id": organization.root_id, "Arn": arn, "Name": "Root", "PolicyTypes": []}
    return _page(call, organization, "Roots", [root])


def list_units(call: Call) -> dict[str, Any]:
    organization = _readable(call)
    parent_id, parent = _parent(call, organization)
    units = [
        _unit(call, organization, unit_id, path)
        for unit_id, path in sorted(_paths(call, organization).items())
        if path and path.rpartition("/")[0] == parent
    ]
    return _page(call, organization, "OrganizationalUnits", units, parent_id)


def list_accounts_for_parent(call: Call) -> dict[str, Any]:
    organization = _readable(call)
    parent_id, parent = _parent(call, organization)
    accounts = [_account(call, organization, each) for each in _members(call) if each.ou == parent]
    return _page(call, organization, "Accounts", accounts, parent_id)


def list_accounts(call: Call) -> dict[str, Any]:
    organization = _readable(call)
    accounts = [_account(call, organization, each) for each in _members(call)]
    return _page(call, organization, "Accounts", accounts)


def describe_account(call: Call) -> dict[str, Any]:
    organization = _readable(call)
    account_id = call.text("AccountId", required=True)
    for account in _members(call):
        if account.id == account_id:
            return {"Account": _account(call, organization, account)}
    raise ServiceError(
        "AccountNotFoundException", "You specified an account that doesn't exist in your organization."
    )


def list_parents(call: Call) -> dict[str, Any]:
    organization = _readable(call)
    child = call.text("ChildId", required=True) or ""
    paths = _paths(call, organization)
    parent = next((account.ou for account in _members(call) if account.id == child), None)
    if parent is None and paths.get(child):
        parent = paths[child].rpartition("/")[0]
    if parent is None:
        raise ServiceError(
            "ChildNotFoundException", "You specified an organizational unit or account that doesn't exist."
        )
    kind = "ORGANIZATIONAL_UNIT" if parent else "ROOT"
    return _page(call, organization, "Parents", [{"Id": organization.unit_id(parent), "Type": kind}], child)


def describe_unit(call: Call) -> dict[str, Any]:
    organization = _readable(call)
    unit_id = call.text("OrganizationalUnitId", required=True) or ""
    path = _paths(call, organization).get(unit_id)
    if not path:
        raise ServiceError(
            "OrganizationalUnitNotFoundException",
            "You specified an organizational unit that doesn't exist.",
        )
    return {"OrganizationalUnit": _unit(call, organization, unit_id, path)}


OPERATIONS: dict[str, Callable[[Call], dict[str, Any]]] = {
    "DescribeOrganization": describe_organization,
    "ListRoots": list_roots,
    "ListOrganizationalUnitsForParent": list_units,
    "ListAccountsForParent": list_accounts_for_parent,
    "ListAccounts": list_accounts,
    "DescribeAccount": describe_account,
    "ListParents": list_parents,
    "DescribeOrganizationalUnit": describe_unit,
}
