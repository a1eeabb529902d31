"""The SDK's Signature V4 at a time of ours.

Seen in aiobotocore 2.25 and 3.10, with botocore 1.40 to 1.43: `SigV4Auth._modify_request_before_signing(request)`,
called between the taking of the time, which stands in `request.context["timestamp"]`, and its use.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.credentials import ReadOnlyCredentials


class Signer(SigV4Auth):
    """Signs at the local time plus `skew`."""

    def __init__(
        self, credentials: ReadOnlyCredentials, service: str, region: str, *, skew: timedelta
    ) -> None:
        super().__init__(credentials, service, region)
        self._skew = skew

    def _modify_request_before_signing(self, request: Any) -> None:
        if self._skew:
            request.context["timestamp"] = (datetime.now(UTC) + self._skew).strftime(SIGV4_TIMESTAMP)
        super()._modify_request_before_signing(request)  # type: ignore[misc]
