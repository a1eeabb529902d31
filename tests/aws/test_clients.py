"""Where calls are sent, and what answers may be."""

from datetime import UTC, datetime

import aioboto3
import pytest
from botocore.httpsession import get_cert_path

from scanner.aws.clocks import http_date
from scanner.aws.connections import Connections, Route, Trust
from scanner.aws.sdk.endpoints import endpoint_of
from scanner.aws.sdk.http_session import ClientConfig


@pytest.mark.parametrize(
    "text",
    ["Tue, 24 Nov 2026 07:00:00 GMT", "Tue, 24 Nov 2026 07:00:00 -0000", "Tue, 24 Nov 2026 09:00:00 +0200"],
)
def test_the_moment_of_an_answer_is_the_services_in_utc(text: str) -> None:
    assert http_date(text) == datetime(2026, 11, 24, 7, tzinfo=UTC)


@pytest.mark.parametrize("text", [None, "", "now", "Tue, 99 Nov 2026", "Fri, 31 Dec 9999 23:59:59 -0100"])
def test_what_is_no_date_is_none(text: str | None) -> None:
    assert http_date(text) is None


@pytest.mark.parametrize(
    ("region", "url"),
    [
        ("us-east-1", "https://storagegateway.us-east-1.amazonaws.com"),
        ("cn-north-1", "https://storagegateway.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "https://storagegateway.us-gov-west-1.amazonaws.com"),
    ],
)
async def test_the_endpoint_is_the_one_that_the_sdk_has_for_the_region(
    region: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    connections = Connections(connect_timeout=1, read_timeout=1, limit=1)
    async with aioboto3.Session().client(
        "storagegateway",
        region_name=region,
        aws_access_key_id="x",
        aws_secret_access_key="y",
        config=ClientConfig(connections),
    ) as client:
        endpoint = await endpoint_of(client, "ListGateways")
    assert (endpoint.url, endpoint.signing_region, endpoint.signing_name) == (url, region, "storagegateway")
    assert endpoint.route == Route()


async def test_a_client_keeps_what_it_was_told_of_proxies_and_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part of it, for dropping one would trust somebody else, or go past the proxy."""
    bundle = get_cert_path(True)
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://user@127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "eu-west-1.amazonaws.com")
    connections = Connections(connect_timeout=1, read_timeout=1, limit=1)
    settings = ClientConfig(
        connections,
        client_cert=("cert.pem", "key.pem"),
        proxies_config={"proxy_ca_bundle": "proxy.pem", "proxy_client_cert": "shown.pem"},
    )
    async with aioboto3.Session().client(
        "storagegateway",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="y",
        config=settings,
        verify=bundle,
    ) as client:
        endpoint = await endpoint_of(client, "ListGateways")
    trust = Trust(bundle, ("cert.pem", "key.pem"), "proxy.pem", ("shown.pem", None))
    assert endpoint.route == Route(trust, "http://user@127.0.0.1:1")
