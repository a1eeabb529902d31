"""How far the fleet reaches: the accounts of an organization, and the Regions of an account."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from scanner.aws.credentials.identities import Identities
from scanner.aws.parse.answers import entries, text
from scanner.aws.regions import Regions
from scanner.inventory.records import FailureKind
from scanner.service.answers import MemberAccount, OrganizationPage, RegionPage
from scanner.service.errors import CallFailed, InvalidResponse
from scanner.service.protocol import OrganizationRequest

LIST_REGIONS = "ListRegions"
DESCRIBE_REGIONS = "DescribeRegions"
ENABLED = ["ENABLED", "ENABLED_BY_DEFAULT"]
NOT_FOUND = {
    "ParentNotFoundException": "there is no such root or organizational unit; look at include_ous",
    "OrganizationalUnitNotFoundException": "there is no such organizational unit; look at include_ous",
    "AWSOrganizationsNotInUseException": "the account is in no organization; remove [organization]",
}
ORGANIZATION_REMEDY = (
    "ask as the management account or a delegated administrator, with organizations:Describe* and"
    " organizations:List* allowed"
)


async def list_regions(
    identities: Identities, regions: Regions, account_id: str, marker: str | None
) -> RegionPage:
    """A page of the Regions that the account has enabled, as Account Management lists them."""
    parameters: dict[str, Any] = {"MaxResults": 50, "RegionOptStatusContains": ENABLED}
    if marker:
        parameters["NextToken"] = marker
    home = regions.home(identities.partition_of(account_id))
    answer = await identities.ask(account_id, "account", home, LIST_REGIONS, **parameters)
    return answer.read(_region_page)


async def describe_regions(identities: Identities, regions: Regions, account_id: str) -> RegionPage:
    """The Regions that the account has enabled, as EC2 describes them."""
    region = regions.common(identities.partition_of(account_id))
    answer = await identities.ask(account_id, "ec2", region, DESCRIBE_REGIONS)
    return answer.read(_region_page)


def _region_page(body: Mapping[str, Any]) -> RegionPage:
    return RegionPage(tuple(_region_names(body)), text(body, "NextToken", whole=True))


def _region_names(body: Mapping[str, Any]) -> Iterator[str]:
    for entry in entries(body, "Regions"):
        name = text(entry, "RegionName", whole=True) if isinstance(entry, Mapping) else None
        if name is None or not re.fullmatch(r"[a-z]{2,}(-[a-z]+)+-[0-9]+", name):
            raise InvalidResponse.because(f"this is no Region's name: {str(name)[:50]!r}", whole=True)
        yield name


async def organization_page(
    identities: Identities, home: str, request: OrganizationRequest
) -> OrganizationPage:
    """One call about the organization, as the base identity."""
    parameters = {
        key: value for key, value in (("ParentId", request.parent), ("NextToken", request.marker)) if value
    }
    try:
        answer = await identities.ask(None, "organizations", home, request.operation, **parameters)
        return answer.read(lambda body: _page(request.operation, body))
    except CallFailed as failure:
        remedy = failure.facts.remedy
        if failure.facts.kind is FailureKind.ACCESS_DENIED:
            remedy = ORGANIZATION_REMEDY
        elif failure.facts.code in NOT_FOUND:
            remedy = NOT_FOUND[failure.facts.code]
        raise failure.but(operation=failure.facts.operation or request.operation, remedy=remedy) from None


def _page(operation: str, body: Mapping[str, Any]) -> OrganizationPage:
    marker = text(body, "NextToken", whole=True)
    if operation == "DescribeOrganization":
        organization = body.get("Organization")
        if not isinstance(organization, Mapping):
            raise InvalidResponse.because("the answer describes no organization", whole=True)
        return OrganizationPage(management_account=text(organization, "MasterAccountId", whole=True))
    if operation == "ListAccountsForParent":
        members = [_member(entry) for entry in entries(body, "Accounts")]
        return OrganizationPage(
            accounts=tuple(member for member in members if isinstance(member, MemberAccount)),
            problems=tuple(member for member in members if isinstance(member, str)),
            marker=marker,
        )
    key = "Roots" if operation == "ListRoots" else "OrganizationalUnits"
    units = []
    for entry in entries(body, key):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("Id"), str):
            raise InvalidResponse.because("a root or organizational unit has no id", whole=True)
        units.append((entry["Id"], text(entry, "Name") or entry["Id"]))
    return OrganizationPage(units=tuple(units), marker=marker)


def _member(entry: Any) -> MemberAccount | str:
    """The account, or what is wrong with its entry: the others of its page can be trusted all the same."""
    account_id = entry.get("Id") if isinstance(entry, Mapping) else None
    if not isinstance(account_id, str) or not re.fullmatch(r"[0-9]{12}", account_id):
        return f"a listed account has no id: {str(account_id)[:50]!r}"
    try:
        # Status was retired in September 2026; endpoints that know no State still send it.
        state = text(entry, "State") or text(entry, "Status")
        return MemberAccount(account_id, text(entry, "Name"), state in (None, "ACTIVE"))
    except InvalidResponse as broken:
        return f"the entry of account {account_id} is broken: {broken.facts.message}"
