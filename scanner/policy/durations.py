"""Durations as people write them: `250ms`, `30s`, `10m`, `24h`, `7d`, or combined, `1h30m`."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
PATTERN = r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d))+"
DURATION_PATTERN = f"^{PATTERN}$"


def parse_duration(text: str) -> timedelta:
    """`text` as a timedelta; raises ValueError with what would be right."""
    if not re.fullmatch(PATTERN, text):
        if text.isdecimal():
            raise ValueError(f"{text!r} has no unit; write {text}h, {text}m or {text}s")
        raise ValueError(f"{text!r} is no duration; write it like 250ms, 30s, 10m, 24h, 7d or 1h30m")
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)", text)
    try:
        length = timedelta(seconds=sum(float(number) * UNITS[unit] for number, unit in parts))
    except OverflowError:
        raise ValueError(f"{text!r} is longer than a million years; write a shorter duration") from None
    if not length:
        raise ValueError(f"{text!r} is no time at all; write a duration above zero")
    return length


def format_duration(length: timedelta) -> str:
    """`length` in the largest units that fit: 5400 seconds is `1h30m`."""
    milliseconds = round(length.total_seconds() * 1000)
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, milliseconds = divmod(milliseconds, round(UNITS[unit] * 1000))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _from_any(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        if value <= timedelta():
            raise ValueError("a duration must be above zero")
        return value
    if isinstance(value, str):
        return parse_duration(value)
    raise ValueError(f'{value!r} is no duration; write it with its unit, like "{value}s"')


Duration = Annotated[
    timedelta,
    BeforeValidator(_from_any),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(
        {"type": "string", "pattern": DURATION_PATTERN, "examples": ["250ms", "30s", "1h30m", "7d"]}
    ),
]
