"""Signature Version 4 of the one kind of request that is sent thousands of times: a JSON POST without a query."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import quote, urlsplit

from botocore.utils import normalize_url_path

from scanner.aws.credentials.credentials import Credentials

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Signable:
    """What of a URL a signature holds: the host as the Host header names it, and the path as it is signed."""

    host: str
    path: str

    @classmethod
    def of(cls, url: str) -> "Signable":
        parts = urlsplit(url)
        host = parts.hostname or ""
        if ":" in host:
            host = f"[{host}]"
        if parts.port and parts.port != DEFAULT_PORTS.get(parts.scheme):
            host = f"{host}:{parts.port}"
        return cls(host, quote(normalize_url_path(parts.path), safe="/~"))


def sign(
    headers: Mapping[str, str],
    body: bytes,
    credentials: Credentials,
    where: Signable,
    region: str,
    service: str,
    moment: datetime,
) -> dict[str, str]:
    """`headers` with those that sign a POST of `body`; all of them are signed. Names are in lower case.

    The algorithm is AWS's Signature Version 4; https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html.
    """
    stamp = moment.strftime("%Y%m%dT%H%M%SZ")
    signed = {**headers, "host": where.host, "x-amz-date": stamp}
    if credentials.token:
        signed["x-amz-security-token"] = credentials.token
    names = sorted(signed)
    listed = ";".join(names)
    canonical = "\n".join(f"{name}:{' '.join(signed[name].split())}" for name in names)
    request = f"POST\n{where.path}\n\n{canonical}\n\n{listed}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = _signing_key(credentials.secret_key, stamp[:8], region, service)
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    signed["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={listed},"
        f" Signature={signature}"
    )
    return signed


# The key is the same for a day, and its derivation half of the work.
@lru_cache(maxsize=4096)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
