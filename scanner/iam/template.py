"""The CloudFormation template that gives every account of a fleet its scanning role."""

from collections.abc import Collection, Mapping
from importlib.resources import files
from string import Template
from textwrap import indent

from scanner.iam.permissions import Statement, statement_of, statements

_PARTITION = "${AWS::Partition}"
_ACCOUNT = "${AWS::AccountId}"
_TAGGING = "#session-tags:"
"""Begins the lines of role.yaml that stand in the template only where sessions carry tags."""
_ASKING = "#enabled-regions:"
"""Begins those that stand in it only where the account is asked for its Regions."""


class _Text(Template):
    # `${name}` is CloudFormation's own.
    delimiter = "%"


def role_template(
    details: Collection[str] = (),
    *,
    session_tags: bool = False,
    list_volumes: bool = True,
    enabled_regions: bool = True,
    role_name: str = "sgw-scanner",
) -> str:
    """A CloudFormation template in YAML: a role with the least policy for `details`, in any partition.

    Its parameters are TrustedAccount, ExternalId (optional, not echoed) and RoleName, by default `role_name`. With
    `session_tags` its sessions may carry tags; with `enabled_regions` they may ask the account for its Regions.
    Raises ConfigError for an unknown detail.
    """
    options = (
        f" --details {','.join(details)}" if details else "",
        " --session-tags" if session_tags else "",
    )
    allowed = statements(
        details,
        partition=_PARTITION,
        account_id=_ACCOUNT,
        enabled_regions=False,
        list_volumes=list_volumes,
    )
    text = _text({_TAGGING: session_tags, _ASKING: enabled_regions})
    return _Text(text).substitute(
        role=role_name,
        options="".join(options),
        statements="\n".join(indent(_yaml(each), " " * 14) for each in allowed),
        management=indent(_yaml(_alone("ListRegions")), " " * 18),
        ec2=indent(_yaml(_alone("DescribeRegions")), " " * 18),
    )


def _text(marked: Mapping[str, bool]) -> str:
    """role.yaml without the lines whose mark is not wanted."""
    lines = files(__package__).joinpath("role.yaml").read_text(encoding="utf-8").splitlines(keepends=True)
    for mark, wanted in marked.items():
        lines = [line.removeprefix(mark) for line in lines if wanted or not line.startswith(mark)]
    return "".join(lines)


def _alone(operation: str) -> Statement:
    return statement_of(operation, partition=_PARTITION, account_id=_ACCOUNT)


def _yaml(statement: Statement) -> str:
    resource = statement["Resource"]
    return "\n".join(
        (
            f"- Sid: {statement['Sid']}",
            f"  Effect: {statement['Effect']}",
            "  Action:",
            *(f"    - {action}" for action in statement["Action"]),
            '  Resource: "*"' if resource == "*" else f"  Resource: !Sub {resource}",
        )
    )
