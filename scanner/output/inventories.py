"""Whole inventories from and to files, standard output and buckets, as the command line reads and writes them."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import BinaryIO, TypeVar

from scanner.config.settings import ScannerConfig
from scanner.errors import ConfigError, OutputError
from scanner.inventory.contents import Contents
from scanner.inventory.merge import merge_parts
from scanner.inventory.model import Inventory
from scanner.inventory.read import parse_inventory
from scanner.inventory.records import ScanInfo
from scanner.output.destination import Output, check_output, check_outputs, parse_object
from scanner.output.s3_upload import object_arguments, save, save_here
from scanner.output.spool import open_spool, spooling

Result = TypeVar("Result")


def read_inventory(source: str, config: ScannerConfig | None = None) -> Inventory:
    """The inventory in `source`: a file, or `s3://bucket/key`; JSON lines where it ends in .ndjson, else JSON.

    It blocks until all is read. `config` says how to reach a bucket; by default the SDK's own settings do.
    Raises ConfigError, which names source and cause.
    """
    if source.startswith("s3:"):
        bucket, key = parse_object(source)
        return parse_inventory(_run(lambda: _download(bucket, key, config or ScannerConfig())), source)
    with _open_file(source) as file:
        try:
            content = file.read()
        except OSError as error:
            raise ConfigError(f"{source}: {error.strerror}") from None
    return parse_inventory(content, source)


def write_inventory(inventory: Inventory, destination: str, config: ScannerConfig | None = None) -> None:
    """Writes `inventory` to `destination`: a file, `-` or `s3://bucket/key`; its suffix names the format.

    It blocks until all is written, and what it writes appears whole or not at all. `config` says how to reach
    a bucket and how to encrypt; by default the SDK's own settings do. Raises OutputError.
    """
    _write(inventory, check_output(destination), config)


def _write(inventory: Contents, output: Output, config: ScannerConfig | None) -> None:
    if output.bucket is None:
        save_here(inventory, output)
        return
    _run(lambda: _upload(inventory, output, config or ScannerConfig()))


def merge_inventories(
    sources: Sequence[str], destination: str | Sequence[str], config: ScannerConfig | None = None
) -> ScanInfo:
    """Merges the inventories of different targets in `sources` into `destination`, one or several, and returns the
    merged scan.

    Files and objects may be JSON or JSON lines; a source that ends in `/` is all of them in that folder. Nothing of a
    fleet is held in memory, but for a page (`.html`). It blocks until all is written, which appears whole or not at
    all. Raises MergeError for two that claim the same target or contradict each other, ConfigError for one that
    cannot be read, OutputError.
    """
    outputs = check_outputs((destination,) if isinstance(destination, str) else destination)
    with (
        spooling(outputs[0].destination),
        closing(_parts(sources, config)) as parts,
        merge_parts(parts) as whole,
    ):
        for output in outputs:
            _write(whole, output, config)
        return whole.scan


def _parts(
    sources: Sequence[str], config: ScannerConfig | None
) -> Generator[tuple[str, BinaryIO], None, None]:
    for source in sources:
        for part in _in_folder(source, config) if source.endswith("/") else (source,):
            with _opened(part, config) as stream:
                yield part, stream


def _in_folder(folder: str, config: ScannerConfig | None) -> list[str]:
    """The inventories right in a folder, here or in a bucket; raises ConfigError where there are none."""
    if folder.startswith("s3:"):
        bucket, prefix = parse_object(folder)
        keys = _run(lambda: _list(bucket, prefix, config or ScannerConfig()))
        names = [key.removeprefix(prefix) for key in keys]
    else:
        try:
            names = os.listdir(folder)
        except (OSError, ValueError) as error:
            cause = error.strerror if isinstance(error, OSError) else "cannot be the name of a folder"
            raise ConfigError(f"{folder}: {cause}; name a folder of parts") from None
    found = sorted(name for name in names if name.endswith((".ndjson", ".json")) and "/" not in name)
    if not found:
        raise ConfigError(f"{folder}: holds no inventory; parts end in .ndjson or .json")
    return [folder + name for name in found]


async def _list(bucket: str, prefix: str, config: ScannerConfig) -> list[str]:
    from scanner.aws.s3 import S3Bucket

    async with S3Bucket.named([bucket], config) as buckets:
        try:
            return list(await buckets[bucket].sizes(prefix))
        except OutputError as error:
            raise ConfigError(str(error)) from None


def _opened(source: str, config: ScannerConfig | None) -> BinaryIO:
    if not source.startswith("s3:"):
        return _open_file(source)
    bucket, key = parse_object(source)
    spool = open_spool(source)
    try:
        _run(lambda: _download_to(spool, bucket, key, config or ScannerConfig()))
    except BaseException:
        spool.close()
        raise
    spool.seek(0)
    return spool


def _open_file(source: str) -> BinaryIO:
    try:
        return open(source, "rb")
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else "cannot be the name of a file"
        raise ConfigError(f"{source}: {cause}; name a file that `scan -o FILE.json` wrote") from None


async def _download_to(spool: BinaryIO, bucket: str, key: str, config: ScannerConfig) -> None:
    from scanner.aws.s3 import S3Bucket

    async with S3Bucket.named([bucket], config) as buckets:
        async for piece in buckets[bucket].pieces(key):
            spool.write(piece)


async def _download(bucket: str, key: str, config: ScannerConfig) -> bytes:
    # Imported here, for files alone need no SDK.
    from scanner.aws.s3 import S3Bucket

    async with S3Bucket.named([bucket], config) as buckets:
        return await buckets[bucket].get(key)


async def _upload(inventory: Contents, output: Output, config: ScannerConfig) -> None:
    from scanner.aws.s3 import S3Bucket

    arguments = object_arguments(output, config.output.encryption, config.output.kms_key)
    async with S3Bucket.all_of([output], config) as buckets:
        await save(inventory, output, buckets[output.bucket or ""], arguments)


def _run(work: Callable[[], Coroutine[None, None, Result]]) -> Result:
    # In a thread, for the caller's may have an event loop that runs.
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(lambda: asyncio.run(work())).result()
