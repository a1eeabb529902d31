"""The service's clocks: how far each endpoint's is from the local one."""

import logging
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from scanner.policy.durations import format_duration

LOG = logging.getLogger("scanner")
WORTH_CORRECTING = timedelta(minutes=2)
FARTHEST = timedelta(days=3650)
"""How far off a service's clock may seem. Whoever says more has no clock, and would make ages of centuries."""
EndpointKey = tuple[str, str]
"""The service and the Region."""


class Clocks:
    """One skew for each endpoint: one whose own clock is wrong must not mislead the others."""

    def __init__(self) -> None:
        self._skews: defaultdict[EndpointKey, timedelta] = defaultdict(timedelta)

    def skew(self, endpoint: EndpointKey) -> timedelta:
        """What must be added to the local time to have the endpoint's."""
        return self._skews[endpoint]

    def now(self, endpoint: EndpointKey) -> datetime:
        """The time by the endpoint's clock, as far as it is known to differ from the local one."""
        return datetime.now(UTC) + self._skews[endpoint]

    def moment(self, endpoint: EndpointKey, date: str | None) -> datetime:
        """When an answer with this Date was given, by the endpoint's clock; by ours where it names no likely time."""
        found = http_date(date)
        return found if found and abs(found - datetime.now(UTC)) <= FARTHEST else self.now(endpoint)

    def correct(self, endpoint: EndpointKey, theirs: datetime, signed_with: timedelta) -> bool:
        """Takes over the endpoint's time; says whether a call signed with `signed_with` is worth repeating."""
        skew = theirs - datetime.now(UTC)
        if abs(skew) > FARTHEST or abs(skew - signed_with) <= WORTH_CORRECTING:
            return False
        # Another call may have found it out while this one was still under way.
        if abs(skew - self._skews[endpoint]) > WORTH_CORRECTING:
            self._skews[endpoint] = skew
            off = f"{format_duration(abs(skew))} {'behind' if skew > timedelta() else 'ahead of'}"
            service, region = endpoint
            LOG.warning(
                "the local clock is %s that of %s in %s, whose time is used there: set the local clock by NTP",
                off,
                service,
                region,
            )
        return True


def http_date(text: str | None) -> datetime | None:
    """A date of an HTTP header in UTC; None where it is none. Without a zone it is UTC, as HTTP demands."""
    try:
        moment = parsedate_to_datetime(text or "")
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, TypeError, LookupError):
        return None
