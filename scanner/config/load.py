"""From a file, the environment and flags to a ScannerConfig, or to an error that names the place."""

import difflib
import os
import re
import tomllib
import typing
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from scanner.errors import ConfigError

PREFIX = "SGW_SCANNER_"
FILE_VARIABLE = "SGW_SCANNER_CONFIG"
DEFAULT_FILE = "scanner.toml"
OTHER_VARIABLES = frozenset({FILE_VARIABLE, "SGW_SCANNER_SHARDS"})
"""Variables of ours that set no key of the configuration."""
LOCK = ("lock", "path")
LONGEST_SHOWN = 200
"""Characters of a wrong value that an error repeats."""
NO_TABLE = ("model_type", "model_attributes_type")
Model = TypeVar("Model", bound=BaseModel)
Place = tuple[str | int, ...]


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

    def place(self, key: str) -> str:
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
    origins: dict[Place, str] = {}
    for name, text in sorted(environ.items()):
        if not name.startswith(PREFIX) or name in OTHER_VARIABLES:
            continue
        if "__" not in name:
            raise ConfigError(_misspelt(model, name))
        place = tuple(name.removeprefix(PREFIX).lower().split("__"))
        # What sets variables to nothing means that there are none; only a lock has a meaning for it.
        if text or place == LOCK:
            _put(values, place, _decode(model, place, text), f"${name}")
            origins[place] = f"${name}"
    for key, value in (flags or {}).items():
        place = tuple(key.split("."))
        _put(values, place, value, key)
        origins[place] = "--" + str(place[-1]).replace("_", "-")
    try:
        made = model.model_validate(values)
    except ValidationError as error:
        raise ConfigError("\n".join(explain(model, error, str(file or "configuration"), origins))) from None
    return made, Origins(str(file or ""), {_dotted(place): origin for place, origin in origins.items()})


def _misspelt(model: type[BaseModel], name: str) -> str:
    """What is wrong with a variable that names no section and key."""
    known = [
        f"{PREFIX}{section}__{key}".upper()
        for section, field in model.model_fields.items()
        for key in getattr(_model_in(field.annotation), "model_fields", {})
        if not _is_list(field.annotation)
    ]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    meant = (
        f"did you mean {close[0]}?" if close else f"write {PREFIX}SECTION__KEY, such as {PREFIX}SCAN__REGIONS"
    )
    return f"${name}: sets nothing; {meant}"


