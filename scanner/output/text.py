"""How people read what was measured: sizes, ages, and other people's text made harmless to show."""

import re

from scanner.inventory.arns import id_of
from scanner.inventory.records import ANY_REGION, Gateway, Verdict, VerdictStatus, Volume

# Controls move a terminal's cursor, bidirectional marks reorder a line, separators break one, and a
# lone surrogate cannot be written at all. Tab and newline are controls here: a name has one line.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_SPANS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_NOTHING = "0s"
DETACHED = "detached"
"""Where the name of a gateway would stand, of a volume that none holds."""


def printable(text: str) -> str:
    """`text` on one line, with whatever a terminal or browser would obey written as its escape."""
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def size(count: float | None) -> str:
    """Bytes in the unit that fits, with three digits, or all of those before the point: `1.5 TiB`."""
    if count is None:
        return "not known"
    unit = 0
    while count >= 1024 and unit < len(_UNITS) - 1:
        count, unit = count / 1024, unit + 1
    # Three digits of 1,000 to 1,023 would be written as an exponent.
    return f"{count:.0f} {_UNITS[unit]}" if count >= 100 else f"{count:.3g} {_UNITS[unit]}"


def age(seconds: float) -> str:
    """Seconds in the largest unit that fits and the next that counts: `3d 4h`, `1d 2m`; negative is in the future."""
    shown = _span(seconds)
    return f"{shown} ahead" if seconds < 0 and shown != _NOTHING else shown


def ago(seconds: float) -> str:
    """An age in a sentence: `3d 4h old`."""
    shown = _span(seconds)
    return f"{shown} in the future" if seconds < 0 and shown != _NOTHING else f"{shown} old"


def age_of(verdict: Verdict) -> str:
    """The age of a volume's recovery point; `none` only where it is known that there is no point."""
    if verdict.age_seconds is not None:
        return age(verdict.age_seconds)
    return "none" if verdict.status is VerdictStatus.NO_RECOVERY_POINT else "not known"


def rpo_of(verdict: Verdict) -> str:
    """The greatest age allowed; `none` only where it is known that no RPO applies."""
    if verdict.rpo_seconds is not None:
        return age(verdict.rpo_seconds)
    return "not known" if verdict.status is VerdictStatus.UNKNOWN else "none"


def gateway_label(volume: Volume, gateway: Gateway | None) -> str:
    """How people call the gateway of a volume: by its name, else by its id."""
    if volume.gateway_arn is None:
        return DETACHED
    return printable((gateway.name if gateway else None) or id_of(volume.gateway_arn))


def region_name(region: str) -> str:
    """The Region, or that not even an account's Regions are known."""
    return "not known" if region == ANY_REGION else region


def _span(seconds: float) -> str:
    left = round(abs(seconds))
    parts: list[str] = []
    for length, unit in _SPANS:
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or _NOTHING
