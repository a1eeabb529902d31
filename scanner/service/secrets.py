"""What must stand in no log, error, report or page: known secrets, and the user-info of any URL.

Every text of other people passes `hidden` where it becomes a message, and again where it is printed.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlsplit

HIDDEN = "[hidden]"
SHORTEST = 8
"""Characters; anything shorter is no secret, and could be part of any word."""
MOST = 1000
"""Secrets that are remembered; the oldest are forgotten first. Those of roles are hidden where they are used."""
_USER_INFO = re.compile(r"(?<=://)[^\s/@?#'\"<>]{1,1000}@")
_known: OrderedDict[str, None] = OrderedDict()
_lasting: set[str] = set()


def remember(secrets: Iterable[str | None], *, shortest: int = SHORTEST) -> None:
    """From now on `hidden` knows these secrets, for the whole process."""
    for secret in secrets:
        if secret and len(secret) >= shortest:
            _known[secret] = None
            _known.move_to_end(secret)
    while len(_known) > MOST:
        _known.popitem(last=False)


def _remember_for_good(secrets: Iterable[str | None], *, shortest: int = SHORTEST) -> None:
    # The environment has few secrets, which the external ids of a large fleet must not push out.
    _lasting.update(secret for secret in secrets if secret and len(secret) >= shortest)


def remember_user_info(addresses: Iterable[str | None]) -> None:
    """Remembers the user names and passwords that stand in URLs, as they are written and decoded."""
    for address in addresses:
        for part in _user_info(address or ""):
            # Nobody would write a password of a proxy elsewhere, so shorter ones are hidden, too.
            _remember_for_good((part, unquote(part)), shortest=4)


def _user_info(address: str) -> tuple[str, ...]:
    # A proxy may be written without its scheme.
    _, found, rest = address.partition("://")
    # Up to the last @, for a password that nobody has encoded may hold a slash.
    info, at, _ = (rest if found else address).rpartition("@")
    if not at:
        return ()
    _, colon, password = info.partition(":")
    return (info, password) if colon else (info,)


def remember_environment(environ: Mapping[str, str]) -> None:
    """Remembers what is secret in the environment: keys, tokens, and the user-info of proxies and endpoints."""
    _remember_for_good(
        value for name, value in environ.items() if any(part in name.upper() for part in _SECRET_NAMES)
    )
    remember_user_info(
        value for name, value in environ.items() if "PROXY" in name.upper() or "ENDPOINT" in name.upper()
    )


_SECRET_NAMES = ("SECRET", "TOKEN", "PASSWORD", "EXTERNAL_ID")


def hidden(text: str) -> str:
    """`text` without any secret that is known, and without the user-info of any URL."""
    if "://" in text:
        text = _USER_INFO.sub(f"{HIDDEN}@", text)
    # The longest first: one secret may hold another.
    found = [secret for secret in {*_known, *_lasting} if secret in text]
    for secret in sorted(found, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def forget() -> None:
    """Forgets every secret: for tests."""
    _known.clear()
    _lasting.clear()


def endpoint_shown(url: str) -> str:
    """A URL as a message names it: without user-info, query and fragment."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"
