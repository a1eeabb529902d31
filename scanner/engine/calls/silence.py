"""Bounds the slots that silent gateways may hold, so that the others are still read."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

Listener = Callable[[], bool]
SILENT_AFTER = 2.0
"""Seconds in flight after which a call counts as silent; answers come sooner."""
SHARE = 0.75
"""Of all slots, that calls to doubtful targets may hold together."""
GENEROUS = 0.125
"""Of all slots: while doubtful calls hold less, a target that has not answered yet may have more than one."""
AT_FIRST = 4
"""Calls in flight to such a target at once."""


@dataclass(slots=True)
class Silence:
    """What is known of one target's gateways: whether any has answered, and the calls that wait for an answer."""

    answered: bool = False
    swallowed: bool = False
    """Whether a call has ended without an answer."""
    sent_at: dict[int, float] = field(default_factory=dict)
    """When each call in flight was sent, oldest first."""

    @property
    def since(self) -> float:
        return next(iter(self.sent_at.values()))

    def doubtful(self, now: float) -> bool:
        """Whether another call will probably get no answer either."""
        if self.answered:
            return bool(self.sent_at) and now - self.since >= SILENT_AFTER
        return self.swallowed or bool(self.sent_at)


class SilentShare:
    """Bounds the calls to doubtful targets: where nobody has answered yet, or somebody is silent for long."""

    def __init__(self, slots: int) -> None:
        self._most = max(1, int(slots * SHARE))
        self._generous = slots * GENEROUS
        self._held = 0
        self._waiting: OrderedDict[int, Listener] = OrderedDict()

    def ready_at(self, wanted: float, silence: Silence, listener: Listener) -> float | None:
        """When a target may send a call that is `wanted` then; None: `listener` is called when to ask again."""
        if not silence.doubtful(wanted):
            return wanted
        in_flight = len(silence.sent_at)
        if not silence.answered and in_flight:
            if self._held >= self._generous:
                return None
            if silence.swallowed or in_flight >= AT_FIRST:
                # One more call every few seconds: a silent gateway must not block its neighbours for long.
                wanted = max(wanted, silence.since + SILENT_AFTER * in_flight)
        if self._held < self._most:
            return wanted
        self._waiting[id(listener.__self__)] = listener  # type: ignore[attr-defined]
        return None

    def take(self, now: float, silence: Silence) -> bool:
        """A call is sent; says whether it counts as doubtful until it ends."""
        doubtful = silence.doubtful(now)
        self._held += doubtful
        return doubtful

    def release(self, *, doubtful: bool) -> None:
        """A call has ended, which counted as `doubtful`."""
        if doubtful:
            self._held -= 1
            self._wake_one()

    def leave(self, listener: Listener) -> None:
        """`listener` has no more calls to send."""
        if self._waiting.pop(id(listener.__self__), None):  # type: ignore[attr-defined]
            self._wake_one()

    def _wake_one(self) -> None:
        if self._waiting:
            _, listener = self._waiting.popitem(last=False)
            listener()
