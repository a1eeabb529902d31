"""What is wrong with a configuration: the path of each mistake, its cause and its remedy."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from scanner.config.fields import KeyPath, field_at, fields_at
from scanner.errors import Remedy

LONGEST_SHOWN = 200
"""Characters of a wrong value that an error repeats."""
NO_TABLE = ("model_type", "model_attributes_type")


def explain(
    model: type[BaseModel], error: ValidationError, file: str, origins: Mapping[KeyPath, str]
) -> Iterable[str]:
    """A line for each mistake, which begins with the file, variable or flag that it is in."""
    explained = set()
    # Pydantic adds the branch of a union to the path; a user knows only the keys.
    problems = [(_keys(model, problem["loc"]), problem) for problem in error.errors()]
    for path, problem in problems:
        if path in explained or any(other[: len(path)] == path != other for other, _ in problems):
            # Each branch of a union complains; the one with the longest path knows most.
            continue
        explained.add(path)
        origin = next((origins[path[:n]] for n in range(len(path), 0, -1) if path[:n] in origins), None)
        if origin is None and problem["type"] == "extra_forbidden":
            # A variable that names a table which there is not.
            origin = next((origins[each] for each in sorted(origins) if each[: len(path)] == path), None)
        origin = origin or file
        key = dotted(path)
        text = _text(model, path, problem)
        yield f"{origin}: {key}: {text}" if key else f"{origin}: {text}"


def dotted(path: KeyPath) -> str:
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def _text(model: type[BaseModel], path: KeyPath, problem: Any) -> str:
    match problem["type"]:
        case "extra_forbidden":
            return "unknown key" + _suggestion(model, path)
        case "missing":
            return "is missing; add it"
        case "value_error":
            message: str = problem["msg"]
            return message.removeprefix("Value error, ")
        case _:
            return f"{_shown(model, path, problem)}: {_cause(model, path, problem)}"


def _keys(model: type[BaseModel], loc: KeyPath) -> KeyPath:
    path: list[str | int] = []
    for step in loc:
        if isinstance(step, int) or re.fullmatch(r"[A-Za-z_][\w-]*", step):
            if isinstance(step, str) and path and not fields_at(model, tuple(path)):
                continue
            path.append(step)
    return tuple(path)


def _suggestion(model: type[BaseModel], path: KeyPath) -> str:
    known = list(fields_at(model, path[:-1]))
    close = difflib.get_close_matches(str(path[-1]), known, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known here: {', '.join(known)}" if known else ""


def _shown(model: type[BaseModel], path: KeyPath, problem: Any) -> str:
    value, field = problem.get("input"), field_at(model, path)
    # What a repr hides is a secret, and a whole table may hold one: an error must not print either.
    text_for_table = problem["type"] in NO_TABLE and isinstance(value, str)
    secret = field is not None and not field.repr
    if secret or text_for_table or not isinstance(value, str | int | float | bool):
        return "the value"
    return repr(value[:LONGEST_SHOWN]) if isinstance(value, str) else repr(value)


def _cause(model: type[BaseModel], path: KeyPath, problem: Any) -> str:
    field = field_at(model, path)
    remedy = next((each.text for each in (field.metadata if field else ()) if isinstance(each, Remedy)), "")
    if problem["type"] in NO_TABLE:
        return f"is no table; {remedy or f'write it as [{dotted(path)}], with its keys below'}"
    if remedy and problem["type"] == "string_pattern_mismatch":
        return f"is not of the right form; {remedy}"
    message: str = problem["msg"]
    cause = message[:1].lower() + message[1:]
    return f"{cause}; {remedy}" if remedy else cause
