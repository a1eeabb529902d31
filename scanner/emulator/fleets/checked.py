"""Types of a fleet's fields, each with what would be right where a file says something else."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, Strict, ValidationError
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

from .statements import Statement, is_statement

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
# A value longer than this is cut where an error quotes it.
_QUOTED = 80


@dataclass(frozen=True)
class MustBe:
    """Replaces every error of a field by what would be right; `secret` fields are not quoted."""

    words: str
    secret: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self._check, handler(source))

    def _check(self, value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
        try:
            return validate(value)
        except ValidationError:
            found = "" if self.secret else f", not {_quote(value)}"
            raise _problem(f"must be {self.words}{found}") from None


def _quote(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}..."


def _problem(message: str) -> PydanticCustomError:
    # The message travels as a value: braces in it are no placeholders.
    return PydanticCustomError("fleet", "{message}", {"message": message})


def problem_at(key: str, message: str) -> ValidationError:
    """An error about one key of the table that is being validated."""
    details = InitErrorDetails(type=_problem(message), loc=(key,), input=None)
    return ValidationError.from_exception_data("fleet", [details])


class Table:
    """Base of dataclasses that a table of a file, or a JSON object, can be validated into.

    The dataclasses check nothing when Python code makes them: a test may want a fleet that is wrong.
    """

    file_keys: ClassVar[tuple[str, ...]] = ()
    """Keys that only a file has; `from_table` turns them into fields."""
    python_keys: ClassVar[tuple[str, ...]] = ()
    """Fields that no file can give."""

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Mapping[str, Any]:
        """The values of the fields, by their names."""
        return table

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(cls._check, handler(source))

    @classmethod
    def _check(cls, table: Any, validate: ValidatorFunctionWrapHandler) -> Any:
        if not isinstance(table, Mapping):
            raise PydanticCustomError("table", "must be a table")
        fields = [each.name for each in dataclasses.fields(cls)]  # type: ignore[arg-type]
        known = [name for name in (*fields, *cls.file_keys) if name not in cls.python_keys]
        for key in table:
            if key not in known:
                near = get_close_matches(key, known, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}"
                raise problem_at(key, f"no such key; {hint}")
        return validate(cls.from_table(table))


def problems(error: ValidationError) -> list[str]:
    """What is wrong, each with the path of its key: `accounts[0].id: is missing`."""
    return [": ".join(filter(None, (_path(each["loc"]), _explain(each)))) for each in error.errors()]


def _path(location: Sequence[int | str]) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return "".join(steps).removeprefix(".")


def _explain(error: Any) -> str:
    location = error["loc"]
    names = [step for step in location if isinstance(step, str)]
    if error["type"] == "missing":
        return "is missing"
    if error["type"] == "list_type" or (error["type"] == "table" and location and location[-1] != names[-1]):
        return f"must be a list of tables ([[{'.'.join(names)}]])"
    if error["type"] == "table":
        return f"must be a table ([{'.'.join(names)}])" if names else "must be a table"
    return str(error["msg"]).removeprefix("Value error, ")


def parse_duration(text: Any) -> timedelta:
    """A duration such as `3h` or `1h30m`; ValueError says what would be right."""
    if not isinstance(text, str) or not _DURATION.fullmatch(text):
        raise ValueError(f"must be a duration such as '90s', '3h' or '2d', not {_quote(text)}")
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text)))


def _in_utc(moment: Any) -> Any:
    return moment.replace(tzinfo=UTC) if isinstance(moment, datetime) and moment.tzinfo is None else moment


def _statement(statement: Statement) -> Statement:
    if not is_statement(statement):
        raise ValueError("no statement")
    return statement


def _ordered(span: int | tuple[int, int]) -> int | tuple[int, int]:
    if isinstance(span, tuple) and span[0] > span[1]:
        raise ValueError("upside down")
    return span


Text = Annotated[str, MustBe("text")]
Secret = Annotated[str, MustBe("text", secret=True)]
Whole = Annotated[int, Strict(), MustBe("a whole number")]
Number = Annotated[float, Strict(), MustBe("a number")]
Flag = Annotated[bool, Strict(), MustBe("true or false")]
Texts = Annotated[Sequence[str], MustBe("a list of texts")]
Tags = Annotated[dict[str, str], MustBe('a table of texts ({ name = "text" })')]
Policy = Annotated[
    Sequence[Annotated[Statement, AfterValidator(_statement)]],
    MustBe("a list of IAM statements with Effect, Action and Resource"),
]
AccountId = Annotated[str, Field(pattern=r"^[0-9]{12}$"), MustBe("an account id of 12 digits, in quotes")]
RegionName = Annotated[
    str, Field(pattern=r"^[a-z]{2,6}(-[a-z]+)+-[0-9]$"), MustBe("a Region such as 'us-east-1'")
]
GatewayId = Annotated[
    str, Field(pattern=r"^sgw-[0-9A-F]{8,17}$"), MustBe("a gateway id such as 'sgw-12A3456B' (upper case)")
]
VolumeId = Annotated[
    str, Field(pattern=r"^vol-[0-9A-F]{8,17}$"), MustBe("a volume id such as 'vol-1122AABB' (upper case)")
]
RecoveryPoint = Annotated[
    Annotated[timedelta, Strict()] | Annotated[datetime, Strict()] | str | None,
    AfterValidator(_in_utc),
    MustBe("a time (2026-11-23T08:00:00Z) or text that is sent as it is"),
]
RateChanges = Annotated[
    Sequence[tuple[Annotated[float, Strict()], Annotated[float, Strict()]]],
    MustBe("a list of [seconds after start, rate]"),
]
_Count = Annotated[int, Strict(), Field(ge=0)]
Span = Annotated[
    _Count | tuple[_Count, _Count], AfterValidator(_ordered), MustBe("a number or [least, most]")
]
RegionChoice = Annotated[
    Annotated[int, Strict(), Field(gt=0)] | Sequence[str],
    MustBe("a number of Regions, or a list of their names"),
]
