"""Whether a Region answers at all: one that refuses every connection must not hold up the scan."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from scanner.engine.source import CallFailed

UNPROVEN = 4
"""Calls in flight to a Region that has not answered yet."""
FAILURES = 10
PATIENCE = 5.0
"""Seconds. A Region is given up after FAILURES connections in a row have failed over PATIENCE seconds."""


@dataclass(slots=True)
class RegionGate:
    """What one scan knows of one Region's endpoint, over all accounts."""

    region: str
    in_flight: int = 0
    answers: bool = False
    failures: int = 0
    failing_since: float = 0.0
    given_up: CallFailed | None = None
    _waiting: OrderedDict[int, Callable[[], bool]] = field(default_factory=OrderedDict)

    def admits(self, listener: Callable[[], bool]) -> bool:
        """Whether a call may start now; if not, `listener` is told when it may."""
        if self.answers or self.given_up or self.in_flight < UNPROVEN:
            return True
        self._waiting[id(listener.__self__)] = listener  # type: ignore[attr-defined]
        return False

    def ended(self, failure: CallFailed | None, now: float) -> None:
        """Take note of a call's end; `failure` is None where it was answered, whatever the answer."""
        self.in_flight -= 1
        if failure is None:
            self.answers, self.failures = True, 0
        else:
            self.failing_since = now if self.failures == 0 else self.failing_since
            self.failures += 1
            if self.failures >= FAILURES:
                self.answers = False
                if now - self.failing_since >= PATIENCE:
                    self.given_up = failure
        self.tell()

    def tell(self) -> None:
        """Wake those that wait, but no more than may call: thousands may wait for one Region."""
        started = 0
        while self._waiting and (self.answers or self.given_up or self.in_flight + started < UNPROVEN):
            _, listener = self._waiting.popitem(last=False)
            started += listener()

    def check(self, left: int) -> None:
        """Raises CallFailed, with nothing sent, once the Region was given up; `left` gateways are unread."""
        if self.given_up:
            raise CallFailed(
                self.given_up.kind,
                f"{self.region} was given up after {self.failures} connections in a row had failed, with"
                f" {left} listed gateways of this account left; the last: {self.given_up.message}",
                sent=False,
            )
