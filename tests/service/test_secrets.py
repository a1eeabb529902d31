"""What is secret stands in no text that passes here, and everything else stays as it is."""

from collections.abc import Iterator
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.service import secrets
from scanner.service.secrets import endpoint_shown, hidden, remember, remember_environment


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    secrets.forget()
    yield
    secrets.forget()


def test_a_secret_that_is_remembered_is_hidden_wherever_it_stands() -> None:
    remember(["the-external-id", None, "short"])
    assert hidden("refused: the-external-id (short)") == "refused: [hidden] (short)"


@pytest.mark.parametrize(
    "address",
    [
        "http://user:Pr0xyPassw0rd@127.0.0.1:3128",
        "user:Pr0xyPassw0rd@127.0.0.1:3128",
        "http://user:Pr0xyPassw0rd@127.0.0.1:port",
        "http://user:Hunt/Pr0xyPassw0rd@127.0.0.1:9",
        "http://user:Pr0xy%50assw0rd@127.0.0.1:9",
    ],
)
@pytest.mark.parametrize(
    "variable", ["HTTPS_PROXY", "https_proxy", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"]
)
def test_the_user_info_of_proxies_and_endpoints_is_hidden_as_written_and_decoded(
    address: str, variable: str
) -> None:
    remember_environment({variable: address})
    told = hidden(f"cannot connect to {address} ({unquote(address)})")
    assert "assw0rd" not in told


def test_a_url_that_nobody_has_told_us_of_shows_no_user_info_either() -> None:
    assert hidden("at http://user:secret@host:80/x?y") == "at http://[hidden]@host:80/x?y"


def test_the_external_ids_of_a_large_fleet_push_out_no_secret_of_the_environment() -> None:
    remember_environment({"AWS_SECRET_ACCESS_KEY": "the-secret-key", "HTTPS_PROXY": "http://u:passw0rd@h"})
    remember(f"external-id-{number}" for number in range(5000))
    assert hidden("the-secret-key passw0rd external-id-4999") == "[hidden] [hidden] [hidden]"


@given(st.text(max_size=200))
def test_a_text_without_secrets_stays_as_it_is(text: str) -> None:
    secrets.forget()
    assert hidden(text) == text or "://" in text


def test_an_endpoint_is_shown_without_user_info_and_query() -> None:
    assert endpoint_shown("https://user:pw@host:8443/path?token=1#x") == "https://host:8443/path"
