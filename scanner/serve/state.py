"""What the service knows: the last good scan, and how the last one ended."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from anyio import to_thread

from scanner.inventory.model import Inventory
from scanner.inventory.records import Outcome
from scanner.serve.snapshot import Snapshot


@dataclass(slots=True)
class State:
    """The last answer that is worth serving. A scan that read nothing does not replace one that did.

    `every`: how often a scan begins. `each_volume`: the metrics have a series for each volume, too.
    `fleet` is a label of each metric. `last_failed`: when the last scan ended, if it read nothing and is not served.
    """

    every: timedelta
    each_volume: bool = True
    fleet: str | None = None
    last: Snapshot | None = None
    last_failed: datetime | None = None

    async def take(self, inventory: Inventory) -> None:
        """Renders `inventory` beside the loop, and serves it from then on."""
        if inventory.scan.outcome is Outcome.FAILED and self._good:
            self.last_failed = inventory.scan.finished_at
            return
        self.last = await to_thread.run_sync(
            partial(Snapshot.of, inventory, fleet=self.fleet, each_volume=self.each_volume)
        )
        self.last_failed = None

    def age(self, now: datetime | None = None) -> timedelta | None:
        """How old the last scan is that read something; None before the first."""
        return (now or datetime.now(UTC)) - self._good.finished_at if self._good else None

    def ready(self, now: datetime | None = None) -> bool:
        """Whether a scan that read something is younger than twice `every`."""
        age = self.age(now)
        return age is not None and age < 2 * self.every

    @property
    def _good(self) -> Snapshot | None:
        return self.last if self.last and self.last.outcome is not Outcome.FAILED else None
