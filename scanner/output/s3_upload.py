"""Objects that appear in a bucket whole or not at all, in one request or in parts."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import BinaryIO, Protocol

from anyio import CancelScope, move_on_after
from anyio.to_thread import run_sync

from scanner.errors import OutputError
from scanner.inventory.contents import Contents
from scanner.output.destination import Output, open_output
from scanner.output.spool import open_spool, spooling

PART_SIZE = 8 * 1024 * 1024
"""S3 takes 10,000 parts, so the largest object is 80 GB. Each part has the time of one call; under 5 MiB S3 refuses."""
ABORT_SECONDS = 3
ANSWERED_WITHIN = 1.0
"""Seconds that a cancelled scan waits for the id of an upload that is being begun."""


class Bucket(Protocol):
    """What an upload asks of S3; every method raises `OutputError` when the service refuses.

    `arguments` are S3's own for the object, by their names in PutObject: ContentType and encryption.
    """

    async def put(self, key: str, body: bytes, arguments: Mapping[str, str]) -> None: ...

    async def create(self, key: str, arguments: Mapping[str, str]) -> str:
        """Begins an upload in parts and returns its id: proof that `key` may be written, and nothing appears."""
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
    if kms_key and encryption == "AES256":
        raise OutputError(f"{output.destination}: AES256 takes no KMS key; use aws:kms, or leave the key out")
    return {"ContentType": output.format.media_type, **encryption_arguments(encryption, kms_key)}


def encryption_arguments(encryption: str | None = None, kms_key: str | None = None) -> dict[str, str]:
    """S3's arguments for the encryption that was asked for."""
    arguments = {}
    if kms_key:
        arguments["SSEKMSKeyId"] = kms_key
        encryption = encryption or "aws:kms"
    if encryption:
        arguments["ServerSideEncryption"] = encryption
    return arguments


async def upload(
    bucket: Bucket,
    key: str,
    stream: BinaryIO,
    arguments: Mapping[str, str],
    begun: str | None = None,
) -> None:
    """Sends what is left in `stream`; when that fails or is cancelled, nothing of it stays behind.

    `begun` is the id of an upload of this key that the caller has begun, and gives up if this fails.
    """
    body = await run_sync(stream.read, PART_SIZE)
    if begun is not None:
        await _send_parts(bucket, key, stream, body, begun)
        return
    if len(body) < PART_SIZE:
        await bucket.put(key, body, arguments)
        return
    own = await begin(bucket, key, arguments)
    whole = False
    try:
        await _send_parts(bucket, key, stream, body, own)
        whole = True
    finally:
        if not whole:
            await give_up(bucket, key, own)


async def begin(bucket: Bucket, key: str, arguments: Mapping[str, str]) -> str:
    """Begins an upload, and returns its id. Where it is cancelled meanwhile, what has begun is taken away."""
    beginning = asyncio.ensure_future(bucket.create(key, arguments))
    try:
        return await asyncio.shield(beginning)
    except asyncio.CancelledError:
        # Only its id can end it. A bucket that does not answer may not have begun anything.
        with CancelScope(shield=True):
            await asyncio.wait([beginning], timeout=ANSWERED_WITHIN)
            if beginning.done() and not beginning.cancelled() and not beginning.exception():
                await give_up(bucket, key, beginning.result())
            beginning.cancel()
            await asyncio.wait([beginning])
        raise


async def _send_parts(bucket: Bucket, key: str, stream: BinaryIO, body: bytes, begun: str) -> None:
    tags: list[str] = []
    while body or not tags:
        tags.append(await bucket.part(key, begun, len(tags) + 1, body))
        body = await run_sync(stream.read, PART_SIZE)
    await bucket.complete(key, begun, tags)


async def give_up(bucket: Bucket, key: str, begun: str) -> None:
    """Takes an upload away that has begun, as far as the bucket lets us; even when all is cancelled."""
    # Parts that nobody sees are still paid for.
    with move_on_after(ABORT_SECONDS, shield=True), suppress(OutputError):
        await bucket.abort(key, begun)


async def save(
    inventory: Contents,
    output: Output,
    bucket: Bucket | None = None,
    arguments: Mapping[str, str] | None = None,
    begun: str | None = None,
) -> None:
    """Writes `inventory` to `output` without holding up the event loop.

    Raises `OutputError` when it could not be written; then nothing is there, or what was there before.
    """
    if output.bucket is None or output.key is None:
        await run_sync(save_here, inventory, output)
        return
    if bucket is None:
        raise OutputError(f"{output.destination}: needs its bucket")
    # Rendered to a file first: the size decides how it is sent, and memory does not grow with it.
    with spooling(output.destination), open_spool(output.destination) as spool:
        await run_sync(_render, inventory, output, spool)
        await upload(bucket, output.key, spool, arguments or object_arguments(output), begun)


def save_here(inventory: Contents, output: Output) -> None:
    """Writes `inventory` to a file or to standard output; raises OutputError."""
    with open_output(output) as stream:
        output.format.write(inventory, stream)


def _render(inventory: Contents, output: Output, spool: BinaryIO) -> None:
    output.format.write(inventory, spool)
    spool.seek(0)
