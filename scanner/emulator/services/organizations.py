"""Organizations: the tree of units and the accounts in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..fleets.accounts import Account
from ..fleets.organization import Organization
from ..protocol.errors import ServiceError
from .policies import demand
from .request import Operation, Request, operation

_JOINED = 1_600_000_000.0
# The older field knew fewer states.
_STATUS = {"CLOSED": "SUSPENDED", "PENDING_ACTIVATION": "ACTIVE"}


def _organization(request: Request) -> Organization:
    organization = request.backend.fleet.organization
    if organization is None or request.account_id not in request.backend.members:
        raise ServiceError(
            "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."
        )
    return organization


def _authorize(request: Request, about: str | None = None) -> Organization:
    """The organization, for its management account and delegated administrators whose policies allow it.

    `about` is the id of the resource, where policies can name it.
    """
    organization = _organization(request)
    resource = "*" if about is None else _arn(request, f"{_kind(about)}/{organization.id}/{about}")
    demand(request.principal, f"organizations:{request.operation}", resource)
    if request.account_id not in (_management(request).id, *organization.delegated):
        raise ServiceError("AccessDeniedException", "You don't have permissions to access this resource.")
    return organization


def _kind(unit_or_account: str) -> str:
    """The kind of resource in the ARN of what has this id."""
    return {"r-": "root", "ou": "ou"}.get(unit_or_account[:2], "account")


def _management(request: Request) -> Account:
    return request.backend.fleet.accounts[0]


def _arn(request: Request, rest: str) -> str:
    return f"arn:{request.partition}:organizations::{_management(request).id}:{rest}"


def _page(
    request: Request,
    organization: Organization,
    name: str,
    ids: Sequence[str],
    show: Callable[[Request, Organization, str], dict[str, Any]],
    extra: str = "",
) -> dict[str, Any]:
    """One page under its name; only what stands on it is shown."""
    size = min(request.number("MaxResults", 20, 1, 20), organization.page_size)
    page = request.page(ids, size, request.text("NextToken"), extra=extra)
    if page is None:
        raise ServiceError("InvalidInputException", "You specified an invalid value for nextToken.")
    chosen, token = page
    answer: dict[str, Any] = {name: [show(request, organization, ids[index]) for index in chosen]}
    return answer if token is None else {**answer, "NextToken": token}


def _account(request: Request, organization: Organization, account_id: str) -> dict[str, Any]:
    account = request.backend.members[account_id]
    described = {
        "Id": account.id,
        "Arn": _arn(request, f"account/{organization.id}/{account.id}"),
        "Email": account.email or f"{account.id}@example.com",
        "Name": account.name or account.id,
        "State": account.state,
        "JoinedMethod": "CREATED",
        "JoinedTimestamp": _JOINED,
    }
    if organization.status:
        described["Status"] = _STATUS.get(account.state, account.state)
    return described


def _unit(request: Request, organization: Organization, unit_id: str) -> dict[str, Any]:
    return {
        "Id": unit_id,
        "Arn": _arn(request, f"ou/{organization.id}/{unit_id}"),
        "Name": request.backend.units[unit_id].rpartition("/")[2],
    }


def _root(request: Request, organization: Organization, root_id: str) -> dict[str, Any]:
    arn = _arn(request, f"root/{organization.id}/{root_id}")
    return {"Id": root_id, "Arn": arn, "Name": "Root", "PolicyTypes": []}


def _child(request: Request, organization: Organization, child_id: str) -> dict[str, Any]:
    return {
        "Id": child_id,
        "Type": "ACCOUNT" if child_id in request.backend.members else "ORGANIZATIONAL_UNIT",
    }


def _ancestor(request: Request, organization: Organization, parent_id: str) -> dict[str, Any]:
    return {"Id": parent_id, "Type": "ROOT" if parent_id == organization.root_id else "ORGANIZATIONAL_UNIT"}


def _units_in(request: Request, parent: str) -> list[str]:
    """The ids of the units right below the one with this path."""
    return [
        unit for unit, path in request.backend.units.items() if path and path.rpartition("/")[0] == parent
    ]


def _accounts_in(request: Request, parent: str) -> list[str]:
    """The ids of the accounts right below the unit with this path."""
    return [account.id for account in request.backend.members.values() if account.ou == parent]


def _parent(request: Request) -> tuple[Organization, str, str]:
    """The organization, the id of the parent and the path that leads to it."""
    parent_id = request.text("ParentId", required=True) or ""
    organization = _authorize(request, parent_id)
    if parent_id not in request.backend.units:
        raise ServiceError(
            "ParentNotFoundException", "You specified parent that doesn't exist in your organization."
        )
    return organization, parent_id, request.backend.units[parent_id]


def describe_organization(request: Request) -> dict[str, Any]:
    organization = _organization(request)
    demand(request.principal, "organizations:DescribeOrganization")
    management = _management(request)
    return {
        "Organization": {
            "Id": organization.id,
            "Arn": _arn(request, f"organization/{organization.id}"),
            "FeatureSet": "ALL",
            "MasterAccountArn": _arn(request, f"account/{organization.id}/{management.id}"),
            "MasterAccountId": management.id,
            "MasterAccountEmail": management.email or f"{management.id}@example.com",
            "AvailablePolicyTypes": [],
        }
    }


def list_roots(request: Request) -> dict[str, Any]:
    organization = _authorize(request)
    return _page(request, organization, "Roots", [organization.root_id], _root)


def list_units(request: Request) -> dict[str, Any]:
    organization, parent_id, parent = _parent(request)
    return _page(request, organization, "OrganizationalUnits", _units_in(request, parent), _unit, parent_id)


def list_accounts_for_parent(request: Request) -> dict[str, Any]:
    organization, parent_id, parent = _parent(request)
    return _page(request, organization, "Accounts", _accounts_in(request, parent), _account, parent_id)


def list_children(request: Request) -> dict[str, Any]:
    kind = request.text("ChildType", required=True)
    organization, parent_id, parent = _parent(request)
    if kind not in ("ACCOUNT", "ORGANIZATIONAL_UNIT"):
        raise ServiceError("InvalidInputException", "You specified an invalid value for childType.")
    ids = _accounts_in(request, parent) if kind == "ACCOUNT" else _units_in(request, parent)
    return _page(request, organization, "Children", ids, _child, f"{parent_id}{kind}")


def list_accounts(request: Request) -> dict[str, Any]:
    organization = _authorize(request)
    return _page(request, organization, "Accounts", list(request.backend.members), _account)


def describe_account(request: Request) -> dict[str, Any]:
    account_id = request.text("AccountId", required=True) or ""
    organization = _authorize(request, account_id)
    if account_id not in request.backend.members:
        raise ServiceError(
            "AccountNotFoundException", "You specified an account that doesn't exist in your organization."
        )
    return {"Account": _account(request, organization, account_id)}


def list_parents(request: Request) -> dict[str, Any]:
    child = request.text("ChildId", required=True) or ""
    organization = _authorize(request, child)
    path = request.backend.units.get(child)
    if child in request.backend.members:
        parent = request.backend.members[child].ou
    elif path:
        parent = path.rpartition("/")[0]
    else:
        raise ServiceError(
            "ChildNotFoundException", "You specified an organizational unit or account that doesn't exist."
        )
    return _page(request, organization, "Parents", [organization.unit_id(parent)], _ancestor, child)


def describe_unit(request: Request) -> dict[str, Any]:
    unit_id = request.text("OrganizationalUnitId", required=True) or ""
    organization = _authorize(request, unit_id)
    if not request.backend.units.get(unit_id):
        raise ServiceError(
            "OrganizationalUnitNotFoundException",
            "You specified an organizational unit that doesn't exist.",
        )
    return {"OrganizationalUnit": _unit(request, organization, unit_id)}


_PAGE = ("MaxResults", "NextToken")
OPERATIONS: dict[str, Operation] = {
    "DescribeOrganization": operation(describe_organization),
    "ListRoots": operation(list_roots, *_PAGE),
    "ListOrganizationalUnitsForParent": operation(list_units, "ParentId", *_PAGE),
    "ListAccountsForParent": operation(list_accounts_for_parent, "ParentId", *_PAGE),
    "ListChildren": operation(list_children, "ParentId", "ChildType", *_PAGE),
    "ListAccounts": operation(list_accounts, *_PAGE),
    "DescribeAccount": operation(describe_account, "AccountId"),
    "ListParents": operation(list_parents, "ChildId", *_PAGE),
    "DescribeOrganizationalUnit": operation(describe_unit, "OrganizationalUnitId"),
}
