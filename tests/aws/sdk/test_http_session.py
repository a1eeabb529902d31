"""What a client of the SDK sends over our connections."""

import asyncio
import base64
from contextlib import suppress

import pytest
from aiohttp import ClientHttpProxyError
from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from botocore.exceptions import ProxyConnectionError

from scanner.aws.connections import Connections
from scanner.aws.sdk.http_session import HttpSession


@pytest.mark.parametrize(
    ("user_info", "endpoint", "shown"),
    [("user:p%40ss%2F@", "https://h.example/", b"user:p@ss/"), ("", "https://me:hush@h.example/", None)],
)
async def test_a_proxy_hears_the_password_of_its_own_address_and_no_other(
    user_info: str, endpoint: str, shown: bytes | None
) -> None:
    """Decoded; and never what stands in the address of the service."""
    heads: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
        writer.close()

    connections = Connections(connect_timeout=5, read_timeout=5, limit=1)
    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        proxy = f"http://{user_info}127.0.0.1:{server.sockets[0].getsockname()[1]}"
        session = HttpSession(connections, proxies={"https": proxy})
        with pytest.raises(ProxyConnectionError) as failed:
            await session.send(AWSPreparedRequest("GET", endpoint, HTTPHeaders(), b"", stream_output=False))
        await connections.close()
    assert isinstance(failed.value.kwargs["error"], ClientHttpProxyError)
    (head,) = heads
    assert (b"Proxy-Authorization" in head) is (shown is not None)
    assert b"hush" not in head
    assert base64.b64encode(b"me:hush") not in head
    if shown is not None:
        assert b"Proxy-Authorization: Basic " + base64.b64encode(shown) in head
