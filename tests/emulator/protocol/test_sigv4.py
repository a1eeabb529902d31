from __future__ import annotations

import json
import time

import pytest
from botocore.exceptions import ClientError

from scanner.emulator import Account, Emulator, Fleet, Key, Role

from ..clients import assume, in_thread
from ..wire import LIST, query, refusal, send, signed

HUB, PROD = "111111111111", "222222222222"


def fleet() -> Fleet:
    hub = Account(HUB, keys=[Key("AKIAOWN", "own")])
    return Fleet([hub, Account(PROD, regions=["us-east-1"], roles=[Role("reader")])])


async def test_a_signature_covers_headers_body_path_and_query() -> None:
    async with Emulator(fleet()) as emulator:
        url = emulator.url
        assert (await send(*signed(url)))[0] == 200
        assert (await send(*signed(url, path="/?b=2&a=%20x&a=1")))[0] == 200
        address, headers, body = signed(url)
        for changed in (
            (address, headers, b'{"Limit": 1}'),
            (address, {**headers, "X-Amz-Target": LIST.replace("Gateways", "Volumes")}, body),
            (address + "?a=1", headers, body),
            (address + "x", headers, body),
        ):
            code, message = await refusal(*changed)
            assert code == "InvalidSignatureException"
            assert message.startswith("The request signature we calculated does not match")
        assert emulator.mismatches == 4


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"Authorization": None}, "MissingAuthenticationTokenException", "Missing|missing"),
        ({"Authorization": "Basic dGVzdA=="}, "IncompleteSignatureException", "algorithm"),
        (
            {"Authorization": "AWS4-HMAC-SHA256 Credential=a/b"},
            "IncompleteSignatureException",
            "SignedHeaders",
        ),
        ({"X-Amz-Date": None}, "IncompleteSignatureException", "X-Amz-Date"),
        ({"X-Amz-Date": "yesterday"}, "IncompleteSignatureException", "ISO-8601"),
        ({"X-Amz-Extra": "1"}, "InvalidSignatureException", "must be a 'SignedHeader'"),
        ({"X-Amz-Security-Token": "x"}, "UnrecognizedClientException", "security token"),
        ({"Content-Type": None}, "InvalidSignatureException", "."),
    ],
)
async def test_a_header_that_is_missing_or_wrong_is_named(
    changes: dict[str, str | None], code: str, message: str
) -> None:
    async with Emulator(fleet()) as emulator:
        address, headers, body = signed(emulator.url)
        merged = {**headers, **changes}
        kept = {name: value for name, value in merged.items() if value is not None}
        found, text = await refusal(address, kept, body)
    assert found == code
    assert any(part in text for part in message.split("|"))


async def test_a_credential_is_scoped_to_its_service_region_and_day() -> None:
    async with Emulator(fleet()) as emulator:
        url = emulator.url
        assert "correct service: 'storagegateway'" in (await refusal(*signed(url, service="sts")))[1]
        assert "valid region" in (await refusal(*signed(url, region="moon-1")))[1]
        address, headers, body = signed(url)
        day = headers["X-Amz-Date"][:8]
        headers["Authorization"] = headers["Authorization"].replace(f"/{day}/", "/19990101/")
        assert "Credential scope does not match" in (await refusal(address, headers, body))[1]
        headers["Authorization"] = headers["Authorization"].replace("/aws4_request", "")
        assert (await refusal(address, headers, body))[0] == "IncompleteSignatureException"
        headers["Authorization"] = signed(url)[1]["Authorization"].replace("host;", "")
        assert "'Host'" in (await refusal(address, headers, body))[1]
        headers["Authorization"] = signed(url)[1]["Authorization"].replace("host;", "host;x-none;")
        assert "is not in the request" in (await refusal(address, headers, body))[1]


async def test_keys_that_nobody_has_are_told_from_wrong_secrets() -> None:
    async with Emulator(fleet()) as emulator:
        url = emulator.url
        assert (await send(*signed(url, keys=("AKIAOWN", "own"))))[0] == 200
        assert (await refusal(*signed(url, keys=("AKIANONE", "own"))))[0] == "UnrecognizedClientException"
        assert (await refusal(*signed(url, keys=("AKIAOWN", "test"))))[0] == "InvalidSignatureException"
        assert emulator.mismatches == 1


