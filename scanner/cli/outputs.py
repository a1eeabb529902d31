"""The outputs of one scan: lines while it runs, everything else after it."""

from collections.abc import AsyncIterator, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress

import typer

from scanner.aws.buckets import S3Bucket
from scanner.config import OutputSettings
from scanner.errors import OutputError
from scanner.model import Inventory
from scanner.output import NdjsonWriter, Output, check_outputs, object_arguments, open_output, save
from scanner.output.destination import STDOUT
from scanner.output.text import printable
from scanner.records import Record

Lines = Generator[None, Record | None, None]


class Outputs:
    """Checked before the scan; an output that fails later costs no other one, and `failed` says so.

    Raises OutputError for a place where nothing could be written.
    """

    def __init__(self, places: Sequence[str], settings: OutputSettings | None = None) -> None:
        self.outputs = check_outputs(places)
        self._settings = settings or OutputSettings()
        self.failed = False
        self._streamed = [each for each in self.outputs if each.format.streams and not each.bucket]
        self._lines: list[Lines] = []
        self._buckets: Mapping[str, S3Bucket] = {}

    @property
    def on_stdout(self) -> bool:
        return any(output.place == STDOUT for output in self.outputs)

    @property
    def need_inventory(self) -> bool:
        """Whether some output is written of the whole inventory, and not line by line."""
        return len(self._streamed) < len(self.outputs)

    @asynccontextmanager
    async def opened(self, profile: str | None) -> AsyncIterator[None]:
        """Proves that buckets admit what will be written. Left without `finish`, files stay as they were."""
        async with S3Bucket.all_of(self.outputs, profile) as self._buckets:
            for output in self.outputs:
                if output.bucket and output.key:
                    await self._buckets[output.bucket].check(output.key, self._arguments(output))
            self._lines = [_lines(output) for output in self._streamed]
            try:
                for lines in self._lines:
                    next(lines)
                yield
            finally:
                for lines in self._lines:
                    lines.close()

    def write(self, records: Iterable[Record]) -> None:
        """Adds a line for each record to whatever is written line by line."""
        if self._lines:
            for record in records:
                self._send(record)

    def finish(self) -> None:
        """Puts the files written line by line into their places."""
        self._send(None)

    async def save(self, inventory: Inventory) -> None:
        """Writes every output that takes a whole inventory."""
        for output in self.outputs:
            if output not in self._streamed:
                bucket = self._buckets[output.bucket] if output.bucket else None
                with self._noted():
                    await save(inventory, output, bucket, self._arguments(output))

    def _arguments(self, output: Output) -> dict[str, str]:
        return object_arguments(output, self._settings.encryption, self._settings.kms_key)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except OutputError as error:
            self.failed = True
            typer.echo(f"sgw-scanner: {printable(str(error))}", err=True)

    def _send(self, record: Record | None) -> None:
        for lines in tuple(self._lines):
            with self._noted(), suppress(StopIteration):
                lines.send(record)
                continue
            self._lines.remove(lines)


def _lines(output: Output) -> Lines:
    with open_output(output) as stream:
        writer = NdjsonWriter(stream)
        while (record := (yield)) is not None:
            writer.write(record)