def _is_list(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (tuple, list)


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


def _put(values: dict[str, Any], place: Place, value: Any, origin: str) -> None:
    table = values
    for step in place[:-1]:
        if isinstance(table.get(str(step)), list) or str(step).isdigit():
            raise ConfigError(f"{origin}: a list has no keys of its own; set it in the file, or as a whole")
        table = table.setdefault(str(step), {})
        if not isinstance(table, dict):
            raise ConfigError(f"{origin}: {step} is not a table, so nothing in it can be set this way")
    table[str(place[-1])] = value


def _decode(model: type[BaseModel], place: Place, text: str) -> Any:
    """The text of an environment variable as the kind of value that its key holds."""
    annotation = str(_annotation(model, place))
    if text[:1] in "[{" and text:
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            return text
    if "tuple" in annotation and text != "enabled":
        return [part.strip() for part in text.split(",") if part.strip()]
    if "int" in annotation and re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    return text


def _annotation(model: Any, place: Place) -> Any:
    for step in place:
        fields = getattr(model, "model_fields", {})
        field = fields.get(step)
        if field is None:
            return None
        model = field.annotation
        for option in typing.get_args(model):
            if isinstance(option, type) and issubclass(option, BaseModel):
                model = option
    return model


def explain(
    model: type[BaseModel], error: ValidationError, file: str, origins: Mapping[Place, str]
) -> Iterable[str]:
    """What is wrong with a configuration, a line for each mistake: its place, its cause and the remedy."""
    told = set()
    # Pydantic adds the branch of a union to the place; a user knows only the keys.
    problems = [(_keys(model, problem["loc"]), problem) for problem in error.errors()]
    for place, problem in problems:
        if place in told or any(other[: len(place)] == place != other for other, _ in problems):
            # Each branch of a union complains; the one that saw more tells better.
            continue
        told.add(place)
        origin = next((origins[place[:n]] for n in range(len(place), 0, -1) if place[:n] in origins), file)
        key = _dotted(place)
        if problem["type"] == "extra_forbidden":
            text = "unknown key" + _suggestion(model, place)
        elif problem["type"] == "missing":
            text = "is missing; add it"
        elif problem["type"] == "value_error":
            text = problem["msg"].removeprefix("Value error, ")
        else:
            value = _shown(place, problem.get("input"), table=problem["type"] in NO_TABLE)
            text = f"{value}: {_said(problem, place)}"
        yield f"{origin}: {key}: {text}" if key else f"{origin}: {text}"


def _keys(model: Any, loc: Place) -> Place:
    place: list[str | int] = []
    for step in loc:
        if isinstance(step, int) or re.fullmatch(r"[A-Za-z_][\w-]*", step):
            known = _fields_at(model, tuple(place))
            if isinstance(step, str) and place and not known:
                continue
            place.append(step)
    return tuple(place)


def _fields_at(model: Any, place: Place) -> dict[str, Any]:
    current = model
    for step in place:
        if isinstance(step, int):
            continue
        field = getattr(current, "model_fields", {}).get(step)
        if field is None:
            return {}
        current = _model_in(field.annotation)
    return dict(getattr(current, "model_fields", {}))


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in typing.get_args(annotation) if (found := _model_in(part))), None)


def _suggestion(model: Any, place: Place) -> str:
    known = list(_fields_at(model, place[:-1]))
    close = difflib.get_close_matches(str(place[-1]), known, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known here: {', '.join(known)}" if known else ""


def _dotted(place: Place) -> str:
    text = ""
    for step in place:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def _shown(place: Place, value: Any, *, table: bool = False) -> str:
    # An external id is a shared secret, and a whole table may hold one: an error must not print either.
    text_for_table = table and isinstance(value, str)
    if "external_id" in place or text_for_table or not isinstance(value, str | int | float | bool | None):
        return "the value"
    return repr(value[:LONGEST_SHOWN]) if isinstance(value, str) else repr(value)


REMEDIES = {
    "id": "an account id is a string of 12 digits",
    "regions": 'write "enabled" or a list of Region names such as ["us-east-1"]',
    "exclude_regions": 'write Region names such as "us-east-1"',
    "details": 'choose from "gateway", "volumes", "tags"',
    "external_id": "2 to 1224 letters, digits or any of _+=,.@:/-",
    "session_name": "2 to 64 letters, digits or any of _+=,.@-",
    "role": "write the role's name, such as sgw-scanner; it is the same in every account",
    "include_ous": "write ids of units or roots, such as ou-ab12-11111111",
    "exclude_ous": "write ids of units, such as ou-ab12-11111111",
    "exclude_accounts": "an account id is a string of 12 digits",
    "accounts": "write each account as a table of its own, under [[accounts]]",
    "warn_at": "write a fraction of the RPO, such as 0.8",
    "profile": "write the name of a profile in ~/.aws/config, or leave it out",
    "files": 'write a list of places, such as ["inventory.json"]',
}


def _said(problem: Any, place: Place) -> str:
    remedy = next((REMEDIES[str(step)] for step in reversed(place) if str(step) in REMEDIES), "")
    if problem["type"] in NO_TABLE:
        return f"is no table; {remedy or f'write it as [{_dotted(place)}], with its keys below'}"
    message: str = problem["msg"]
    if remedy and problem["type"] == "string_pattern_mismatch":
        return f"is not of the right form; {remedy}"
    told = message[:1].lower() + message[1:]
    return f"{told}; {remedy}" if remedy else told
