"""How the calls of a scan are named: `rpc.method` is the service's name and the operation's."""

STORAGE_GATEWAY = "StorageGateway"
SERVICES = {
    "AssumeRole": "STS",
    "GetCallerIdentity": "STS",
    "DescribeOrganization": "Organizations",
    "ListRoots": "Organizations",
    "ListAccountsForParent": "Organizations",
    "ListOrganizationalUnitsForParent": "Organizations",
    "ListRegions": "Account",
    "DescribeRegions": "EC2",
    "GetResources": "ResourceGroupsTaggingAPI",
}
"""Of each operation that is not Storage Gateway's."""


def rpc_method(operation: str) -> str:
    return f"{SERVICES.get(operation, STORAGE_GATEWAY)}/{operation}"
