"""From a file, the environment and flags to a ScannerConfig, or to an error that names the key."""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from scanner.config.fields import KeyPath, field_at, literals_of, model_in, takes_integer, takes_list
from scanner.config.mistakes import dotted, explain
from scanner.errors import ConfigError

PREFIX = "SGW_SCANNER_"
FILE_VARIABLE = "SGW_SCANNER_CONFIG"
DEFAULT_FILE = "scanner.toml"
OTHER_VARIABLES = frozenset({FILE_VARIABLE, "SGW_SCANNER_SHARDS"})
"""Variables of ours that set no key of the configuration."""
LOCK = ("lock", "path")
Model = TypeVar("Model", bound=BaseModel)


class Origins:
    """Which file settings come from, and which variable or flag has set which key instead.

    Any two are equal: where a setting comes from is no part of what it says.
    """

    def __init__(self, file: str = "", set_by: Mapping[str, str] | None = None) -> None:
        self.file = file
        self.set_by = dict(set_by or {})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Origins)

    __hash__ = None  # type: ignore[assignment]

    def origin_of(self, key: str) -> str:
        """`key` as an error names it: after its file, variable or flag."""
        origin = self.set_by.get(key, self.file)
        return f"{origin}: {key}" if origin else key


def load(
    model: type[Model],
    path: str | PathLike[str] | None,
    environ: Mapping[str, str] | None,
    flags: Mapping[str, Any] | None,
) -> tuple[Model, Origins]:
    """`model` from its three sources, the later overriding the earlier; raises ConfigError."""
    environ = os.environ if environ is None else environ
    file = _find(path, environ)
    values = _read(file) if file else {}
    # Remembers who set a value, so that a complaint names the variable or flag and not the file.
    origins: dict[KeyPath, str] = {}
    for name, text in sorted(environ.items()):
        if not name.startswith(PREFIX) or name in OTHER_VARIABLES:
            continue
        if "__" not in name:
            raise ConfigError(_misspelt(model, name))
        key_path = tuple(name.removeprefix(PREFIX).lower().split("__"))
        # What sets variables to nothing means that there are none; only a lock has a meaning for it.
        if text or key_path == LOCK:
            _put(values, key_path, _decode(model, key_path, text), f"${name}")
            origins[key_path] = f"${name}"
    for key, value in (flags or {}).items():
        key_path = tuple(key.split("."))
        _put(values, key_path, value, key)
        # `history.path` alone is called after its table.
        named = key_path[0] if key_path[-1] == "path" else key_path[-1]
        origins[key_path] = "--" + str(named).replace("_", "-")
    try:
        made = model.model_validate(values)
    except ValidationError as error:
        raise ConfigError("\n".join(explain(model, error, str(file or "configuration"), origins))) from None
    return made, Origins(str(file or ""), {dotted(key_path): origin for key_path, origin in origins.items()})


def _misspelt(model: type[BaseModel], name: str) -> str:
    """What is wrong with a variable that names no section and key."""
    known = [
        f"{PREFIX}{section}__{key}".upper()
        for section, field in model.model_fields.items()
        if not takes_list(field.annotation)
        for key in getattr(model_in(field.annotation), "model_fields", {})
    ]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    meant = (
        f"did you mean {close[0]}?" if close else f"write {PREFIX}SECTION__KEY, such as {PREFIX}SCAN__REGIONS"
    )
    return f"${name}: sets nothing; {meant}"


def _find(path: str | PathLike[str] | None, environ: Mapping[str, str]) -> Path | None:
    named = path or environ.get(FILE_VARIABLE)
    if named:
        return Path(named)
    try:
        return Path(DEFAULT_FILE) if Path(DEFAULT_FILE).is_file() else None
    except OSError as error:
        remedy = "work in a folder that you may enter, or name a file with -c"
        raise ConfigError(f"{DEFAULT_FILE}: cannot be looked for: {error.strerror}; {remedy}") from None


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(f"{file}: there is no such file; `sgw-scanner init` writes one") from None
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: is not TOML: {error}") from None


def _put(values: dict[str, Any], path: KeyPath, value: Any, origin: str) -> None:
    table = values
    for step in path[:-1]:
        if isinstance(table.get(str(step)), list) or str(step).isdigit():
            raise ConfigError(f"{origin}: a list has no keys of its own; set it in the file, or as a whole")
        table = table.setdefault(str(step), {})
        if not isinstance(table, dict):
            raise ConfigError(f"{origin}: {step} is not a table, so nothing in it can be set this way")
    table[str(path[-1])] = value


def _decode(model: type[BaseModel], path: KeyPath, text: str) -> Any:
    """The text of an environment variable as the kind of value that its key holds."""
    field = field_at(model, path)
    annotation = field.annotation if field else None
    if text[:1] in "[{" and text:
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            return text
    if takes_list(annotation) and text not in literals_of(annotation):
        return [part.strip() for part in text.split(",") if part.strip()]
    if takes_integer(annotation) and re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    return text
