"""Which permission each call needs: the one table behind every policy that is printed, passed or advised."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from scanner.errors import ConfigError
from scanner.inventory.arns import ROLE_ARN, ROLE_NAME, owner_of, role_arn

Statement = dict[str, Any]

SESSION_POLICY_LIMIT = 2048
"""Characters that AssumeRole takes as a session policy."""

PARTITIONS = (
    "aws",
    "aws-cn",
    "aws-us-gov",
    "aws-iso",
    "aws-iso-b",
    "aws-iso-e",
    "aws-iso-f",
    "aws-eusc",
)
"""All that the SDK knows."""

_GATEWAYS = "arn:{partition}:storagegateway:*:{account_id}:gateway/*"
_VOLUMES = "arn:{partition}:storagegateway:*:{account_id}:gateway/*/volume/*"
_ACCOUNT = "arn:{partition}:account::{account_id}:account"


@dataclass(frozen=True, slots=True)
class Permission:
    """An action, the narrowest resource that its service lets a policy name, and its statement's heading."""

    sid: str
    service: str
    operation: str
    resource: str = "*"

    @property
    def action(self) -> str:
        return f"{self.service}:{self.operation}"


PERMISSIONS = {
    permission.operation: permission
    for permission in (
        Permission("Lists", "storagegateway", "ListGateways"),
        Permission("Lists", "storagegateway", "ListVolumes"),
        Permission("Gateways", "storagegateway", "ListVolumeRecoveryPoints", _GATEWAYS),
        Permission("Gateways", "storagegateway", "DescribeGatewayInformation", _GATEWAYS),
        Permission("Volumes", "storagegateway", "DescribeCachediSCSIVolumes", _VOLUMES),
        Permission("Tags", "tag", "GetResources"),
        Permission("Regions", "account", "ListRegions", _ACCOUNT),
        Permission("Regions", "ec2", "DescribeRegions"),
        Permission("Organization", "organizations", "DescribeOrganization"),
        Permission("Organization", "organizations", "ListRoots"),
        Permission("Organization", "organizations", "ListOrganizationalUnitsForParent"),
        Permission("Organization", "organizations", "ListAccountsForParent"),
        Permission("Roles", "sts", "AssumeRole"),
    )
}
"""Every call that the scanner makes and that a policy can refuse, by its operation."""

TAG_SESSION = "sts:TagSession"
"""Goes with AssumeRole where there are session tags."""

ALWAYS = ("ListGateways", "ListVolumes", "ListVolumeRecoveryPoints")
"""What each scan asks; ListVolumes unless `scan.list_volumes` is "never"."""
DETAILS = {
    "gateway": ("DescribeGatewayInformation",),
    "volumes": ("DescribeCachediSCSIVolumes",),
    "tags": ("GetResources",),
}
_WITH_ACCOUNT_MANAGEMENT = ("aws", "aws-cn")


def region_operation(partition: str) -> str:
    """The call that tells which Regions an account has enabled.

    Outside of `aws` and `aws-cn` there is no Account Management service, and EC2 is asked.
    """
    return "ListRegions" if partition in _WITH_ACCOUNT_MANAGEMENT else "DescribeRegions"


def statements(
    details: Collection[str],
    *,
    partition: str = "aws",
    account_id: str = "*",
    enabled_regions: bool = True,
    list_volumes: bool = True,
) -> list[Statement]:
    """The least that the role of a scanned account must allow, a statement for each kind of resource.

    `enabled_regions`: the scan asks the account for its Regions; `list_volumes`: it lists volumes. Raises ConfigError
    for an unknown detail.
    """
    asked = (region_operation(partition),) if enabled_regions else ()
    return _grouped((*_operations(details, list_volumes), *asked), partition, account_id)


def policy_document(
    details: Collection[str],
    *,
    partition: str = "aws",
    account_id: str = "*",
    enabled_regions: bool = True,
    list_volumes: bool = True,
) -> dict[str, Any]:
    """`statements` as a whole policy, ready for `json.dumps`; ConfigError for an unknown partition, too."""
    _check_partition(partition)
    return document(
        statements(
            details,
            partition=partition,
            account_id=account_id,
            enabled_regions=enabled_regions,
            list_volumes=list_volumes,
        )
    )


def statement_of(operation: str, *, partition: str = "aws", account_id: str = "*") -> Statement:
    """What allows one of the `PERMISSIONS`, and nothing else."""
    (statement,) = _grouped((operation,), partition, account_id)
    return statement


def session_policy(
    details: Collection[str],
    *,
    partition: str = "aws",
    account_id: str = "*",
    enabled_regions: bool = True,
    list_volumes: bool = True,
) -> str:
    """The most that a session of the role may do, as compact JSON for AssumeRole.

    It bounds the role's own policy and widens nothing, so it allows both ways of asking for Regions: an older
    role may have either.
    """
    asked = ("ListRegions", "DescribeRegions") if enabled_regions else ()
    return compact(_grouped((*_operations(details, list_volumes), *asked), partition, account_id))


def organization_statements() -> list[Statement]:
    """What the base identity needs to discover the accounts of its organization."""
    discovery = [name for name, each in PERMISSIONS.items() if each.service == "organizations"]
    return _grouped(discovery, "aws", "*")


