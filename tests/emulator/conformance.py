"""Answers held against botocore's own service models: shapes, enums, bounds and patterns."""

from __future__ import annotations

import re
from typing import Any

import botocore.session

_SESSION: Any = botocore.session.get_session()


def complaints(service: str, operation: str, answer: Any) -> list[str]:
    """What an answer, as botocore parsed it, has that the model does not allow."""
    model = _SESSION.get_service_model(service).operation_model(operation)
    content = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
    found: list[str] = []
    _check(model.output_shape, content, operation, found)
    return found


def _check(shape: Any, value: Any, place: str, found: list[str]) -> None:
    if shape.type_name == "structure":
        found += [f"{place}.{name} is missing" for name in shape.required_members if name not in value]
        found += [f"{place}.{name} is not in the model" for name in value if name not in shape.members]
        for name in value.keys() & shape.members.keys():
            _check(shape.members[name], value[name], f"{place}.{name}", found)
    elif shape.type_name == "list":
        _bounds(shape, len(value), place, found)
        for number, each in enumerate(value):
            _check(shape.member, each, f"{place}[{number}]", found)
    elif shape.type_name == "string":
        _bounds(shape, len(value), place, found)
        if shape.enum and value not in shape.enum:
            found.append(f"{place} is {value!r}, not one of {shape.enum}")
        pattern = shape.metadata.get("pattern")
        # Python knows no property classes and writes the end of text differently.
        if pattern and "\\p{" not in pattern and not re.search(pattern.replace(r"\z", r"\Z"), value):
            found.append(f"{place} is {value!r}, which {pattern} does not match")
    elif shape.type_name in ("integer", "long"):
        if not isinstance(value, int):
            found.append(f"{place} is {value!r}, not a whole number")
        else:
            _bounds(shape, value, place, found)


def _bounds(shape: Any, size: float, place: str, found: list[str]) -> None:
    if size < shape.metadata.get("min", size):
        found.append(f"{place} is less than {shape.metadata['min']}")
    if size > shape.metadata.get("max", size):
        found.append(f"{place} is more than {shape.metadata['max']}")
