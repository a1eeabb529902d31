"""Without a signature nothing can be read or changed by a page that a browser shows from another site."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

import pytest

from scanner.emulator import Account, Emulator, Fault, Fleet, Remote, Role, background

from ..clients import client, token
from ..wire import FORM

PROD = "222222222222"
JSON = {"Content-Type": "application/json"}
RULE = json.dumps({"kind": "access_denied"}).encode()


@pytest.fixture
def sgw_fleet() -> Fleet:
    return Fleet([Account("111111111111"), Account(PROD, roles=[Role("scan")])])


def port(emulator: Emulator) -> int:
    return int(emulator.url.rpartition(":")[2])


def call(
    emulator: Emulator, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
) -> tuple[int, str]:
    """Status and text of the answer to a request whose `Host` is what `headers` say."""
    connection = HTTPConnection("127.0.0.1", port(emulator), timeout=10)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:4566", "Origin": "http://evil.example:4566"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost.evil.example"},
        {"Host": "[::1"},
        {"Host": ""},
        {"Host": "10.0.0.1"},
        {"Origin": "http://evil.example"},
        {"Origin": "https://127.0.0.1"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "null"},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/_emulator/faults"),
        ("DELETE", "/_emulator/faults"),
        ("DELETE", "/_emulator/stats"),
        ("GET", "/_emulator/stats"),
        ("OPTIONS", "/_emulator/faults"),
    ],
)
def test_the_control_paths_refuse_another_site(
    sgw_emulator: Emulator, method: str, path: str, headers: dict[str, str]
) -> None:
    sgw_emulator.faults.add(Fault("access_denied", nth=2))
    client(sgw_emulator, "storagegateway").list_gateways()
    status, text = call(sgw_emulator, method, path, {**JSON, **headers}, RULE if method == "POST" else b"")
    assert status == 403
    assert "header names" in json.loads(text)["message"]
    with pytest.raises(Exception, match="AccessDenied"):
        client(sgw_emulator, "storagegateway").list_gateways()
    assert sgw_emulator.count("ListGateways") == 2


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]", "127.9.9.9"])
def test_the_control_paths_answer_programs_and_pages_of_this_machine(
    sgw_emulator: Emulator, name: str
) -> None:
    host = f"{name}:{port(sgw_emulator)}"
    for origin in ({}, {"Origin": f"http://{host}"}):
        headers = {**JSON, "Host": host, **origin}
        assert call(sgw_emulator, "POST", "/_emulator/faults", headers, RULE)[0] == 200
        assert call(sgw_emulator, "GET", "/_emulator/stats", headers)[0] == 200


def test_the_address_that_was_listened_at_is_a_name_of_the_emulator() -> None:
    name = socket.gethostname()
    try:
        socket.create_server((name, 0)).close()
    except OSError:
        pytest.skip("this machine does not resolve its own name to an address of its own")
    with background(Fleet([Account(PROD)]), host=name) as emulator:
        assert Remote(emulator.url).stats()["total"] == 0


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", FORM, "multipart/form-data; boundary=x", "", "text/plain; application/json"],
)
def test_a_rule_must_be_said_to_be_json(sgw_emulator: Emulator, content_type: str) -> None:
    """What a page may send without the browser asking first is none of these types."""
    status, text = call(
        sgw_emulator,
        "POST",
        "/_emulator/faults",
        {"Content-Type": content_type} if content_type else {},
        RULE,
    )
    assert status == 415
    assert "Content-Type: application/json" in text
    client(sgw_emulator, "storagegateway").list_gateways()


def test_a_rule_may_say_its_charset(sgw_emulator: Emulator) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert call(sgw_emulator, "POST", "/_emulator/faults", headers, RULE)[0] == 200


def assume_role() -> bytes:
    parameters = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": f"arn:aws:iam::{PROD}:role/scan",
        "RoleSessionName": "page",
        "WebIdentityToken": token(),
    }
    return urlencode(parameters).encode()


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}], ids=str)
def test_the_one_call_that_needs_no_signature_refuses_another_site(
    sgw_emulator: Emulator, headers: dict[str, str]
) -> None:
    form = {"Content-Type": FORM}
    status, text = call(sgw_emulator, "POST", "/", {**form, **headers}, assume_role())
    assert status == 403
    assert "<Code>AccessDenied</Code>" in text
    assert not sgw_emulator.sessions
    assert sgw_emulator.requests.total() == 0
    assert call(sgw_emulator, "POST", "/", form, assume_role())[0] == 200
    assert len(sgw_emulator.sessions) == 1


def test_a_signed_call_may_come_under_any_name(sgw_emulator: Emulator) -> None:
    """In a container the emulator has the name of its service; a signature covers `Host`."""
    api: Any = client(sgw_emulator, "storagegateway")

    def rename(request: Any, **_: Any) -> None:
        request.headers["Host"] = "emulator.test:4566"

    api.meta.events.register("before-sign", rename)
    assert api.list_gateways()["Gateways"] == []
