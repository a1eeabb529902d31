"""The outputs of one scan: lines while it runs, everything else after it."""

from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from tempfile import TemporaryFile
from typing import BinaryIO

from scanner.aws.s3 import S3Bucket
from scanner.config.settings import ScannerConfig
from scanner.errors import OutputError
from scanner.inventory.model import Inventory
from scanner.inventory.records import Record
from scanner.output import (
    NdjsonWriter,
    Output,
    check_outputs,
    object_arguments,
    open_output,
    save,
    upload,
)
from scanner.output.destination import STDOUT

Lines = Generator[None, Record | None, None]


class Outputs:
    """Checked before the scan; an output that fails later costs no other one, and `failed` says so.

    `say` tells of each failure. Raises OutputError for a place where nothing could be written.
    """

    def __init__(self, places: Sequence[str], config: ScannerConfig, say: Callable[[str], None]) -> None:
        self.outputs = check_outputs(places)
        self.failed = False
        self._config = config
        self._say = say
        self._spools: dict[Output, BinaryIO] = {}
        self._lines: list[Lines] = []
        self._buckets: Mapping[str, S3Bucket] = {}

    @property
    def on_stdout(self) -> bool:
        return any(output.place == STDOUT for output in self.outputs)

    @property
    def need_inventory(self) -> bool:
        """Whether some output is written of the whole inventory, and not line by line."""
        return not all(output.format.streams for output in self.outputs)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Opens buckets, and files written line by line, which stay as they were without `finish`."""
        async with S3Bucket.all_of(self.outputs, self._config) as self._buckets:
            try:
                for output in self.outputs:
                    if output.format.streams:
                        self._lines.append(self._begun(output))
                yield
            finally:
                for lines in self._lines:
                    lines.close()
                for spool in self._spools.values():
                    spool.close()

    async def prove(self) -> None:
        """Raises OutputError for a bucket that does not admit what will be written."""
        for output in self.outputs:
            if output.bucket and output.key:
                await self._buckets[output.bucket].check(output.key, self._arguments(output))

    def write(self, records: Iterable[Record]) -> None:
        """Adds a line for each record to whatever is written line by line."""
        if self._lines:
            for record in records:
                self._send(record)

    def finish(self) -> None:
        """Puts the files written line by line into their places."""
        self._send(None)

    async def save(self, inventory: Inventory | None) -> None:
        """Writes every output that takes a whole inventory, then what goes to buckets."""
        for output in self.outputs:
            if inventory and not output.bucket and not output.format.streams:
                with self._noted():
                    await save(inventory, output)
        for output in self.outputs:
            if output.bucket and output.key:
                with self._noted():
                    await self._upload(inventory, output, self._buckets[output.bucket], output.key)

    def given_up(self) -> None:
        """The uploads that were left have been cancelled."""
        self._failed("uploads to buckets were given up, as the scan was to end")

    async def _upload(self, inventory: Inventory | None, output: Output, bucket: S3Bucket, key: str) -> None:
        if output in self._spools:
            spool = self._spools[output]
            spool.seek(0)
            await upload(bucket, key, spool, self._arguments(output))
        elif inventory:
            await save(inventory, output, bucket, self._arguments(output))

    def _arguments(self, output: Output) -> dict[str, str]:
        settings = self._config.output
        return object_arguments(output, settings.encryption, settings.kms_key)

    def _failed(self, told: str) -> None:
        self.failed = True
        self._say(told)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except OutputError as error:
            self._failed(str(error))

    def _begun(self, output: Output) -> Lines:
        if output.bucket:
            # An object is sent whole, so its lines wait on this machine's disk.
            self._spools[output] = TemporaryFile()  # noqa: SIM115 - closed when the outputs are
            lines = _spooled(self._spools[output])
        else:
            lines = _lines(output)
        next(lines)
        return lines

    def _send(self, record: Record | None) -> None:
        for lines in tuple(self._lines):
            with self._noted(), suppress(StopIteration):
                lines.send(record)
                continue
            self._lines.remove(lines)


def _lines(output: Output) -> Lines:
    with open_output(output) as stream:
        yield from _spooled(stream)


def _spooled(stream: BinaryIO) -> Lines:
    writer = NdjsonWriter(stream)
    while (record := (yield)) is not None:
        writer.write(record)
