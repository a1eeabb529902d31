"""Other people's text, as it may be kept: without secrets, writable, bounded."""

from typing import Any

from scanner.service.secrets import hidden

LONGEST_MESSAGE = 2000
LONGEST_CODE = 200


def clean(message: str) -> str:
    """Other people's text as it is, but for secrets, halves of characters, which no file can hold, and its length.

    What of it a terminal or a page would obey, each output makes harmless in its own way.
    """
    whole = hidden(message[: 8 * LONGEST_MESSAGE].encode("utf-8", "backslashreplace").decode())
    return whole if len(whole) <= LONGEST_MESSAGE else whole[: LONGEST_MESSAGE - 1] + "…"


def shown_id(request_id: Any) -> str | None:
    """A request's id as it may be kept; None where it is no text."""
    return clean(request_id)[:LONGEST_CODE] if isinstance(request_id, str) and request_id else None
