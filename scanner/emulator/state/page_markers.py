"""Markers that lead from page to page, sealed so that nobody can make one up."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets


class PageMarkers:
    """Issues markers; each continues only the request that it was issued for, and no two are the same."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)
        self._issued = 0

    def issue(self, position: str, binding: str) -> str:
        """A marker of the page after the record `position`, for the request that `binding` names."""
        self._issued += 1
        sealed = [position, self._issued, self._sign(position, self._issued, binding)]
        return base64.urlsafe_b64encode(json.dumps(sealed).encode()).decode()

    def read(self, marker: str, binding: str) -> str | None:
        """The position in a marker, or None if it was issued for another request."""
        try:
            position, number, signature = json.loads(base64.urlsafe_b64decode(marker.encode()))
        except (ValueError, binascii.Error, TypeError):
            return None
        if not isinstance(position, str) or not isinstance(signature, str):
            return None
        good = self._sign(position, number, binding)
        return position if hmac.compare_digest(signature.encode(), good.encode()) else None

    def _sign(self, position: object, number: object, binding: str) -> str:
        text = f"{position}\n{number}\n{binding}"
        return hmac.digest(self._key, text.encode(), "sha256").hex()[:16]
