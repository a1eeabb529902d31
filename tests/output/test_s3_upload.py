"""An upload that was begun is completed or taken away, whenever a scan ends."""

import asyncio
from collections.abc import Mapping, Sequence
from io import BytesIO

import anyio
import pytest

from scanner.errors import OutputError
from scanner.output.s3_upload import PART_SIZE, begin, upload


class Slow:
    """A bucket that begins an upload at once, and takes its time to say so."""

    def __init__(self) -> None:
        self.open: set[str] = set()
        self.asked, self.answers = anyio.Event(), anyio.Event()

    async def put(self, key: str, body: bytes, arguments: Mapping[str, str]) -> None:
        raise AssertionError

    async def create(self, key: str, arguments: Mapping[str, str]) -> str:
        self.open.add("u-1")
        self.asked.set()
        await self.answers.wait()
        return "u-1"

    async def part(self, key: str, upload: str, number: int, body: bytes) -> str:
        await anyio.sleep_forever()
        raise AssertionError

    async def complete(self, key: str, upload: str, tags: Sequence[str]) -> None:
        self.open.remove(upload)

    async def abort(self, key: str, upload: str) -> None:
        self.open.remove(upload)


async def test_an_upload_that_is_cancelled_while_it_begins_is_taken_away() -> None:
    """S3 has begun it, and its parts would be paid for; only its id can end it."""
    bucket = Slow()
    async with anyio.create_task_group() as group:
        group.start_soon(upload, bucket, "key", BytesIO(bytes(PART_SIZE + 1)), {})
        await bucket.asked.wait()
        group.cancel_scope.cancel()
        bucket.answers.set()
    assert bucket.open == set()


async def test_a_bucket_that_does_not_answer_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.output.s3_upload.ANSWERED_WITHIN", 0.01)
    bucket = Slow()
    async with anyio.create_task_group() as group:
        group.start_soon(begin, bucket, "key", {})
        await bucket.asked.wait()
        group.cancel_scope.cancel()
    assert len(asyncio.all_tasks()) == 1


async def test_a_bucket_that_refuses_is_heard() -> None:
    class Refusing(Slow):
        async def create(self, key: str, arguments: Mapping[str, str]) -> str:
            raise OutputError("denied")

    with pytest.raises(OutputError, match="denied"):
        await begin(Refusing(), "key", {})
