"""From an HTTP request to the operation that it names, before anybody knows who calls."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from .service_models import (
    BY_TARGET_PREFIX,
    BY_VERSION,
    JSON_1_0,
    JSON_1_1,
    REST_XML,
    SUPPORTED,
    ServiceModel,
    unsupported,
)

_JSON, _FORM = "application/x-amz-json", "application/x-www-form-urlencoded"
_SCOPE = re.compile(r"Credential=[^/,\s]*/[^/,\s]*/[^/,\s]*/([a-z0-9-]{1,64})/")


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """`params` is None where the body is no JSON object."""

    service: ServiceModel
    operation: str
    params: Mapping[str, Any] | None


def parse(method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> ParsedRequest:
    """The operation and its parameters, by the protocol that the request is made in."""
    target, content_type = headers.get("X-Amz-Target"), headers.get("Content-Type", "")
    if target is not None:
        return _parse_json(target, headers, body)
    if path == "/":
        pairs = parse_qsl(query, keep_blank_values=True)
        pairs += parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        form = dict(pairs)
        if "Action" in form or content_type.startswith(_FORM):
            return _parse_query(form, headers)
        if content_type.startswith(_JSON):
            return _parse_json("", headers, body)
    return _parse_rest(method, path, headers, body)


def signing_name(headers: Mapping[str, str]) -> str:
    """The service that a request says it is signed for; `unknown` without a word about it."""
    match = _SCOPE.search(headers.get("Authorization", ""))
    return match[1] if match else "unknown"


def _parse_json(target: str, headers: Mapping[str, str], body: bytes) -> ParsedRequest:
    prefix, _, operation = target.rpartition(".")
    service = BY_TARGET_PREFIX.get(prefix)
    if service is None:
        sent = headers.get("Content-Type", "")
        content_type = JSON_1_0 if sent.startswith(JSON_1_0) else JSON_1_1
        service = unsupported(signing_name(headers), "json", content_type=content_type)
    return ParsedRequest(service, operation, _json_object(body))


def _parse_query(form: dict[str, str], headers: Mapping[str, str]) -> ParsedRequest:
    version, operation = form.pop("Version", ""), form.pop("Action", "")
    service = BY_VERSION.get(version) or unsupported(signing_name(headers), "query", version)
    return ParsedRequest(service, operation, form)


def _parse_rest(method: str, path: str, headers: Mapping[str, str], body: bytes) -> ParsedRequest:
    name = signing_name(headers)
    for service in SUPPORTED.values():
        if path in service.routes and method == "POST":
            return ParsedRequest(service, service.routes[path], _json_object(body or b"{}"))
        if service.name == name and service.protocol == "rest-json":
            return ParsedRequest(service, f"{method} {path}", {})
    service = unsupported(name, "rest-xml" if name in REST_XML else "rest-json")
    return ParsedRequest(service, f"{method} {path}", {})


def _json_object(body: bytes) -> Mapping[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
