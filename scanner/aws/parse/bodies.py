"""Bodies looked at before the SDK parses them: it takes HTML for an empty answer, and trips over the rest."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.parsers import ResponseParserError

from scanner.service.errors import InvalidResponse

KEPT = "sgw-scanner-body"
ERROR_TEXTS = ("__type", "code", "Code", "message", "Message")


def guard_of(protocol: str) -> Callable[..., None]:
    """What to do with each answer of a service that speaks `protocol`, before the SDK parses it."""
    return _guard_json if protocol.endswith("json") else _guard_xml


def checked(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer itself, parsed once, by us, where it is JSON; raises CallFailed where it should be."""
    return json_object(response[KEPT]) if KEPT in response else response


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`; raises InvalidResponse where there is none although the status was 200."""
    found = parsed(body)
    if found is None:
        raise InvalidResponse.because("the answer is no JSON object although its status is 200", whole=True)
    return found


def parsed(body: bytes) -> dict[str, Any] | None:
    """The JSON object in `body`; None where there is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _guard_json(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    if response_dict["status_code"] < 300:
        customized_response_dict[KEPT] = response_dict["body"]
        response_dict["body"] = b"{}"
    elif not _is_error(parsed(response_dict["body"])):
        # The status alone tells more than the SDK's parser, which would fall over this.
        response_dict["body"] = b""


def _is_error(body: Mapping[str, Any] | None) -> bool:
    return (
        body is not None
        and all(isinstance(body.get(key) or "", str) for key in ERROR_TEXTS)
        and isinstance(body.get("error") or {}, dict)
    )


def _guard_xml(response_dict: dict[str, Any], operation_model: Any, **_: Any) -> None:
    body = response_dict["body"]
    if response_dict["status_code"] >= 300:
        if b"<Code>" not in body:
            response_dict["body"] = b""
        return
    wrapper = operation_model.output_shape.serialization.get("resultWrapper")
    if f"<{wrapper or operation_model.name + 'Response'}".encode() not in body:
        raise ResponseParserError("the answer is of another operation, or none at all")
