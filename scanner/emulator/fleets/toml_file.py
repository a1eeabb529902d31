"""Fleets described in TOML; every error names file, key, what stands there and what would be right."""

from __future__ import annotations

import tomllib
from os import PathLike
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from .checked import problems

Content = TypeVar("Content")


class FleetFileError(ValueError):
    """A fleet file that cannot be served."""


def read_toml(path: str | PathLike[str], kind: type[Content]) -> Content:
    """The content of a file as a dataclass; OSError if there is none, FleetFileError if it is no good."""
    try:
        content = tomllib.loads(Path(path).read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FleetFileError(f"{path}: not a TOML file: {error}") from None
    try:
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        raise FleetFileError("\n".join(f"{path}: {problem}" for problem in problems(error))) from None