async def test_credentials_of_two_accounts_mixed_up_are_counted() -> None:
    async with Emulator(fleet()) as emulator:
        role = f"arn:aws:iam::{PROD}:role/reader"
        first, second = [await in_thread(lambda: assume(emulator, role)) for _ in range(2)]
        one, two = (tuple(keys.values()) for keys in (first, second))
        assert (await send(*signed(emulator.url, keys=one)))[0] == 200
        mixed = (one[0], one[1], two[2])
        assert (await refusal(*signed(emulator.url, keys=mixed)))[0] == "UnrecognizedClientException"
        assert emulator.mismatches == 1


@pytest.mark.parametrize(("skew", "words"), [(360, "is now earlier than"), (-360, "is still later than")])
async def test_a_clock_that_is_five_minutes_off_is_told_so(skew: int, words: str) -> None:
    async with Emulator(fleet(), clock=lambda: time.time() + skew) as emulator:
        code, message = await refusal(*signed(emulator.url))
        assert code == "InvalidSignatureException"
        assert words in message
        assert "5 min.)" in message
        # STS is more patient.
        assert (await send(*query(emulator.url, "GetCallerIdentity")))[0] == 200


async def test_sts_says_it_in_xml_with_its_own_codes() -> None:
    async with Emulator(fleet(), clock=lambda: time.time() + 1000) as emulator:
        status, body = await send(*query(emulator.url, "GetCallerIdentity"))
        assert status == 403
        assert b"<Code>SignatureDoesNotMatch</Code>" in body


async def test_ec2_says_it_in_codes_of_its_own() -> None:
    async with Emulator(fleet()) as emulator:
        body = b"Action=DescribeRegions&Version=2016-11-15"
        asked = signed(emulator.url, service="ec2", target=None, body=body, keys=("AKIANONE", "x"))
        status, answer = await send(*asked)
        assert status == 401
        assert b"<Code>AuthFailure</Code>" in answer


async def test_partitions_know_nothing_of_each_other() -> None:
    served = fleet()
    china = Account("333333333333", regions=["cn-north-1"], roles=[Role("reader")])
    served.accounts.append(china)
    async with Emulator(served) as emulator:
        asked = signed(emulator.url, service="account", target=None, path="/listRegions", region="cn-north-1")
        assert "token included in the request is invalid" in (await send(*asked))[1].decode()
        with pytest.raises(ClientError, match="AccessDenied"):
            await in_thread(lambda: assume(emulator, china.role_arn(china.roles[0])))


async def test_a_region_that_is_not_enabled_knows_no_token() -> None:
    async with Emulator(fleet()) as emulator:
        role = f"arn:aws:iam::{PROD}:role/reader"
        keys = tuple((await in_thread(lambda: assume(emulator, role))).values())
        code, message = await refusal(*signed(emulator.url, keys=keys, region="eu-west-1"))
        assert code == "UnrecognizedClientException"
        assert message == "The security token included in the request is invalid."
        assert (await refusal(*signed(emulator.url, region="af-south-1")))[0] == code


async def test_what_no_service_understands_is_an_error_in_its_protocol() -> None:
    async with Emulator(fleet()) as emulator:
        url = emulator.url
        unknown = "UnknownOperationException"
        assert (await refusal(*signed(url, target="StorageGateway_20130630.Fly")))[0] == unknown
        assert (await refusal(*signed(url, target="Nobody.Fly")))[0] == unknown
        assert (await refusal(*signed(url, target=None)))[0] == unknown
        for body in (b"{", b"[]", b""):
            assert (await refusal(*signed(url, body=body)))[0] == "SerializationException"
        assert b"<Code>InvalidAction</Code>" in (await send(*query(url, "Fly")))[1]
        status, body = await send(*signed(url, service="account", target=None, path="/listRegions"))
        assert status == 200
        assert json.loads(body)["Regions"]


@pytest.mark.parametrize(
    "changed",
    [
        {"Authorization": "AWS4-HMAC-SHA256 Credential=\xff/20260101/us-east-1/storagegateway/aws4_request"},
        {"Authorization": "AWS4-HMAC-SHA256 \xe9"},
        {"X-Amz-Date": "\xff"},
        {"X-Amz-Target": "\xff"},
        {"X-Amz-Security-Token": "\xff"},
        {"Content-Type": "\xff"},
    ],
    ids=str,
)
async def test_bytes_that_are_no_text_in_a_header_prove_nothing(changed: dict[str, str]) -> None:
    async with Emulator(fleet()) as emulator:
        address, headers, body = signed(emulator.url)
        signature = headers["Authorization"]
        covered = signature.replace("SignedHeaders=", "SignedHeaders=content-type;x-amz-security-token;")
        for authorization in (signature, covered):
            given = {**headers, "Authorization": authorization, **changed}
            status, text = await send(address, given, body)
            assert 400 <= status < 500, text
            assert b"__type" in text
