"""Where the SDK would send a call, and over which proxy.

Seen in aiobotocore 2.25 and 3.10: `client._resolve_endpoint_ruleset(model, params, context)`, which returns the URL,
further headers and properties, and puts the signing Region and name into the context; `client._endpoint.http_session`.
"""

from dataclasses import dataclass
from typing import Any

from scanner.aws.connections import Route


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One service in one Region: its URL, how it is reached, and what signatures for it name."""

    url: str
    route: Route
    signing_region: str
    signing_name: str


async def endpoint_of(client: Any, operation: str) -> Endpoint:
    """The endpoint of `client`, as the SDK's rules have it: FIPS, dual stack, AWS_ENDPOINT_URL and profiles."""
    model, context = client.meta.service_model, dict[str, Any]()
    url, _, _ = await client._resolve_endpoint_ruleset(model.operation_model(operation), {}, context)
    signing = context.get("signing", {})
    return Endpoint(
        url,
        client._endpoint.http_session.route(url),
        signing.get("region") or client.meta.region_name,
        signing.get("signing_name") or model.signing_name,
    )
