"""From bytes to a call and back: which service speaks which protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from .errors import AUTHENTICATION_CODES, AuthenticationError, ServiceError

_TARGETS = {
    "StorageGateway_20130630": "storagegateway",
    "AWSOrganizationsV20161128": "organizations",
    "ResourceGroupsTaggingAPI_20170126": "tagging",
}
_QUERIES = {"2011-06-15": "sts", "2016-11-15": "ec2"}
_REST = {"/listRegions": ("account", "ListRegions")}
_NAMESPACES = {
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
    "ec2": "http://ec2.amazonaws.com/doc/2016-11-15/",
}
JSON_1_1 = "application/x-amz-json-1.1"


@dataclass(slots=True)
class Reply:
    """An answer as it will stand on the wire."""

    status: int
    body: bytes
    content_type: str = JSON_1_1
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which operation a request names, before anybody knows who asks."""

    service: str
    operation: str
    params: Mapping[str, Any] | None


def understand(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Asked:
    """The operation and its parameters; None for parameters that are no JSON object."""
    target = headers.get("X-Amz-Target")
    if target is not None:
        prefix, _, operation = target.partition(".")
        return Asked(_TARGETS.get(prefix, "unknown"), operation, _json(body))
    if path in _REST:
        service, operation = _REST[path]
        return Asked(service, operation, _json(body or b"{}"))
    params = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    service = _QUERIES.get(params.get("Version", ""), "unknown")
    return Asked(service, params.get("Action", ""), params)


def _json(body: bytes) -> Mapping[str, Any] | None:
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def success(service: str, operation: str, result: Mapping[str, Any], request_id: str) -> Reply:
    """The answer in the service's own protocol."""
    if service == "sts":
        body = (
            f'<{operation}Response xmlns="{_NAMESPACES[service]}">'
            f"<{operation}Result>{_xml(result)}</{operation}Result>"
            f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
        )
        return Reply(200, body.encode(), "text/xml", {"x-amzn-RequestId": request_id})
    if service == "ec2":
        body = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<{operation}Response xmlns="{_NAMESPACES[service]}">'
            f"<requestId>{request_id}</requestId>{_xml(result)}</{operation}Response>"
        )
        return Reply(200, body.encode(), "text/xml;charset=UTF-8", {"x-amzn-RequestId": request_id})
    content_type = "application/json" if service == "account" else JSON_1_1
    return Reply(200, json.dumps(result).encode(), content_type, {"x-amzn-RequestId": request_id})


def _xml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(f"<{key}>{_xml(inner)}</{key}>" for key, inner in value.items())
    if isinstance(value, list):
        return "".join(f"<item>{_xml(inner)}</item>" for inner in value)
    return escape(str(value).lower() if isinstance(value, bool) else str(value))


def failure(service: str, error: ServiceError, request_id: str) -> Reply:
    """A refusal in the service's own protocol."""
    headers = {"x-amzn-RequestId": request_id, **error.headers}
    if service == "sts":
        side = "Sender" if error.status < 500 else "Receiver"
        body = (
            f'<ErrorResponse xmlns="{_NAMESPACES[service]}"><Error><Type>{side}</Type>'
            f"<Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return Reply(error.status, body.encode(), "text/xml", headers)
    if service == "ec2":
        body = (
            f"<Response><Errors><Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
            f"</Errors><RequestID>{request_id}</RequestID></Response>"
        )
        return Reply(error.status, body.encode(), "text/xml;charset=UTF-8", headers)
    content: dict[str, Any] = {"message": error.message}
    if service == "account":
        headers["x-amzn-ErrorType"] = error.code
        status = 403 if error.code == "AccessDeniedException" else error.status
        return Reply(status, json.dumps(content).encode(), "application/json", headers)
    content = {"__type": error.code, **content}
    if error.inner is not None:
        content["error"] = {"errorCode": error.inner, "errorDetails": {}}
    return Reply(error.status, json.dumps(content).encode(), JSON_1_1, headers)


def refusal(service: str, error: AuthenticationError) -> ServiceError:
    """The code that a service's protocol has for a signature that proves nothing."""
    plain, query, ec2 = AUTHENTICATION_CODES[error.cause]
    if service == "sts":
        return ServiceError(query[0], error.message, query[1])
    if service == "ec2":
        return ServiceError(ec2[0], error.message, ec2[1])
    return ServiceError(plain, error.message, 403 if service == "account" else 400)
