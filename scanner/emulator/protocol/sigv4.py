"""Signature version 4, verified: what was signed, with whose key, when, for where."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import quote, unquote_plus

from .errors import AuthenticationError

_ALGORITHM = "AWS4-HMAC-SHA256"
_STAMP = "%Y%m%dT%H%M%SZ"
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)


@dataclass(frozen=True, slots=True)
class Signature:
    """What the Authorization header says, before any of it is verified."""

    key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    stamp: str
    token: str | None


def read_signature(headers: Mapping[str, str]) -> Signature:
    """The signature of a request."""
    authorization = headers.get("Authorization")
    if not authorization:
        raise AuthenticationError("missing", "Request is missing Authentication Token")
    if not authorization.isascii():
        raise AuthenticationError("incomplete", "The Authorization header is not ASCII.")
    algorithm, _, rest = authorization.partition(" ")
    if algorithm != _ALGORITHM:
        raise AuthenticationError("incomplete", f"Unsupported AWS 'algorithm': '{algorithm}'.")
    parts = dict(item.strip().partition("=")[::2] for item in rest.split(","))
    for name in ("Credential", "SignedHeaders", "Signature"):
        if not parts.get(name):
            raise AuthenticationError(
                "incomplete",
                f"Authorization header requires '{name}' parameter. Authorization={authorization}",
            )
    scope = parts["Credential"].split("/")
    if len(scope) != 5 or scope[4] != "aws4_request":
        raise AuthenticationError(
            "incomplete",
            f"Credential must have exactly 5 slash-delimited elements, got '{parts['Credential']}'",
        )
    stamp = headers.get("X-Amz-Date")
    if not stamp:
        raise AuthenticationError(
            "incomplete",
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
        )
    return Signature(
        key_id=scope[0],
        date=scope[1],
        region=scope[2],
        service=scope[3],
        signed_headers=tuple(parts["SignedHeaders"].split(";")),
        signature=parts["Signature"],
        stamp=stamp,
        token=headers.get("X-Amz-Security-Token"),
    )


@lru_cache(maxsize=1024)
def _moment(stamp: str) -> datetime:
    return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)


def check_time(signature: Signature, now: float, minutes: int) -> None:
    """Refuses a signature that was made too long ago or in the future, by this clock."""
    try:
        signed_at = _moment(signature.stamp)
    except ValueError:
        raise AuthenticationError(
            "incomplete", f"Date must be in ISO-8601 'basic format'. Got '{signature.stamp}'."
        ) from None
    if not signature.stamp.startswith(signature.date):
        raise AuthenticationError(
            "signature",
            f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date: "
            f"'{signature.stamp}'",
        )
    here = datetime.fromtimestamp(now, UTC)
    window = timedelta(minutes=minutes)
    if signed_at < here - window:
        raise AuthenticationError(
            "signature",
            f"Signature expired: {signature.stamp} is now earlier than {here - window:{_STAMP}} "
            f"({here:{_STAMP}} - {minutes} min.)",
        )
    if signed_at > here + window:
        raise AuthenticationError(
            "signature",
            f"Signature not yet current: {signature.stamp} is still later than {here + window:{_STAMP}} "
            f"({here:{_STAMP}} + {minutes} min.)",
        )


@lru_cache(maxsize=65_536)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The derived key; the same for a day, so it is derived once."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _canonical_query(query: str) -> str:
    if not query:
        return ""
    pairs = []
    for item in query.split("&"):
        name, _, value = item.partition("=")
        pairs.append((quote(unquote_plus(name), safe="-_.~"), quote(unquote_plus(value), safe="-_.~")))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def check_signature(
    signature: Signature, secret: str, method: str, raw_path: str, headers: Mapping[str, str], body: bytes
) -> None:
    """Signs the request again and compares."""
    lines = []
    for name in signature.signed_headers:
        value = headers.get(name)
        if value is None:
            raise AuthenticationError("signature", f"'{name}' is a signed header but is not in the request.")
        lines.append(f"{name}:{' '.join(value.split())}\n")
    if "host" not in signature.signed_headers:
        raise AuthenticationError(
            "signature", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
        )
    for name in headers:
        lowered = name.lower()
        if lowered.startswith("x-amz-") and lowered not in signature.signed_headers:
            raise AuthenticationError(
                "signature", f"'{name}' must be a 'SignedHeader' in the AWS Authorization."
            )
    path, _, query = raw_path.partition("?")
    canonical = "\n".join(
        (
            method,
            quote(path or "/", safe="/-_.~", errors="surrogateescape"),
            _canonical_query(query),
            "".join(lines),
            ";".join(signature.signed_headers),
            hashlib.sha256(body).hexdigest(),
        )
    )
    to_sign = (
        f"{_ALGORITHM}\n{signature.stamp}\n{signature.date}/{signature.region}/{signature.service}/aws4_request\n"
        f"{hashlib.sha256(canonical.encode('utf-8', 'surrogateescape')).hexdigest()}"
    )
    key = signing_key(secret, signature.date, signature.region, signature.service)
    if not hmac.compare_digest(hmac.digest(key, to_sign.encode(), "sha256").hex(), signature.signature):
        raise AuthenticationError("signature", _MISMATCH)
