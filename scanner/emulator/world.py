"""The fleet indexed for asking, the credentials that are good, and one call as it is worked on."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from .errors import EXPIRED, NOT_A_CLIENT, AuthenticationError, invalid
from .fleet import ALLOW_ALL, Account, Fleet, Gateway, Volume
from .iam import Caller
from .places import DEFAULT_REGIONS, OPT_IN_REGIONS, OTHER_REGIONS, partition_of

# The same words for both, as local stand-ins for AWS commonly have it.
BASE_KEY = BASE_SECRET = "test"  # noqa: S105 - opens nothing but the emulator


# The same few thousand moments are asked for over and over.
@lru_cache(maxsize=65_536)
def instant(moment: datetime) -> str:
    """A moment as Storage Gateway writes it: text, milliseconds, Z."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


class World:
    """The fleet by what requests name, and every key that opens it."""

    def __init__(self, fleet: Fleet, started_at: float) -> None:
        self.fleet = fleet
        self.started_at = datetime.fromtimestamp(started_at, UTC)
        self._marker_key = secrets.token_bytes(16)
        self._markers = 0
        self.sessions: dict[str, Caller] = {}
        self.refresh()

    def refresh(self) -> None:
        """Reads the fleet anew; call it after changing the fleet under a running emulator."""
        self.accounts = {account.id: account for account in self.fleet.accounts}
        self.targets: dict[tuple[str, str], list[tuple[str, Gateway]]] = {}
        self.gateways: dict[str, tuple[Account, Gateway]] = {}
        self.regions = {*DEFAULT_REGIONS, *OPT_IN_REGIONS, *OTHER_REGIONS, *self.fleet.extra_regions}
        for account in self.fleet.accounts:
            self.regions.update(account.enabled_regions)
            for gateway in account.gateways:
                arn = account.arn_of(gateway)
                self.targets.setdefault((account.id, gateway.region), []).append((arn, gateway))
                self.gateways[arn] = (account, gateway)
        for listed in self.targets.values():
            listed.sort(key=lambda item: item[0])
        self.members, self.units = self.fleet.members, self.fleet.units
        self.enabled = {account.id: frozenset(account.enabled_regions) for account in self.fleet.accounts}
        self.keys = {BASE_KEY: self._base()}
        for account in self.fleet.accounts:
            for key in account.keys:
                arn = f"arn:{account.partition}:iam::{account.id}:user/{key.user}"
                user_id = f"AIDA{key.id[-16:].upper():0>16}"
                self.keys[key.id] = Caller(key.id, key.secret, account.id, arn, user_id, key.policy)

    def _base(self) -> Caller:
        account_id = self.fleet.base_account_id
        partition = self.accounts[account_id].partition if account_id in self.accounts else "aws"
        arn = f"arn:{partition}:iam::{account_id}:user/test"
        return Caller(BASE_KEY, BASE_SECRET, account_id, arn, "AIDAEMULATEDBASEUSER", (ALLOW_ALL,))

    def caller(self, key_id: str, token: str | None, now: float) -> Caller:
        """Whose key this is, if it is one and still good."""
        caller = self.sessions.get(key_id) or self.keys.get(key_id)
        if caller is None or caller.token != token:
            raise AuthenticationError("unknown", NOT_A_CLIENT)
        if caller.expires_at is not None and caller.expires_at <= now:
            raise AuthenticationError("expired", EXPIRED)
        return caller

    def is_enabled(self, service: str, account_id: str, region: str) -> bool:
        """Whether an account may call a service in a Region; accounts outside the fleet may everywhere."""
        account = self.accounts.get(account_id)
        if account is None:
            return True
        if partition_of(region) != account.partition:
            return False
        # Who starts somewhere must get in: a fleet may leave the default Regions out, AWS never does.
        everywhere = service in ("organizations", "account")
        return (
            everywhere
            or (service in ("sts", "ec2") and region in DEFAULT_REGIONS)
            or region in self.enabled[account_id]
        )

    def volume_arn(self, gateway_arn: str, volume: Volume) -> str:
        return f"{gateway_arn}/volume/{volume.id}"

    def recovery_time(self, volume: Volume) -> str | None:
        point = volume.recovery_point
        if isinstance(point, timedelta):
            return instant(self.started_at - point)
        return instant(point) if isinstance(point, datetime) else point

    def seal(self, position: str, binding: str) -> str:
        """A marker that only continues the request it was made for; no two are the same."""
        self._markers += 1
        sealed = [position, self._markers, self._proof(position, self._markers, binding)]
        return base64.urlsafe_b64encode(json.dumps(sealed).encode()).decode()

    def _proof(self, position: object, number: object, binding: str) -> str:
        text = f"{position}\n{number}\n{binding}"
        return hmac.digest(self._marker_key, text.encode(), "sha256").hex()[:16]

    def unseal(self, marker: str, binding: str) -> str | None:
        """The position in a marker, or None if it was made for another request."""
        try:
            position, number, proof = json.loads(base64.urlsafe_b64decode(marker.encode()))
        except (ValueError, binascii.Error, TypeError):
            return None
        if not isinstance(position, str) or not isinstance(proof, str):
            return None
        good = self._proof(position, number, binding)
        return position if hmac.compare_digest(proof.encode(), good.encode()) else None


@dataclass(slots=True)
class Call:
    """One authenticated request, as the services see it."""

    world: World
    service: str
    operation: str
    region: str
    caller: Caller
    params: Mapping[str, Any]
    now: float
    # What the markers of its pages are bound to, once a page was cut.
    bound: str = ""

    @property
    def account_id(self) -> str:
        return self.caller.account_id

    @property
    def partition(self) -> str:
        return partition_of(self.region)

    def text(self, name: str, low: int = 1, high: int = 10_000, *, required: bool = False) -> str | None:
        """A text parameter within its length."""
        value = self.params.get(name)
        wire = name[0].lower() + name[1:]
        if value is None:
            if required:
                raise invalid(f"Value null at '{wire}' failed to satisfy constraint: Member must not be null")
            return None
        if not isinstance(value, str):
            raise invalid(f"Value at '{wire}' failed to satisfy constraint: Member must be a string")
        for wrong, bound in (
            (len(value) < low, f"greater than or equal to {low}"),
            (len(value) > high, f"less than or equal to {high}"),
        ):
            if wrong:
                raise invalid(
                    f"Value '{value}' at '{wire}' failed to satisfy constraint: "
                    f"Member must have length {bound}"
                )
        return value

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number within its bounds."""
        value = self.params.get(name)
        if value is None:
            return default
        wire = name[0].lower() + name[1:]
        if not isinstance(value, int) or isinstance(value, bool):
            raise invalid(f"Value at '{wire}' failed to satisfy constraint: Member must be an integer")
        if value < low:
            bound = f"greater than or equal to {low}"
        elif value > high:
            bound = f"less than or equal to {high}"
        else:
            return value
        raise invalid(
            f"Value '{value}' at '{wire}' failed to satisfy constraint: Member must have value {bound}"
        )

    def page(
        self, keys: Sequence[str], size: int, marker: str | None, *, extra: str = ""
    ) -> tuple[range, str | None] | None:
        """Which of the ordered keys come now and the next marker; None for a marker of another request."""
        self.bound = f"{self.service}:{self.operation}:{self.account_id}:{self.region}:{extra}"
        start = 0
        if marker is not None:
            position = self.world.unseal(marker, self.bound)
            if position is None:
                return None
            start = bisect_right(keys, position)
        stop = min(start + size, len(keys))
        following = self.world.seal(keys[stop - 1], self.bound) if stop < len(keys) else None
        return range(start, stop), following
