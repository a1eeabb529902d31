"""Whatever is called, in whatever protocol: a client of that protocol can read the answer."""

from __future__ import annotations

import xml.etree.ElementTree as Xml
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError

from scanner.emulator import Account, Emulator, Fleet, background

from ..clients import client, in_thread
from ..wire import FORM, query, send, signed


@pytest.fixture(scope="module")
def emulator() -> Any:
    with background(Fleet([Account("111111111111")])) as running:
        yield running


@pytest.mark.parametrize(
    ("service", "method", "arguments", "code", "status"),
    [
        # Query protocol.
        ("iam", "list_users", {}, "InvalidAction", 400),
        ("sns", "list_topics", {}, "InvalidAction", 400),
        ("sts", "get_session_token", {}, "InvalidAction", 400),
        ("ec2", "describe_instances", {}, "InvalidAction", 400),
        # JSON 1.0 and 1.1.
        ("dynamodb", "list_tables", {}, "UnknownOperationException", 400),
        ("ecs", "list_clusters", {}, "UnknownOperationException", 400),
        ("storagegateway", "list_tapes", {}, "UnknownOperationException", 400),
        ("organizations", "list_handshakes_for_account", {}, "UnknownOperationException", 400),
        # REST.
        ("lambda", "list_functions", {}, "UnknownOperationException", 404),
        ("account", "get_contact_information", {}, "UnknownOperationException", 404),
        ("backup", "list_backup_jobs", {}, "UnknownOperationException", 404),
        ("s3", "list_buckets", {}, "NotImplemented", 501),
        ("s3", "get_object", {"Bucket": "bucket", "Key": "key"}, "NotImplemented", 501),
        ("s3", "put_object", {"Bucket": "bucket", "Key": "key", "Body": b"x"}, "NotImplemented", 501),
        ("route53", "list_hosted_zones", {}, "NotImplemented", 501),
        ("cloudfront", "list_distributions", {}, "NotImplemented", 501),
    ],
)
def test_a_call_that_is_not_emulated_is_refused_in_its_own_protocol(
    emulator: Emulator, service: str, method: str, arguments: dict[str, Any], code: str, status: int
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(client(emulator, service), method)(**arguments)
    response: Any = refused.value.response
    assert response["Error"]["Code"] == code
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert "is not valid for this web service" in response["Error"]["Message"]
    assert emulator.mismatches == 0


def test_calls_that_are_not_emulated_are_counted_under_their_services() -> None:
    with background(Fleet([Account("111111111111")])) as emulator:
        for service, method in (("iam", "list_users"), ("lambda", "list_functions")):
            with pytest.raises(ClientError, match=f"the emulator has no service {service}"):
                getattr(client(emulator, service), method)()
        assert emulator.count("ListUsers", service="iam") == 1
        assert emulator.count("GET */functions*", service="lambda") == 1


@pytest.mark.parametrize("content_type", ["application/x-amz-json-1.0", "application/x-amz-json-1.1"])
async def test_json_is_answered_in_the_version_that_was_sent(emulator: Emulator, content_type: str) -> None:
    address, headers, body = signed(
        emulator.url, service="sqs", target="AmazonSQS.ListQueues", content_type=content_type
    )

    def use() -> str:
        with pytest.raises(HTTPError) as refused:
            urlopen(Request(address, body, headers))
        with refused.value as answer:
            return str(answer.headers["Content-Type"])

    assert await in_thread(use) == content_type


async def test_what_names_no_service_is_an_error_that_can_be_read(emulator: Emulator) -> None:
    """Not even a signature tells what is wanted; still nothing breaks."""
    for headers, body, found in (
        ({"Content-Type": FORM}, b"Action=Fly&Version=1999-01-01", b"<Code>InvalidAction</Code>"),
        ({"Content-Type": FORM}, b"", b"<ErrorResponse"),
        ({"X-Amz-Target": ""}, b"", b"UnknownOperationException"),
        ({"X-Amz-Target": "\xff.\xff"}, b"\xff", b"UnknownOperationException"),
        ({"Authorization": "AWS4-HMAC-SHA256 Credential=a/b/c/<x>/d"}, b"", b"unknown"),
        ({"Content-Type": "text/plain"}, b"[" * 100_000, b"message"),
    ):
        status, text = await send(emulator.url, headers, body)
        assert 400 <= status < 500, (headers, text)
        assert found in text, (headers, text)


async def test_a_query_may_stand_in_the_address(emulator: Emulator) -> None:
    """Old clients send GET; the signature covers the address."""
    asked = "/?Action=GetCallerIdentity&Version=2011-06-15"
    address, headers, _ = signed(
        emulator.url, service="sts", target=None, path=asked, body=b"", content_type=FORM, method="GET"
    )
    status, text = await send(address, headers, None)
    assert status == 200
    assert b"<Account>111111111111</Account>" in text


async def test_a_message_that_xml_cannot_hold_is_still_xml(emulator: Emulator) -> None:
    _, text = await send(*query(emulator.url, 'Fly\x00\x1b<&"\ud800'.encode("utf-8", "replace").decode()))
    assert Xml.fromstring(text).tag.endswith("ErrorResponse")
