"""How far the fleet reaches: the accounts of an organization, and the Regions of an account."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from scanner.aws.credentials.identities import Identities
from scanner.aws.parse.answers import entries, text
from scanner.aws.regions import Regions
from scanner.iam.permissions import region_operation
from scanner.inventory.records import FailureKind
from scanner.service.answers import MemberAccount, OrganizationPage, RegionPage
from scanner.service.errors import CallFailed, InvalidResponse
from scanner.service.protocol import OrganizationRequest

LIST_REGIONS = "ListRegions"
DESCRIBE_REGIONS = "DescribeRegions"
REGIONS_REMEDY = (
    "allow account:ListRegions (or ec2:DescribeRegions) to the scanning role, or list the Regions under"
    " scan.regions"
)
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


async def region_page(
    identities: Identities, regions: Regions, account_id: str, marker: str | None
) -> RegionPage:
    """A page of the Regions that the account has enabled, asked of it: ListRegions, else DescribeRegions."""
    partition = identities.partition_of(account_id)
    refusal = None
    if region_operation(partition) == LIST_REGIONS:
        try:
            return await _listed(identities, regions.home(partition), account_id, marker)
        except CallFailed as failure:
            refusal = failure.but(operation=failure.facts.operation or LIST_REGIONS)
            if failure.facts.kind is not FailureKind.ACCESS_DENIED:
                raise refusal from None
    try:
        return await _described(identities, regions.common(partition), account_id)
    except CallFailed as failure:
        named = failure.but(operation=failure.facts.operation or DESCRIBE_REGIONS)
        if failure.facts.kind is not FailureKind.ACCESS_DENIED:
            raise named from None
        also = f"; {DESCRIBE_REGIONS} is refused, too" if refusal else ""
        first = refusal or named
        message = f"{first.facts.message.partition('; allow the action')[0]}{also}; {REGIONS_REMEDY}"
        raise first.but(message=message) from None


async def _listed(identities: Identities, home: str, account_id: str, marker: str | None) -> RegionPage:
    parameters: dict[str, Any] = {"MaxResults": 50, "RegionOptStatusContains": ENABLED}
    if marker:
        parameters["NextToken"] = marker
    answer = await identities.ask(identities.of(account_id), "account", home, LIST_REGIONS, **parameters)
    return answer.read(_region_page)


async def _described(identities: Identities, region: str, account_id: str) -> RegionPage:
    answer = await identities.ask(identities.of(account_id), "ec2", region, DESCRIBE_REGIONS)
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
    identities: Identities, home: str, inquiry: OrganizationRequest
) -> OrganizationPage:
    """One call about the organization, as the base identity."""
    parameters = {
        key: value for key, value in (("ParentId", inquiry.parent), ("NextToken", inquiry.marker)) if value
    }
    try:
        answer = await identities.ask(identities.base, "organizations", home, inquiry.operation, **parameters)
        return answer.read(lambda body: _page(inquiry.operation, body))
    except CallFailed as failure:
        message = failure.facts.message
        if failure.facts.kind is FailureKind.ACCESS_DENIED:
            message = f"{message.partition('; allow the action')[0]}; {ORGANIZATION_REMEDY}"
        elif failure.facts.code in NOT_FOUND:
            message = NOT_FOUND[failure.facts.code]
        operation = failure.facts.operation or inquiry.operation
        raise failure.but(operation=operation, message=message) from None


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
    except InvalidResponse as nonsense:
        return f"the entry of account {account_id} is broken: {nonsense.facts.message}"
