"""Whether an endpoint answers at all: one that refuses or swallows every call must not hold up the scan.

Closed: calls pass. Open: one probe at a time, once a second. Given up: nothing is sent any more.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from scanner.inventory.records import FailureKind
from scanner.service.errors import CallFailed

UNPROVEN = 4
"""Calls in flight to an endpoint that has not answered yet."""
OPENS_AT = 10
"""Failures in a row that open the circuit: one call at a time is let through, to see whether it answers."""
PATIENCE = 10.0
"""Seconds for which a circuit stays open; if no call has been answered by then, its endpoint is given up."""
INTERVAL = 1.0
"""Seconds between two calls through an open circuit."""
SILENCE, SILENCE_WHEN_PROVEN = 4.0, 0.5
"""How many failures a call counts for that was never answered; a failed connection is one.

It took its whole time, so it weighs more; but a single gateway may be silent while the others answer.
"""


@dataclass(slots=True)
class CircuitBreaker:
    """What one scan knows of one endpoint, over all accounts; `name` is how a message calls it."""

    name: str
    in_flight: int = 0
    answers: bool = False
    failures: int = 0
    given_up: CallFailed | None = None
    _failed: float = 0.0
    _opened_at: float = 0.0
    _next_probe: float = 0.0
    _prober: int | None = None
    _waiting: OrderedDict[int, Callable[[], bool]] = field(default_factory=OrderedDict)

    @property
    def is_open(self) -> bool:
        return self._failed >= OPENS_AT and not self.given_up

    def ready_at(self, wanted: float, listener: Callable[[], bool]) -> float | None:
        """When a call may start that is `wanted` then; None: `listener` is called when to ask again."""
        key = _key(listener)
        if self.is_open and wanted > self._next_probe + INTERVAL:
            # A caller that must wait for another reason must not hold the probe.
            self._let_go(key)
            return wanted
        if self.is_open:
            if not self.in_flight and self._prober in (None, key):
                self._prober = key
                return max(wanted, self._next_probe)
        elif self._free(0):
            return wanted
        self._waiting[key] = listener
        return None

    def started(self) -> None:
        """A call goes through."""
        self.in_flight += 1
        self._prober = None

    def left(self, listener: Callable[[], bool]) -> None:
        """`listener` will make no more calls."""
        self._waiting.pop(_key(listener), None)
        self._let_go(_key(listener))

    def ended(self, failure: CallFailed | None, sent_at: float, now: float, *, again: bool = False) -> None:
        """Take note of a call's end; `failure` is None where it was answered, whatever the answer.

        A call that is tried `again` does not count once more: what is wrong may be with it alone.
        """
        self.in_flight -= 1
        if failure is None:
            self.answers, self.failures, self._failed = True, 0, 0.0
        else:
            self.failures += 1
            self._next_probe = now + INTERVAL
            if not self.is_open:
                self._failed += 0.0 if again else self._weight(failure)
                self._opened_at = now
            # Calls that were in flight together show one moment only; later calls decide.
            elif sent_at >= self._opened_at and now - self._opened_at >= PATIENCE:
                self.given_up = failure
        self._wake_waiting()

    def skipped(self) -> None:
        """A call ended before it was sent, which says nothing about the endpoint."""
        self.in_flight -= 1
        self._wake_waiting()

    def check(self, left: int = 0) -> None:
        """Raises CallFailed, with nothing sent, once the endpoint was given up; `left` gateways unread."""
        if self.given_up:
            last = self.given_up.facts
            unread = f", with {left} listed gateways of this account left" if left else ""
            message = (
                f"{self.name} was given up after {self.failures} calls in a row without an answer{unread};"
                f" the last: {last.message}"
            )
            raise self.given_up.but(message=message, retryable=False, sent=False)

    def _let_go(self, key: int) -> None:
        if self._prober == key:
            self._prober = None
            self._wake_waiting()

    def _weight(self, failure: CallFailed) -> float:
        if failure.facts.kind is not FailureKind.TIMEOUT or not failure.facts.connected:
            return 1.0
        return SILENCE_WHEN_PROVEN if self.answers else SILENCE

    def _wake_waiting(self) -> None:
        # Wakes no more listeners than may call: thousands may wait for one Region.
        started = 0
        while self._waiting and self._free(started):
            _, listener = self._waiting.popitem(last=False)
            started += listener()

    def _free(self, started: int) -> bool:
        if self.is_open:
            return not self.in_flight and self._prober is None
        # Each failure makes an answer less likely, and each call may take its whole time.
        trusted = max(1, UNPROVEN - self.failures)
        return self.answers or self.given_up is not None or self.in_flight + started < trusted


def _key(listener: Callable[[], bool]) -> int:
    return id(listener.__self__)  # type: ignore[attr-defined]
