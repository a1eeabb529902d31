"""Faults that change the records of an answer, or where its pages lead."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ..fleets.faults import Fault
from ..services.request import Request

_ENDLESS = re.compile(r"endless-(\d{1,9})")
Perform = Callable[[Request], Mapping[str, Any]]


def _marker_of(request: Request) -> tuple[str, str | None]:
    name = request.service.marker
    return name, request.params.get(name)


def _first_page(request: Request, perform: Perform, name: str) -> dict[str, Any]:
    request.params = {key: value for key, value in request.params.items() if key != name}
    return dict(perform(request))


def _repeat_marker(fault: Fault, request: Request, perform: Perform) -> dict[str, Any]:
    name, _ = _marker_of(request)
    return {**_first_page(request, perform, name), name: "the-same-marker-again"}


def _endless_markers(fault: Fault, request: Request, perform: Perform) -> dict[str, Any]:
    name, marker = _marker_of(request)
    endless = _ENDLESS.fullmatch(str(marker))
    number = int(endless[1]) + 1 if endless else 1
    return {**_first_page(request, perform, name), name: f"endless-{number}"}


def _empty_page(fault: Fault, request: Request, perform: Perform) -> dict[str, Any]:
    name, marker = _marker_of(request)
    result = _records(perform(request), lambda _: [])
    # The marker leads to where this page would have begun: nothing is lost for a client that goes on.
    position = request.backend.markers.read(marker, request.binding) if marker else None
    return {**result, name: request.backend.markers.issue(position or "", request.binding)}


def _records(result: Mapping[str, Any], change: Callable[[list[Any]], Any]) -> dict[str, Any]:
    """The result with every list of records changed."""
    return {key: change(value) if isinstance(value, list) else value for key, value in result.items()}


def _duplicate(fault: Fault, request: Request, perform: Perform) -> dict[str, Any]:
    return _records(perform(request), lambda records: records + records)


def _foreign_account(fault: Fault, request: Request, perform: Perform) -> dict[str, Any]:
    own, other = f":{request.account_id}:", f":{fault.other or '999999999999'}:"
    return _records(perform(request), lambda records: json.loads(json.dumps(records).replace(own, other)))


def _foreign_region(fault: Fault, request: Request, perform: Perform) -> dict[str, Any]:
    own, other = f":{request.region}:", f":{fault.other or 'ap-south-2'}:"
    return _records(perform(request), lambda records: json.loads(json.dumps(records).replace(own, other)))


def _mutate(fault: Fault, request: Request, perform: Perform) -> Any:
    result = json.loads(json.dumps(perform(request)))
    for path in fault.remove:
        _change(result, path.split("."), None, remove=True)
    for path, value in fault.patch.items():
        _change(result, path.split("."), value)
    return result if fault.change is None else fault.change(result)


def _change(node: Any, path: list[str], value: Any, *, remove: bool = False) -> None:
    """Sets or removes what a path names; `*` is every element, a number one of them."""
    step, rest = path[0], path[1:]
    keys: list[Any]
    if isinstance(node, list):
        keys = [key for key in range(len(node)) if step in ("*", str(key))]
    elif isinstance(node, dict):
        keys = list(node) if step == "*" else [step]
    else:
        return
    for key in reversed(keys):
        if rest:
            if isinstance(node, list) or key in node:
                _change(node[key], rest, value, remove=remove)
        elif not remove:
            node[key] = value
        elif isinstance(node, list) or key in node:
            del node[key]


KINDS: dict[str, Callable[[Fault, Request, Perform], Any]] = {
    "repeat_marker": _repeat_marker,
    "endless_markers": _endless_markers,
    "empty_page": _empty_page,
    "mutate": _mutate,
    "duplicate": _duplicate,
    "foreign_account": _foreign_account,
    "foreign_region": _foreign_region,
}
