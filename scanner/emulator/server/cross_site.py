"""Requests that a web page makes a browser send: refused where no signature proves who calls."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit


def cross_site_reason(headers: Mapping[str, str], listening_at: str) -> str | None:
    """Why a request may come from another site's page; None if it comes from a program or a page of our own.

    A page can reach a port of this machine under the machine's own names, then the browser tells the page's
    origin; or under a name of its own that it makes resolve to this machine, then the name is in `Host`.
    """
    host = headers.get("Host", "")
    if not _is_own(host, listening_at):
        return f"the Host header names {host[:100]!r}: use a loopback address or {listening_at}"
    origin = headers.get("Origin")
    if origin is not None and origin.lower() != f"http://{host.lower()}":
        return f"the Origin header names {origin[:100]!r}: pages of other sites may not do this"
    return None


def _is_own(host: str, listening_at: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name in ("localhost", listening_at.lower()):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
