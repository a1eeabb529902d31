"""The outputs of one scan: lines while it runs, everything else after it."""

from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import BinaryIO

from anyio import create_task_group

from scanner.config.settings import ScannerConfig
from scanner.errors import ConfigError, OutputError
from scanner.inventory.contents import Contents
from scanner.inventory.events import Event, records_in
from scanner.inventory.records import Record
from scanner.output.destination import (
    STDOUT,
    Output,
    check_outputs,
    check_placeholders,
    of_fleet,
    open_output,
    parse_output,
)
from scanner.output.ndjson import NdjsonWriter
from scanner.output.s3_upload import Bucket, begin, give_up, object_arguments, save, upload
from scanner.output.spool import open_spool, spooling
from scanner.summary.past import Past

PAGE = ".html"
Lines = Generator[None, Record | None, None]


class Outputs:
    """Checked before the scan; an output that fails later costs no other one, and `failed` says so.

    `report` is called with each failure. Raises OutputError for a place where nothing could be written, and ConfigError
    for one in the configuration that is none, though others be named instead.
    """

    def __init__(
        self, destinations: Sequence[str], config: ScannerConfig, report: Callable[[str], None]
    ) -> None:
        _check_configured(config)
        self.outputs = tuple(of_fleet(output, config.fleet) for output in check_outputs(destinations))
        for output in self.outputs:
            if output.bucket:
                open_spool(output.destination).close()
        self.failed = False
        self._config = config
        self._report = report
        self._spools: dict[Output, BinaryIO] = {}
        self._lines: dict[Output, Lines] = {}
        self._lost: set[Output] = set()
        self._written: set[Output] = set()
        self._buckets: Mapping[str, Bucket] = {}
        self._begun: dict[Output, str] = {}

    @property
    def destinations(self) -> tuple[str, ...]:
        """Where the outputs go, as they were named."""
        return tuple(output.destination for output in self.outputs)

    @property
    def on_stdout(self) -> bool:
        return any(output.destination == STDOUT for output in self.outputs)

    @property
    def written(self) -> tuple[str, ...]:
        """Those of `destinations` where the output is whole by now."""
        return tuple(each.destination for each in self.outputs if each in self._written)

    @property
    def unwritten(self) -> tuple[str, ...]:
        """The other `destinations`: failed, given up, or not begun yet."""
        return tuple(each.destination for each in self.outputs if each not in self._written)

    @property
    def reports(self) -> tuple[str, ...]:
        """The places that people read: pages first, else every file that was written."""
        written = [place for place in self.written if place != STDOUT]
        return tuple(place for place in written if place.endswith(PAGE)) or tuple(written)

    @property
    def need_inventory(self) -> bool:
        """Whether some output is written of the whole inventory, and not line by line."""
        return not all(output.format.streams for output in self.outputs)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Opens buckets, and files written line by line, which stay as they were without `finish`."""
        # Imported here, for files alone need no SDK.
        from scanner.aws.s3 import S3Bucket

        async with S3Bucket.all_of(self.outputs, self._config) as self._buckets:
            try:
                for output in self.outputs:
                    if output.format.streams:
                        self._lines[output] = self._open_lines(output)
                yield
            finally:
                self._close_files()
                await self._give_up_uploads()

    async def prove(self) -> None:
        """Begins each upload, for that is what a bucket may refuse; raises OutputError if it does."""
        for output in self.outputs:
            if output.bucket and output.key:
                bucket = self._buckets[output.bucket]
                self._begun[output] = await begin(bucket, output.key, self._arguments(output))

    def add(self, event: Event) -> None:
        """Adds the records of `event` to whatever is written line by line."""
        self.write(records_in(event))

    def write(self, records: Iterable[Record]) -> None:
        """Adds a line for each record to whatever is written line by line."""
        if self._lines:
            for record in records:
                self._send(record)

    def finish(self) -> None:
        """Puts the files written line by line into their destinations."""
        self._send(None)

    @property
    def pages(self) -> bool:
        """Whether some output is a page, which shows what a history knows."""
        return any(output.format.suffix == PAGE for output in self.outputs)

    async def save(self, inventory: Contents | None, past: Past | None = None) -> None:
        """Writes every output that takes a whole inventory, then what goes to buckets; pages with their `past`."""
        if past:
            self.outputs = tuple(_with_past(output, past) for output in self.outputs)
        for output in self.outputs:
            if inventory and not output.bucket and not output.format.streams:
                with self._noted(output):
                    await save(inventory, output)
                    self._written.add(output)
        for output in self.outputs:
            if output.bucket and output.key and output not in self._lost:
                with self._noted(output):
                    await self._upload(inventory, output, self._buckets[output.bucket], output.key)
                    self._written.add(output)

    def given_up(self) -> None:
        """The uploads that were left have been cancelled."""
        self._failed("uploads to buckets were given up, as the scan was to end")

    async def _upload(self, inventory: Contents | None, output: Output, bucket: Bucket, key: str) -> None:
        arguments, begun = self._arguments(output), self._begun.get(output)
        if output in self._spools:
            with spooling(output.destination):
                await upload(bucket, key, self._spools[output], arguments, begun)
        elif inventory:
            await save(inventory, output, bucket, arguments, begun)
        self._begun.pop(output, None)

    def _arguments(self, output: Output) -> dict[str, str]:
        settings = self._config.output
        return object_arguments(output, settings.encryption, settings.kms_key)

    def _failed(self, cause: str) -> None:
        self.failed = True
        self._report(cause)

    @contextmanager
    def _noted(self, output: Output) -> Iterator[None]:
        try:
            yield
        except OutputError as error:
            self._lost.add(output)
            self._failed(str(error))

    def _open_lines(self, output: Output) -> Lines:
        if output.bucket:
            # An object is sent whole, so its lines wait on this machine's disk.
            self._spools[output] = open_spool(output.destination)
            lines = _spooled_lines(output, self._spools[output])
        else:
            lines = _file_lines(output)
        next(lines)
        return lines

    def _send(self, record: Record | None) -> None:
        for output, lines in tuple(self._lines.items()):
            with self._noted(output), suppress(StopIteration):
                lines.send(record)
                continue
            del self._lines[output]
            if output not in self._lost and not output.bucket:
                self._written.add(output)

    def _close_files(self) -> None:
        for lines in self._lines.values():
            lines.close()
        for spool in self._spools.values():
            # What a full disk did not take is still in the buffer, and is refused again here.
            with suppress(OSError):
                spool.close()

    async def _give_up_uploads(self) -> None:
        async with create_task_group() as group:
            for output, begun in self._begun.items():
                if output.bucket and output.key:
                    group.start_soon(give_up, self._buckets[output.bucket], output.key, begun)


def _with_past(output: Output, past: Past) -> Output:
    # The same output, for a past is no part of what it is compared by.
    page = output.format.suffix == PAGE
    return replace(output, format=replace(output.format, past=past)) if page else output


def _check_configured(config: ScannerConfig) -> None:
    for destination in config.output.files:
        try:
            check_placeholders(destination)
            parse_output(destination)
        except OutputError as error:
            raise ConfigError(f"{config.origin_of('output.files')}: {error}") from None


def _file_lines(output: Output) -> Lines:
    with open_output(output) as stream:
        yield from _written(stream)


def _spooled_lines(output: Output, spool: BinaryIO) -> Lines:
    with spooling(output.destination):
        yield from _written(spool)
        spool.seek(0)


def _written(stream: BinaryIO) -> Lines:
    writer = NdjsonWriter(stream)
    while (record := (yield)) is not None:
        writer.write(record)
