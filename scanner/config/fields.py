"""The fields of a settings model, found by their places; types are read as types."""

import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo

KeyPath = tuple[str | int, ...]


def options_of(annotation: Any) -> Iterator[Any]:
    """The types that a value may have: the members of a union, without what is annotated to them."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        yield from options_of(typing.get_args(annotation)[0])
    elif origin in (typing.Union, types.UnionType):
        for option in typing.get_args(annotation):
            yield from options_of(option)
    else:
        yield annotation


def literals_of(annotation: Any) -> tuple[Any, ...]:
    """The values that `annotation` names one by one."""
    return tuple(
        value
        for option in options_of(annotation)
        if typing.get_origin(option) is Literal
        for value in typing.get_args(option)
    )


def takes_list(annotation: Any) -> bool:
    return any(typing.get_origin(option) in (tuple, list) for option in options_of(annotation))


def takes_integer(annotation: Any) -> bool:
    return int in options_of(annotation)


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The settings model that a value, or each entry of a list, is read as."""
    for option in options_of(annotation):
        if isinstance(option, type) and issubclass(option, BaseModel):
            return option
        for part in typing.get_args(option):
            found = model_in(part)
            if found:
                return found
    return None


def fields_at(model: type[BaseModel], path: KeyPath) -> dict[str, FieldInfo]:
    """The fields of the table at `path`; none where no table can stand."""
    current: type[BaseModel] | None = model
    for step in path:
        if isinstance(step, int):
            continue
        field = current.model_fields.get(step) if current else None
        current = model_in(field.annotation) if field else None
    return dict(current.model_fields) if current else {}


def field_at(model: type[BaseModel], path: KeyPath) -> FieldInfo | None:
    """The field that the last key of `path` names; inside of a table without fields, the table's own."""
    found, current = None, model
    for step in path:
        if isinstance(step, int):
            continue
        field = current.model_fields.get(step)
        if field is None:
            return found
        found, inner = field, model_in(field.annotation)
        if inner is None:
            return found
        current = inner
    return found
