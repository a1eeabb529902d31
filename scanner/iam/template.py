"""The CloudFormation template that gives every account of a fleet its scanning role."""

from collections.abc import Collection
from string import Template
from textwrap import indent

from scanner.iam.permissions import TAG_SESSION, Statement, statement_of, statements

_PARTITION = "${AWS::Partition}"
_ACCOUNT = "${AWS::AccountId}"

# The placeholders are %name, for ${name} is CloudFormation's own.
_TEXT = """\
# Written by `sgw-scanner iam template%options`. Ready for a StackSet over an organization.
AWSTemplateFormatVersion: "2010-09-09"
Description: The role that sgw-scanner assumes to read the recovery points of Storage Gateway volumes

Parameters:
  TrustedAccount:
    Type: String
    Description: The account that sgw-scanner runs in; its identities may be allowed to assume the role
    AllowedPattern: "[0-9]{12}"
    ConstraintDescription: an account id is 12 digits
  ExternalId:
    Type: String
    Description: Must be presented to assume the role, as external_id in scanner.toml; empty for none
    NoEcho: true
    Default: ""
    AllowedPattern: "([A-Za-z0-9_+=,.@:/-]{2,1224})?"
    ConstraintDescription: 2 to 1224 letters, digits or any of _+=,.@:/-
  RoleName:
    Type: String
    Description: The role's name, the same as role in scanner.toml
    Default: sgw-scanner
    AllowedPattern: "[A-Za-z0-9_+=,.@-]{1,64}"
    ConstraintDescription: 1 to 64 letters, digits or any of _+=,.@-

Conditions:
  HasExternalId: !Not [!Equals [!Ref ExternalId, ""]]
  # Elsewhere there is no Account Management service, and EC2 is asked for the Regions.
  HasAccountManagement: !Or
    - !Equals [!Ref AWS::Partition, aws]
    - !Equals [!Ref AWS::Partition, aws-cn]

Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Ref RoleName
      Description: Lets sgw-scanner read the recovery points of Storage Gateway volumes
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal:
              AWS: !Sub arn:${AWS::Partition}:iam::${TrustedAccount}:root
            Action: sts:AssumeRole
            Condition: !If
              - HasExternalId
              - StringEquals:
                  sts:ExternalId: !Ref ExternalId
              - !Ref AWS::NoValue
%tagging      Policies:
        - PolicyName: sgw-scanner
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
%statements
              - !If
                  - HasAccountManagement
%management
%ec2

Outputs:
  RoleArn:
    Description: The role of this account, for role in scanner.toml
    Value: !GetAtt Role.Arn
"""

# A statement of its own: AWS does not say that the external id may be a condition of this action, too, and
# without the statement above nobody gets in anyway.
_TAGGING = f"""\
          - Effect: Allow
            Principal:
              AWS: !Sub arn:${{AWS::Partition}}:iam::${{TrustedAccount}}:root
            Action: {TAG_SESSION}
"""


class _Text(Template):
    delimiter = "%"


def role_template(details: Collection[str] = (), *, session_tags: bool = False) -> str:
    """A CloudFormation template in YAML: a role with the least policy for `details`, in any partition.

    Its parameters are TrustedAccount, ExternalId (optional, not echoed) and RoleName. With `session_tags` its
    sessions may carry tags. Raises ConfigError for an unknown detail.
    """
    options = (
        f" --details {','.join(details)}" if details else "",
        " --session-tags" if session_tags else "",
    )
    allowed = statements(details, partition=_PARTITION, account_id=_ACCOUNT, enabled_regions=False)
    return _Text(_TEXT).substitute(
        options="".join(options),
        tagging=_TAGGING if session_tags else "",
        statements="\n".join(indent(_yaml(each), " " * 14) for each in allowed),
        management=indent(_yaml(_alone("ListRegions")), " " * 18),
        ec2=indent(_yaml(_alone("DescribeRegions")), " " * 18),
    )


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
