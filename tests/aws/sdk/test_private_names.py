"""What is private in the SDK and in aiohttp, and used all the same. Where one is gone, this says which."""

import inspect

import aioboto3
import aiohttp
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.response import StreamingBody
from aiobotocore.session import get_session
from aiohttp.client_reqrep import ClientRequest

from scanner.aws.connections import Connections, Reply
from scanner.aws.sdk.http_session import ClientConfig, HttpSession, body_of


@pytest.mark.parametrize(
    "name", ["_create_connection", "_update_proxy_auth_header_and_build_proxy_req", "_get_ssl_context"]
)
def test_aiohttps_connector_has_the_methods_that_ours_extends(name: str) -> None:
    """Seen in aiohttp 3.13.3 to 3.14."""
    assert callable(getattr(aiohttp.TCPConnector, name))


async def test_aiohttps_connector_keeps_idle_connections_and_those_in_use_apart() -> None:
    """Seen in aiohttp 3.13.3 to 3.14."""
    connector = aiohttp.TCPConnector()
    assert len(connector._conns) == len(connector._acquired) == 0
    await connector.close()


def test_aiohttps_request_takes_the_context_of_its_connection() -> None:
    """Seen in aiohttp 3.13.3 to 3.14: the request to a proxy is given ours there."""
    assert "ssl" in inspect.signature(ClientRequest.__init__).parameters
    assert isinstance(inspect.getattr_static(ClientRequest, "ssl"), property)


async def test_a_client_of_the_sdk_uses_our_connections_whatever_it_is_merged_with() -> None:
    """Seen in aiobotocore 2.25, which forgets the class of its sessions when it merges two configs."""
    connections = Connections(connect_timeout=1, read_timeout=1, limit=1)
    core = get_session()
    core.set_default_client_config(ClientConfig(connections))
    session = aioboto3.Session(botocore_session=core)
    settings = AioConfig(read_timeout=7)
    async with session.client(
        "sso", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y", config=settings
    ) as client:
        assert isinstance(client._endpoint.http_session, HttpSession)
        assert callable(client._resolve_endpoint_ruleset)


@pytest.mark.parametrize(
    ("provider", "attribute"), [("custom-process", "_popen"), ("assume-role", "_prompter")]
)
def test_the_sdks_credential_providers_start_processes_and_ask_by_what_we_replace(
    provider: str, attribute: str
) -> None:
    """Seen in aiobotocore 2.25."""
    chain = get_session().get_component("credential_provider")
    assert callable(getattr(chain.get_provider(provider), attribute))


async def test_the_body_of_a_streamed_answer_is_the_reply_of_our_connections() -> None:
    """Seen in aiobotocore 2.25 and 3.10."""
    reply = Reply(200, {}, b"all of it")
    assert body_of(StreamingBody(reply, 9)) == b"all of it"
