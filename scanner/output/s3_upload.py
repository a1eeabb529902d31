"""Objects that appear in a bucket whole or not at all, in one request or in parts."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from tempfile import TemporaryFile
from typing import BinaryIO, Protocol

from anyio import move_on_after
from anyio.to_thread import run_sync

from scanner.errors import OutputError
from scanner.inventory.model import Inventory
from scanner.output.destination import Output, open_output

PART_SIZE = 16 * 1024 * 1024
"""S3 takes 10,000 parts, so the largest object is 160 GB; parts under 5 MiB it refuses."""
_ABORT_SECONDS = 3


class Bucket(Protocol):
    """What an upload asks of S3; every method raises `OutputError` when the service refuses.

    `arguments` are S3's own for the object, by their names in PutObject: ContentType and encryption.
    """

    async def check(self, key: str) -> None:
        """Proves before a scan that `key` may be written, as far as that can be known."""
        ...

    async def put(self, key: str, body: bytes, arguments: Mapping[str, str]) -> None: ...

    async def create(self, key: str, arguments: Mapping[str, str]) -> str:
        """Begins an upload in parts and returns its id."""
        ...

    async def part(self, key: str, upload: str, number: int, body: bytes) -> str:
        """Sends one part, counted from 1, and returns its tag."""
        ...

    async def complete(self, key: str, upload: str, tags: Sequence[str]) -> None: ...

    async def abort(self, key: str, upload: str) -> None: ...


def object_arguments(
    output: Output, encryption: str | None = None, kms_key: str | None = None
) -> dict[str, str]:
    """S3's arguments for `output`: its media type, and the encryption asked for.

    `encryption` is `AES256`, `aws:kms` or `aws:kms:dsse`; a key alone means `aws:kms`; neither leaves it to
    the bucket's own default.
    """
    arguments = {"ContentType": output.format.media_type}
    if kms_key:
        if encryption == "AES256":
            raise OutputError(f"{output.place}: AES256 takes no KMS key; use aws:kms, or leave the key out")
        arguments["SSEKMSKeyId"] = kms_key
        encryption = encryption or "aws:kms"
    if encryption:
        arguments["ServerSideEncryption"] = encryption
    return arguments


async def upload(bucket: Bucket, key: str, stream: BinaryIO, arguments: Mapping[str, str]) -> None:
    """Sends what is left in `stream`; when that fails or is cancelled, nothing of it stays behind."""
    first = await run_sync(stream.read, PART_SIZE)
    if len(first) < PART_SIZE:
        await bucket.put(key, first, arguments)
        return
    identifier = await bucket.create(key, arguments)
    whole = False
    try:
        tags: list[str] = []
        body = first
        while body:
            tags.append(await bucket.part(key, identifier, len(tags) + 1, body))
            body = await run_sync(stream.read, PART_SIZE)
        await bucket.complete(key, identifier, tags)
        whole = True
    finally:
        if not whole:
            # Parts that nobody sees are still paid for, so even a cancelled upload takes them away.
            with move_on_after(_ABORT_SECONDS, shield=True), suppress(OutputError):
                await bucket.abort(key, identifier)


async def save(
    inventory: Inventory,
    output: Output,
    bucket: Bucket | None = None,
    arguments: Mapping[str, str] | None = None,
) -> None:
    """Writes `inventory` to `output` without holding up the event loop.

    Raises `OutputError` when it could not be written; then nothing is there, or what was there before.
    """
    if output.bucket is None or output.key is None:
        await run_sync(_save_here, inventory, output)
        return
    if bucket is None:
        raise OutputError(f"{output.place}: needs its bucket")
    # Rendered to a file first: the size decides how it is sent, and memory does not grow with it.
    with TemporaryFile() as spool:
        await run_sync(_render, inventory, output, spool)
        await upload(bucket, output.key, spool, arguments or object_arguments(output))


def _save_here(inventory: Inventory, output: Output) -> None:
    with open_output(output) as stream:
        output.format.write(inventory, stream)


def _render(inventory: Inventory, output: Output, spool: BinaryIO) -> None:
    output.format.write(inventory, spool)
    spool.seek(0)