def base_statements(
    roles: str | Iterable[str], *, partition: str = "aws", session_tags: bool = False
) -> list[Statement]:
    """What the base identity needs to assume `roles`: ARNs, or names that mean a role in every account."""
    named = (roles,) if isinstance(roles, str) else roles
    arns = sorted({role if role.startswith("arn:") else role_arn(partition, "*", role) for role in named})
    actions = [PERMISSIONS["AssumeRole"].action, *([TAG_SESSION] if session_tags else [])]
    return [_statement(PERMISSIONS["AssumeRole"].sid, actions, *arns)]


def base_document(
    roles: str | Iterable[str],
    *,
    partition: str = "aws",
    session_tags: bool = False,
    organization: bool = True,
) -> dict[str, Any]:
    """The whole policy of a base identity that assumes `roles`, and discovers the accounts of an `organization`.

    Raises ConfigError for an unknown partition, and for what is no role.
    """
    roles = (roles,) if isinstance(roles, str) else tuple(roles)
    _check_partition(partition)
    for role in roles:
        _check_role(role)
    assumes = base_statements(roles, partition=partition, session_tags=session_tags)
    return document([*(organization_statements() if organization else ()), *assumes])


def document(allowed: Iterable[Statement]) -> dict[str, Any]:
    """Statements as a whole policy."""
    return {"Version": "2012-10-17", "Statement": list(allowed)}


def compact(allowed: Iterable[Statement]) -> str:
    """Statements as a session policy, without what only people read; raises ValueError if it is too long."""
    bare = ({key: value for key, value in each.items() if key != "Sid"} for each in allowed)
    text = json.dumps(document(bare), separators=(",", ":"))
    if len(text) > SESSION_POLICY_LIMIT:
        raise ValueError(f"a session policy takes {SESSION_POLICY_LIMIT} characters, not {len(text)}")
    return text


def remedy(
    operation: str,
    resource: str | None = None,
    identity: str | None = None,
    *,
    session_tags: bool = False,
) -> str:
    """What to add to which policy so that `operation` is allowed, on one line.

    `resource` is the ARN that was refused, if known: the advice then names its partition and account.
    `identity` is the ARN of who was refused to assume a role; without it that is the base identity.
    `session_tags`: the role's session was to carry tags.
    """
    permission = PERMISSIONS.get(operation)
    if permission is None:
        return "Compare the role's policy with: sgw-scanner iam policy"
    if operation == "AssumeRole":
        (statement,) = base_statements(resource or "sgw-scanner", session_tags=session_tags)
        also = "; the role's trust policy must name that identity, with the same external id"
        also += f", and allow it {TAG_SESSION}" if session_tags else ""
        return f"Add to the policy of {identity or 'the base identity'}: {_line(statement)}{also}"
    partition, account_id = _whereabouts(resource)
    statement = statement_of(operation, partition=partition, account_id=account_id)
    whose = "base identity" if permission.service == "organizations" else "role that scans"
    return f"Add to the policy of the {whose}: {_line(statement)}"


def _check_partition(partition: str) -> None:
    if partition not in PARTITIONS:
        raise ConfigError(f"partition: {partition!r} is unknown; choose from {', '.join(PARTITIONS)}")


def _check_role(role: str) -> None:
    arn = ROLE_ARN.fullmatch(role)
    if not (role.isascii() and (arn or ROLE_NAME.fullmatch(role))):
        raise ConfigError(
            f"role: {role!r} is neither a role's name (64 letters, digits or any of _+=,.@- at most)"
            " nor its ARN (arn:aws:iam::ACCOUNT:role/NAME)"
        )
    if arn:
        _check_partition(arn["partition"])


def _operations(details: Collection[str], list_volumes: bool) -> tuple[str, ...]:
    for detail in details:
        if detail not in DETAILS:
            known = ", ".join(DETAILS)
            raise ConfigError(f"details: {detail!r} is unknown; choose from {known}")
    # In the table's order, so that the same details give the same text however they are written.
    return (
        *(operation for operation in ALWAYS if list_volumes or operation != "ListVolumes"),
        *(operation for name, group in DETAILS.items() if name in details for operation in group),
    )


def _grouped(operations: Iterable[str], partition: str, account_id: str) -> list[Statement]:
    groups: dict[tuple[str, str], list[str]] = {}
    for permission in map(PERMISSIONS.__getitem__, operations):
        groups.setdefault((permission.sid, permission.resource), []).append(permission.action)
    return [
        _statement(sid, actions, resource.format(partition=partition, account_id=account_id))
        for (sid, resource), actions in groups.items()
    ]


def _statement(sid: str, actions: list[str], *resources: str) -> Statement:
    where = resources[0] if len(resources) == 1 else list(resources)
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": where}


def _whereabouts(resource: str | None) -> tuple[str, str]:
    """Partition and account of an ARN; of anything else the usual partition and every account."""
    partition, account_id = owner_of(resource) or ("aws", "")
    return partition, account_id or "*"


def _line(statement: Statement) -> str:
    return json.dumps({key: value for key, value in statement.items() if key != "Sid"})
