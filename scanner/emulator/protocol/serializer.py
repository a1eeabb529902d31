"""From a result or an error to an HTTP response, in the service's own protocol."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from .errors import ServiceError
from .service_models import JSON_1_1, ServiceModel

_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_XML, _XML_UTF_8 = "text/xml", "text/xml;charset=UTF-8"


@dataclass(slots=True)
class HttpResponse:
    """A response as it will stand on the wire."""

    status: int
    body: bytes
    content_type: str = JSON_1_1
    headers: dict[str, str] = field(default_factory=dict)


def serialize(
    service: ServiceModel, operation: str, result: Mapping[str, Any], request_id: str
) -> HttpResponse:
    """The response to a call that succeeded."""
    headers = {"x-amzn-RequestId": request_id}
    if service.protocol == "query":
        body = (
            f'<{operation}Response xmlns="{service.namespace}">'
            f"<{operation}Result>{_xml(result)}</{operation}Result>"
            f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
        )
        return HttpResponse(200, body.encode(), _XML, headers)
    if service.protocol == "ec2":
        body = (
            f'{_DECLARATION}<{operation}Response xmlns="{service.namespace}">'
            f"<requestId>{request_id}</requestId>{_xml(result)}</{operation}Response>"
        )
        return HttpResponse(200, body.encode(), _XML_UTF_8, headers)
    content_type = "application/json" if service.protocol == "rest-json" else service.content_type
    return HttpResponse(200, json.dumps(result).encode(), content_type, headers)


def serialize_error(service: ServiceModel, error: ServiceError, request_id: str) -> HttpResponse:
    """The response to a call that was refused or failed."""
    headers = {"x-amzn-RequestId": request_id, **error.headers}
    if service.protocol in ("json", "rest-json"):
        return _json_error(service, error, headers)
    code = f"<Code>{_text(error.code)}</Code><Message>{_text(error.message)}</Message>"
    side = "Sender" if error.status < 500 else "Receiver"
    if service.protocol == "ec2":
        body = (
            f"<Response><Errors><Error>{code}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
        )
    elif service.protocol == "rest-xml" and service.name.startswith("s3"):
        body = f"<Error>{code}<RequestId>{request_id}</RequestId></Error>"
    else:
        body = (
            f'<ErrorResponse xmlns="{_text(service.namespace)}"><Error><Type>{side}</Type>{code}</Error>'
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    content_type = _XML if service.protocol == "query" else _XML_UTF_8
    return HttpResponse(error.status, body.encode(), content_type, headers)


def _json_error(service: ServiceModel, error: ServiceError, headers: dict[str, str]) -> HttpResponse:
    content: dict[str, Any] = {"message": error.message}
    if service.protocol == "rest-json":
        headers["x-amzn-ErrorType"] = error.code
        return HttpResponse(error.status, json.dumps(content).encode(), "application/json", headers)
    content = {"__type": error.code, **content}
    if error.inner is not None:
        content["error"] = {"errorCode": error.inner, "errorDetails": {}}
    return HttpResponse(error.status, json.dumps(content).encode(), service.content_type, headers)


def _xml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(f"<{key}>{_xml(inner)}</{key}>" for key, inner in value.items())
    if isinstance(value, list):
        return "".join(f"<item>{_xml(inner)}</item>" for inner in value)
    return _text(str(value).lower() if isinstance(value, bool) else str(value))


def _text(text: str) -> str:
    """Text as XML 1.0 can hold it; what it has no place for is replaced."""
    return escape(_NO_XML.sub("\ufffd", text), {'"': "&quot;"})
