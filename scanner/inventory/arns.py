"""ARNs and ids: how they are read and how they are written, in one place."""

import re

GATEWAY_ARN = re.compile(
    r"arn:(aws[a-z-]*):storagegateway:([a-z0-9-]+):([0-9]{12}):gateway/(sgw-[0-9A-Za-z]{1,64})"
)
"""Groups: partition, Region, account, id."""
VOLUME_ARN = re.compile(
    r"arn:(aws[a-z-]*):storagegateway:([a-z0-9-]+):([0-9]{12}):"
    r"(?:gateway/sgw-[0-9A-Za-z]{1,64}/)?volume/(vol-[0-9A-Za-z]{1,64})"
)
"""Groups: partition, Region, account, id. A volume's ARN may name a gateway, or none."""
ROLE_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>\d{12}):role/(?P<name>[\w+=,.@/-]{1,576})",
    re.ASCII,
)
ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}(?:/[\w+=,.@-]{1,64})*", re.ASCII)


def id_of(arn: str) -> str:
    """The last part of an ARN, which is the id of a gateway or volume."""
    return arn.rpartition("/")[2]


def owner_of(arn: str | None) -> tuple[str, str] | None:
    """Partition and account of any ARN, either of which may be empty; None for what is no ARN."""
    fields = (arn or "").split(":", 5)
    return (fields[1], fields[4]) if fields[0] == "arn" and len(fields) == 6 else None


def gateway_arn(partition: str, region: str, account_id: str, gateway_id: str) -> str:
    return f"arn:{partition}:storagegateway:{region}:{account_id}:gateway/{gateway_id}"


def role_arn(partition: str, account_id: str, name: str) -> str:
    return f"arn:{partition}:iam::{account_id}:role/{name}"
