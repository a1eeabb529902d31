"""Requests made by hand, so that they can be wrong in one place each."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

FORM = "application/x-www-form-urlencoded"
LIST = "StorageGateway_20130630.ListGateways"


def signed(
    url: str,
    *,
    service: str = "storagegateway",
    target: str | None = LIST,
    region: str = "us-east-1",
    keys: tuple[str, ...] = ("test", "test"),
    body: bytes = b"{}",
    path: str = "/",
    content_type: str = "application/x-amz-json-1.1",
    method: str = "POST",
) -> tuple[str, dict[str, str], bytes]:
    """Address, headers and body of a request that botocore signed."""
    headers = {"Content-Type": content_type}
    if target is not None:
        headers["X-Amz-Target"] = target
    request: Any = AWSRequest(method, url + path, headers, body)
    signer: Any = SigV4Auth
    signer(Credentials(*keys), service, region).add_auth(request)
    return url + path, dict(request.headers.items()), body


def query(url: str, action: str, **arguments: str) -> tuple[str, dict[str, str], bytes]:
    """A signed request in the query protocol."""
    body = urlencode({"Action": action, "Version": "2011-06-15", **arguments}).encode()
    return signed(url, service="sts", target=None, body=body, content_type=FORM)


async def send(address: str, headers: dict[str, str], body: bytes | None) -> tuple[int, bytes]:
    """Status and body of the answer."""

    def use() -> tuple[int, bytes]:
        try:
            with urlopen(Request(address, body, headers)) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            with error:
                return error.code, error.read()

    return await asyncio.to_thread(use)


async def refusal(address: str, headers: dict[str, str], body: bytes) -> tuple[str, str]:
    """Code and message of an answer in JSON."""
    _, content = await send(address, headers, body)
    answer = json.loads(content)
    return answer["__type"], answer["message"]
