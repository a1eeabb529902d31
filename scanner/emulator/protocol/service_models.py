"""How each service speaks: its protocol, its namespace, and the codes of the errors that all have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Protocol = Literal["json", "query", "ec2", "rest-json", "rest-xml"]
JSON_1_0, JSON_1_1 = "application/x-amz-json-1.0", "application/x-amz-json-1.1"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The code and HTTP status of an error, and its message if it is always the same."""

    code: str
    status: int = 400
    message: str = "Rate exceeded"


@dataclass(frozen=True, slots=True)
class ServiceModel:
    """`name` is the one under which calls are signed, counted, limited and named by fault rules.

    A service that is not `supported` answers every operation as one that it does not have.
    """

    name: str
    protocol: Protocol
    target_prefix: str | None = None
    version: str | None = None
    namespace: str = ""
    # Paths of REST operations.
    routes: Mapping[str, str] = field(default_factory=dict)
    # The parameter and the field that lead to the next page.
    marker: str = "NextToken"
    content_type: str = JSON_1_1
    throttled: Refusal = Refusal("ThrottlingException")
    denied: Refusal = Refusal("AccessDeniedException")
    # The errors for a parameter that is not honoured, and for an operation that does not exist.
    unsupported_parameter: Refusal = Refusal("ValidationException")
    unknown_operation: Refusal = Refusal("UnknownOperationException")
    # How far the time of a signature may be off.
    clock_minutes: int = 5
    supported: bool = True


STORAGE_GATEWAY = ServiceModel(
    "storagegateway", "json", target_prefix="StorageGateway_20130630", marker="Marker"
)
ORGANIZATIONS = ServiceModel(
    "organizations",
    "json",
    target_prefix="AWSOrganizationsV20161128",
    throttled=Refusal("TooManyRequestsException"),
)
TAGGING = ServiceModel(
    "tagging", "json", target_prefix="ResourceGroupsTaggingAPI_20170126", marker="PaginationToken"
)
STS = ServiceModel(
    "sts",
    "query",
    version="2011-06-15",
    namespace="https://sts.amazonaws.com/doc/2011-06-15/",
    throttled=Refusal("Throttling"),
    denied=Refusal("AccessDenied", 403),
    unsupported_parameter=Refusal("ValidationError"),
    unknown_operation=Refusal("InvalidAction"),
    clock_minutes=15,
)
EC2 = ServiceModel(
    "ec2",
    "ec2",
    version="2016-11-15",
    namespace="http://ec2.amazonaws.com/doc/2016-11-15/",
    throttled=Refusal("RequestLimitExceeded", 503, "Request limit exceeded."),
    denied=Refusal("UnauthorizedOperation", 403),
    unsupported_parameter=Refusal("UnknownParameter"),
    unknown_operation=Refusal("InvalidAction"),
)
ACCOUNT = ServiceModel(
    "account",
    "rest-json",
    routes={"/listRegions": "ListRegions"},
    throttled=Refusal("TooManyRequestsException", 429),
    denied=Refusal("AccessDeniedException", 403),
    unknown_operation=Refusal("UnknownOperationException", 404),
)
SUPPORTED = {model.name: model for model in (STORAGE_GATEWAY, ORGANIZATIONS, TAGGING, STS, EC2, ACCOUNT)}
BY_TARGET_PREFIX = {model.target_prefix: model for model in SUPPORTED.values() if model.target_prefix}
BY_VERSION = {model.version: model for model in SUPPORTED.values() if model.version}
# Those among the many services of AWS whose REST calls are answered in XML, by their signing names.
REST_XML = {"s3", "s3express", "s3-outposts", "s3-object-lambda", "route53", "cloudfront"}


def unsupported(
    name: str, protocol: Protocol, version: str = "", content_type: str = JSON_1_1
) -> ServiceModel:
    """A service that is not emulated, in the protocol in which it was called."""
    code, status = {
        "query": ("InvalidAction", 400),
        "rest-json": ("UnknownOperationException", 404),
        "rest-xml": ("NotImplemented", 501),
    }.get(protocol, ("UnknownOperationException", 400))
    return ServiceModel(
        name,
        protocol,
        namespace=f"https://{name}.amazonaws.com/doc/{version}/",
        content_type=content_type,
        unknown_operation=Refusal(code, status),
        supported=False,
    )
