"""Organizations: the tree of units and the accounts in it, for those who may see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    if organization is None or call.account_id not in call.world.members:
        raise ServiceError(
            "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."
        )
    return organization


def _readable(call: Call, about: str | None = None) -> Organization:
    """The organization, for its management account and delegated administrators whose policies allow it.

    `about` is the id of what is asked about, where policies can name it.
    """
    organization = _organization(call)
    resource = "*" if about is None else _arn(call, f"{_kind(about)}/{organization.id}/{about}")
    demand(call.caller, f"organizations:{call.operation}", resource)
    if call.account_id not in (_management(call).id, *organization.delegated):
        raise ServiceError("AccessDeniedException", "You don't have permissions to access this resource.")
    return organization


def _kind(unit_or_account: str) -> str:
    """How ARNs call what has this id."""
    return {"r-": "root", "ou": "ou"}.get(unit_or_account[:2], "account")


def _management(call: Call) -> Account:
    return call.world.fleet.accounts[0]


def _arn(call: Call, rest: str) -> str:
    return f"arn:{call.partition}:organizations::{_management(call).id}:{rest}"


def _page(
    call: Call,
    organization: Organization,
    name: str,
    ids: Sequence[str],
    show: Callable[[Call, Organization, str], dict[str, Any]],
    extra: str = "",
) -> dict[str, Any]:
    """One page under its name; only what stands on it is shown."""
    size = min(call.number("MaxResults", 20, 1, 20), organization.page_size)
    page = call.page(ids, size, call.text("NextToken"), extra=extra)
    if page is None:
        raise ServiceError("InvalidInputException", "You specified an invalid value for nextToken.")
    chosen, token = page
    answer: dict[str, Any] = {name: [show(call, organization, ids[index]) for index in chosen]}
    return answer if token is None else {**answer, "NextToken": token}


def _account(call: Call, organization: Organization, account_id: str) -> dict[str, Any]:
    account = call.world.members[account_id]
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


def _unit(call: Call, organization: Organization, unit_id: str) -> dict[str, Any]:
    return {
        "Id": unit_id,
        "Arn": _arn(call, f"ou/{organization.id}/{unit_id}"),
        "Name": call.world.units[unit_id].rpartition("/")[2],
    }


def _root(call: Call, organization: Organization, root_id: str) -> dict[str, Any]:
    arn = _arn(call, f"root/{organization.id}/{root_id}")
    return {"Id": root_id, "Arn": arn, "Name": "Root", "PolicyTypes": []}


def _child(call: Call, organization: Organization, child_id: str) -> dict[str, Any]:
    return {"Id": child_id, "Type": "ACCOUNT" if child_id in call.world.members else "ORGANIZATIONAL_UNIT"}


def _ancestor(call: Call, organization: Organization, parent_id: str) -> dict[str, Any]:
    return {"Id": parent_id, "Type": "ROOT" if parent_id == organization.root_id else "ORGANIZATIONAL_UNIT"}


def _units_in(call: Call, parent: str) -> list[str]:
    """The ids of the units right below the one with this path."""
    return [unit for unit, path in call.world.units.items() if path and path.rpartition("/")[0] == parent]


def _accounts_in(call: Call, parent: str) -> list[str]:
    """The ids of the accounts right below the unit with this path."""
    return [account.id for account in call.world.members.values() if account.ou == parent]


def _parent(call: Call) -> tuple[Organization, str, str]:
    """The organization, the id of the parent that was asked about and the path that leads to it."""
    parent_id = call.text("ParentId", required=True) or ""
    organization = _readable(call, parent_id)
    if parent_id not in call.world.units:
        raise ServiceError(
            "ParentNotFoundException", "You specified parent that doesn't exist in your organization."
        )
    return organization, parent_id, call.world.units[parent_id]


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
    return _page(call, organization, "Roots", [organization.root_id], _root)


def list_units(call: Call) -> dict[str, Any]:
    organization, parent_id, parent = _parent(call)
    return _page(call, organization, "OrganizationalUnits", _units_in(call, parent), _unit, parent_id)


def list_accounts_for_parent(call: Call) -> dict[str, Any]:
    organization, parent_id, parent = _parent(call)
    return _page(call, organization, "Accounts", _accounts_in(call, parent), _account, parent_id)


def list_children(call: Call) -> dict[str, Any]:
    kind = call.text("ChildType", required=True)
    organization, parent_id, parent = _parent(call)
    if kind not in ("ACCOUNT", "ORGANIZATIONAL_UNIT"):
        raise ServiceError("InvalidInputException", "You specified an invalid value for childType.")
    ids = _accounts_in(call, parent) if kind == "ACCOUNT" else _units_in(call, parent)
    return _page(call, organization, "Children", ids, _child, f"{parent_id}{kind}")


def list_accounts(call: Call) -> dict[str, Any]:
    organization = _readable(call)
    return _page(call, organization, "Accounts", list(call.world.members), _account)


def describe_account(call: Call) -> dict[str, Any]:
    account_id = call.text("AccountId", required=True) or ""
    organization = _readable(call, account_id)
    if account_id not in call.world.members:
        raise ServiceError(
            "AccountNotFoundException", "You specified an account that doesn't exist in your organization."
        )
    return {"Account": _account(call, organization, account_id)}


def list_parents(call: Call) -> dict[str, Any]:
    child = call.text("ChildId", required=True) or ""
    organization = _readable(call, child)
    path = call.world.units.get(child)
    if child in call.world.members:
        parent = call.world.members[child].ou
    elif path:
        parent = path.rpartition("/")[0]
    else:
        raise ServiceError(
            "ChildNotFoundException", "You specified an organizational unit or account that doesn't exist."
        )
    return _page(call, organization, "Parents", [organization.unit_id(parent)], _ancestor, child)


def describe_unit(call: Call) -> dict[str, Any]:
    unit_id = call.text("OrganizationalUnitId", required=True) or ""
    organization = _readable(call, unit_id)
    if not call.world.units.get(unit_id):
        raise ServiceError(
            "OrganizationalUnitNotFoundException",
            "You specified an organizational unit that doesn't exist.",
        )
    return {"OrganizationalUnit": _unit(call, organization, unit_id)}


OPERATIONS: dict[str, Callable[[Call], dict[str, Any]]] = {
    "DescribeOrganization": describe_organization,
    "ListRoots": list_roots,
    "ListOrganizationalUnitsForParent": list_units,
    "ListAccountsForParent": list_accounts_for_parent,
    "ListChildren": list_children,
    "ListAccounts": list_accounts,
    "DescribeAccount": describe_account,
    "ListParents": list_parents,
    "DescribeOrganizationalUnit": describe_unit,
}
