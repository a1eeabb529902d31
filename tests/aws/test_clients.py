"""When the service says that an answer was given, by its own clock."""

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import aioboto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from scanner.aws.clients import _date, _settle_endpoint, _Signer
from scanner.aws.credentials.holder import Credentials


@pytest.mark.parametrize(
    "text",
    ["Tue, 24 Nov 2026 07:00:00 GMT", "Tue, 24 Nov 2026 07:00:00 -0000", "Tue, 24 Nov 2026 09:00:00 +0200"],
)
def test_the_moment_of_an_answer_is_the_services_in_utc(text: str) -> None:
    found = _date({"HTTPHeaders": {"date": text}})
    assert found == datetime(2026, 11, 24, 7, tzinfo=UTC)
    assert found.utcoffset() == timedelta()


UNREADABLE = ("", "now", "Tue, 99 Nov 2026", "Fri, 31 Dec 9999 23:59:59 -0100")


@pytest.mark.parametrize(
    "metadata",
    [{}, {"HTTPHeaders": {}}, *({"HTTPHeaders": {"date": text}} for text in UNREADABLE)],
)
def test_without_a_date_that_can_be_read_the_local_clock_stands_in(metadata: dict[str, Any]) -> None:
    assert abs(_date(metadata) - datetime.now(UTC)) < timedelta(minutes=1)


HEADER_TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


@given(
    st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,20}", fullmatch=True), HEADER_TEXT, max_size=6),
    st.binary(max_size=200),
    st.sampled_from(
        [
            "https://storagegateway.us-east-1.amazonaws.com/",
            "http://127.0.0.1:4599/",
            "https://[::1]:443/a b?y=2&x=1",
        ]
    ),
    st.sampled_from([None, "a-session-token"]),
)
def test_every_signature_is_the_one_that_the_sdk_would_make(
    headers: dict[str, str], body: bytes, url: str, token: str | None
) -> None:
    """It takes less work: that is all that is different."""
    once = dict({name.lower(): (name, value) for name, value in headers.items()}.values())

    def signed(signer: Any) -> str:
        request = AWSRequest("POST", url, once, body)
        with patch("botocore.auth.get_current_datetime", return_value=datetime(2026, 11, 24, tzinfo=UTC)):
            signer.add_auth(request)
        return str(request.headers["Authorization"])

    ours = _Signer(Credentials(None, "key", "secret", token), "storagegateway", "us-east-1", timedelta())
    theirs = SigV4Auth(ReadOnlyCredentials("key", "secret", token), "storagegateway", "us-east-1")
    assert signed(ours) == signed(theirs)


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1", "us-gov-west-1", "eu-central-2"])
async def test_an_endpoint_that_is_kept_is_the_one_that_the_rules_give(region: str) -> None:
    async with aioboto3.Session().client(
        "storagegateway", region_name=region, aws_access_key_id="x", aws_secret_access_key="y"
    ) as client:
        model = client.meta.service_model
        for name in ("ListGateways", "ListVolumeRecoveryPoints"):
            told = await client._resolve_endpoint_ruleset(model.operation_model(name), {}, {})
            await _settle_endpoint(client)
            assert client._ruleset_resolver is None
            assert await client._resolve_endpoint_ruleset(model.operation_model(name), {}, {}) == told
