"""What is private in the SDK and in aiohttp, and used all the same. Where one is gone, this says which."""

import importlib
import inspect
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import AsyncMock

import aioboto3
import aiohttp
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioCredentials, AioRefreshableCredentials
from aiobotocore.response import StreamingBody
from aiobotocore.session import get_session
from aiohttp.client_reqrep import ClientRequest
from botocore.awsrequest import AWSRequest
from botocore.configprovider import ConfiguredEndpointProvider
from botocore.credentials import ReadOnlyCredentials

import scanner.aws
from scanner.aws.connections import Connections, Reply
from scanner.aws.sdk.http_session import ClientConfig, HttpSession, body_of
from scanner.aws.sdk.providers import READERS, end_of
from scanner.aws.sdk.session import core_of
from scanner.aws.sdk.signer import Signer


@pytest.mark.parametrize(
    "name", ["_create_connection", "_update_proxy_auth_header_and_build_proxy_req", "_release"]
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
    """Seen in aiobotocore 2.25 and 3.10; 2.25 forgets the class of its sessions when it merges two configs."""
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
    """Seen in aiobotocore 2.25 and 3.10."""
    chain = get_session().get_component("credential_provider")
    assert callable(getattr(chain.get_provider(provider), attribute))


async def test_the_sdks_credentials_know_their_end_by_the_name_that_we_read() -> None:
    """Seen in aiobotocore 2.25 and 3.10."""
    end = datetime(2026, 11, 24, 7)
    found = AioRefreshableCredentials("x", "y", "z", end.replace(tzinfo=UTC), AsyncMock(), "test")
    assert end_of(found) == end.replace(tzinfo=UTC)
    found._expiry_time = end
    assert end_of(found) == end.replace(tzinfo=UTC)
    assert end_of(AioCredentials("x", "y")) is None


@pytest.mark.parametrize("skew", [timedelta(), timedelta(days=-2)])
def test_the_sdks_signer_takes_the_time_that_we_set_between_reading_the_clock_and_signing(
    skew: timedelta,
) -> None:
    """Seen in aiobotocore 2.25 and 3.10, with botocore 1.40 to 1.43."""
    request = AWSRequest("GET", "https://sts.us-east-1.amazonaws.com/")
    before = datetime.now(UTC) + skew - timedelta(seconds=1)
    Signer(ReadOnlyCredentials("x", "y", None), "sts", "us-east-1", skew=skew).add_auth(request)
    stamp = str(request.headers["X-Amz-Date"])
    signed = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert before - timedelta(seconds=1) <= signed <= datetime.now(UTC) + skew
    assert f"Credential=x/{stamp[:8]}/" in request.headers["Authorization"]


def test_a_session_of_aioboto3_has_the_session_of_botocore_that_it_was_made_of() -> None:
    """Seen in aioboto3 15.5."""
    core = get_session()
    assert core_of(aioboto3.Session(botocore_session=core)) is core


def test_the_sdk_finds_a_services_endpoint_as_we_look_for_it() -> None:
    """Seen in aiobotocore 2.25 and 3.10, with botocore 1.40 to 1.43."""
    found = ConfiguredEndpointProvider({}, {}, "storagegateway", {"AWS_ENDPOINT_URL_STORAGE_GATEWAY": "x"})
    assert found.provide() == "x"


@pytest.mark.parametrize("name", sorted(READERS))
def test_the_sdks_modules_that_read_credentials_have_the_names_by_which_we_know_them(name: str) -> None:
    """Seen in aiobotocore 2.25 and 3.10."""
    assert importlib.import_module(name)


def test_nothing_private_of_the_sdk_is_used_outside_of_its_room() -> None:
    """`_transport` is asyncio's."""
    aws = Path(scanner.aws.__file__).parent
    private = re.compile(r"(?<!self)(?<!cls)\._(?!_)[a-z]\w*")
    found = {
        (path.name, name)
        for path in aws.rglob("*.py")
        if path.parent.name != "sdk"
        for name in private.findall(path.read_text())
    }
    assert found == {("processes.py", "._transport")}


async def test_the_body_of_a_streamed_answer_is_the_reply_of_our_connections() -> None:
    """Seen in aiobotocore 2.25 and 3.10."""
    reply = Reply(200, {}, b"all of it")
    assert body_of(StreamingBody(reply, 9)) == b"all of it"
