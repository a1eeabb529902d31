"""Our signatures are botocore's: that they take less work is all that is different."""

from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from scanner.aws.credentials.credentials import Credentials
from scanner.aws.signature import Signable, sign

NOW = datetime(2026, 11, 24, 7, 8, 9, tzinfo=UTC)
TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30)
PATHS = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#%"), max_size=20)


@given(
    st.binary(max_size=200),
    st.sampled_from(
        ["https://storagegateway.us-east-1.amazonaws.com", "http://127.0.0.1:4599", "https://[::1]:443"]
    ),
    PATHS,
    st.none() | st.from_regex(r"[A-Za-z0-9+/=]{1,50}", fullmatch=True),
    TEXT,
)
def test_every_signature_is_the_one_that_the_sdk_would_make(
    body: bytes, host: str, path: str, token: str | None, agent: str
) -> None:
    url = f"{host}/{path}"
    headers = {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "StorageGateway_20130630.ListGateways",
    }
    ours = sign(
        headers,
        body,
        Credentials(None, "key", "secret", token),
        Signable.of(url),
        "us-east-1",
        "storagegateway",
        NOW,
    )
    request = AWSRequest("POST", url, dict(headers), body)
    signer = SigV4Auth(ReadOnlyCredentials("key", "secret", token), "storagegateway", "us-east-1")
    with patch("botocore.auth.get_current_datetime", return_value=NOW):
        signer.add_auth(request)
    assert ours["authorization"] == request.headers["Authorization"]
    assert ours["x-amz-date"] == request.headers["X-Amz-Date"]
    assert ours.get("x-amz-security-token") == token


@pytest.mark.parametrize("other", ["another-secret", "secret "])
def test_another_secret_signs_otherwise(other: str) -> None:
    def signed(secret: str) -> str:
        where = Signable.of("https://example.com")
        return sign({}, b"", Credentials(None, "key", secret), where, "us-east-1", "sts", NOW)[
            "authorization"
        ]

    assert signed("secret") == signed("secret") != signed(other)
