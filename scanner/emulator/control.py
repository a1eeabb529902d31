"""What a running emulator can be asked over its own port, by those who started it elsewhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .faults import Fault
from .wire import Reply

if TYPE_CHECKING:
    from .server import Emulator

PREFIX = "/_emulator/"


def control(emulator: Emulator, method: str, path: str, body: bytes) -> Reply:
    """Answers `GET` and `DELETE /_emulator/stats`, `POST` and `DELETE /_emulator/faults`, all in JSON."""
    match method, path.removeprefix(PREFIX):
        case "GET", "stats":
            return _json(emulator.stats())
        case "DELETE", "stats":
            emulator.reset()
            return _json(emulator.stats())
        case "POST", "faults":
            try:
                emulator.faults.add(Fault(**json.loads(body)))
            except (TypeError, ValueError) as error:
                return _json({"message": f"no such fault: {error}"}, 400)
            return _json({})
        case "DELETE", "faults":
            emulator.faults.clear()
            return _json({})
    return _json({"message": f"nothing answers to {method} {path}"}, 404)


def _json(content: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(content).encode(), "application/json")
