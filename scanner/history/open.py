"""A history wherever it lies, as a scan and its readers use it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from anyio.to_thread import run_sync

from scanner.aws.s3 import S3Bucket
from scanner.config.settings import ScannerConfig
from scanner.errors import HistoryError, OutputError
from scanner.history.last_known import last_known
from scanner.history.mirror import Mirror, cache_of
from scanner.history.past import past_of
from scanner.history.since import Since, since
from scanner.history.store import History
from scanner.inventory.model import Inventory
from scanner.output.s3_upload import encryption_arguments
from scanner.summary.past import Past


class OpenHistory:
    """A history that takes scans; `history` is what can be asked of it. All methods raise HistoryError.

    `narrowed`: the scans that it takes are asked for a part of the fleet only.
    """

    def __init__(self, history: History, mirror: Mirror | None = None, *, narrowed: bool = False) -> None:
        self.history = history
        self._mirror = mirror
        self.narrowed = narrowed

    async def refresh(self) -> None:
        """Takes in what others have written meanwhile, where the history lies in a bucket."""
        if self._mirror:
            await self._mirror.pull()

    async def prove(self) -> None:
        """Raises HistoryError where a scan could not be kept."""
        if self._mirror:
            await self._mirror.prove_writable()
            await self._mirror.pull()
        await run_sync(self.history.prove_writable)

    async def carry(self, inventory: Inventory) -> Inventory:
        """`inventory` with what earlier scans last knew of the volumes that it does not know."""
        found = await run_sync(last_known, self.history, inventory)
        return inventory.model_copy(update={"last_known": found})

    async def since(self, inventory: Inventory) -> Since | None:
        """What became of the volumes of the scan before; None where there is none."""
        return await run_sync(lambda: since(self.history, inventory, narrowed=self.narrowed))

    async def append(self, inventory: Inventory) -> None:
        """Keeps `inventory` for good."""
        manifest = await run_sync(lambda: self.history.append(inventory, narrowed=self.narrowed))
        if self._mirror:
            await self._mirror.push(manifest)

    async def past(self, inventory: Inventory) -> Past | None:
        """What the history knows beside a scan that is kept; None for a shard, which is not all of its scan."""
        if inventory.scan.shard:
            return None
        history = self.history
        return await run_sync(lambda: past_of(history, history.find(inventory.scan.id), inventory))

    async def note(self, name: str, body: bytes) -> None:
        """Writes a small file beside the scans, such as `alerts/SCAN.json`."""
        await run_sync(self.history.folder.write, name, body)
        if self._mirror:
            await self._mirror.send(name)

    async def remove(self, names: Iterable[str]) -> None:
        """Removes files that the history has let go, where it lies in a bucket."""
        if self._mirror:
            await self._mirror.remove(names)


@asynccontextmanager
async def open_history(config: ScannerConfig) -> AsyncIterator[OpenHistory]:
    """The history that `config.history.path` names.

    Raises HistoryError where none is named or a bucket cannot be had, ConfigError for a profile that does
    not exist.
    """
    settings, selection = config.history, config.selection
    narrowed = bool(selection.accounts or selection.regions)
    if settings.path is None:
        raise HistoryError("no history is named; set history.path, or give --history PATH")
    if settings.bucket is None:
        yield OpenHistory(History(settings.path), narrowed=narrowed)
        return
    name, prefix = settings.bucket
    history = History(cache_of(settings.path))
    arguments = encryption_arguments(config.output.encryption, config.output.kms_key)
    async with AsyncExitStack() as stack:
        try:
            buckets = await stack.enter_async_context(S3Bucket.named({name}, config))
        except OutputError as error:
            raise HistoryError(str(error)) from None
        mirror = Mirror(buckets[name], prefix, history.folder, arguments)
        yield OpenHistory(history, mirror, narrowed=narrowed)
