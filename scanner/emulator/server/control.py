"""What programs in other processes can read and change of a running emulator, over its own port."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

from ..faults.rules import FaultRules
from ..fleets.checked import problems
from ..fleets.faults import Fault
from ..protocol.serializer import HttpResponse
from .cross_site import cross_site_reason

PREFIX = "/_emulator/"
_RULE: TypeAdapter[Fault] = TypeAdapter(Fault)


class Controlled(Protocol):
    """The part of an emulator that can be controlled."""

    faults: FaultRules

    def stats(self) -> dict[str, Any]: ...
    def reset(self) -> None: ...


def control(
    emulator: Controlled, listening_at: str, method: str, path: str, headers: Mapping[str, str], body: bytes
) -> HttpResponse:
    """Answers `GET` and `DELETE /_emulator/stats`, `POST` and `DELETE /_emulator/faults`, all in JSON.

    No signature proves who calls, so what may come from a page of another site is refused.
    """
    reason = cross_site_reason(headers, listening_at)
    if reason is not None:
        return _json({"message": f"refused: {reason}"}, 403)
    if method == "POST" and not _says_json(headers):
        return _json({"message": "refused: send the header Content-Type: application/json"}, 415)
    match method, path.removeprefix(PREFIX):
        case "GET", "stats":
            return _json(emulator.stats())
        case "DELETE", "stats":
            emulator.reset()
            return _json(emulator.stats())
        case "POST", "faults":
            return _add_fault(emulator.faults, body)
        case "DELETE", "faults":
            emulator.faults.clear()
            return _json({})
    return _json({"message": f"nothing answers to {method} {path}"}, 404)


def _says_json(headers: Mapping[str, str]) -> bool:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower() == "application/json"


def _add_fault(faults: FaultRules, body: bytes) -> HttpResponse:
    try:
        faults.add(_RULE.validate_python(json.loads(body)))
    except ValidationError as error:
        return _json({"message": f"no such fault: {'; '.join(problems(error))}"}, 400)
    except (ValueError, RecursionError) as error:
        return _json({"message": f"no such fault: the body is no JSON: {error}"}, 400)
    return _json({})


def _json(content: object, status: int = 200) -> HttpResponse:
    return HttpResponse(status, json.dumps(content).encode(), "application/json")
