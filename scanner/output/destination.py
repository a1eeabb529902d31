"""Where an output goes: a file, standard output or a bucket; checked before a scan, written after it."""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from scanner.errors import OutputError
from scanner.output.atomic_files import atomic, check_place
from scanner.output.formats import Format, format_of

STDOUT = "-"
_S3 = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>.+)", re.DOTALL)


@dataclass(frozen=True)
class Output:
    """One place and its format; `bucket` and `key` are set for `s3://bucket/key` only."""

    place: str
    format: Format
    bucket: str | None = None
    key: str | None = None


def parse_output(place: str) -> Output:
    """Reads `place` alone: raises `OutputError` for what no scan could write, and touches nothing."""
    if not place.startswith("s3:"):
        if re.match(r"[a-z][a-z0-9+.-]+://", place):
            raise OutputError(f"{place}: is no place for an output; use a file, - or s3://bucket/key")
        return Output(place, format_of(place))
    return Output(place, format_of(place), *parse_object(place))


def parse_object(place: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`; raises OutputError for anything else."""
    parts = _S3.fullmatch(place)
    if parts is None:
        raise OutputError(f"{place}: is no object in a bucket; write it like s3://bucket/key.json")
    return parts["bucket"], parts["key"]


def check_output(place: str) -> Output:
    """`place` as an output that can be written, as far as this machine can tell.

    Raises `OutputError`, naming place and remedy, for an unknown suffix, a missing extra, and a
    folder that is missing or cannot be written. Whether a bucket accepts, its `Bucket` tells.
    """
    output = parse_output(place)
    output.format.check(place)
    if place == STDOUT and sys.__stdout__ is None:
        raise OutputError("-: standard output is closed; name a file")
    if output.bucket is None and place != STDOUT:
        check_place(place)
    return output


def check_outputs(places: Sequence[str]) -> tuple[Output, ...]:
    """Every one of `places`, checked; two that would overwrite each other are an `OutputError`."""
    seen: dict[str, str] = {}
    for place in places:
        same = place if place == STDOUT or place.startswith("s3:") else _real(place)
        if same in seen:
            raise OutputError(f"{place}: is named twice (as {seen[same]}); leave one out")
        seen[same] = place
    return tuple(check_output(place) for place in places)


def _real(place: str) -> str:
    try:
        return os.path.realpath(place)
    except (OSError, ValueError):
        # The working folder is gone, or this is no path at all; the check of the place will tell.
        return place


@contextmanager
def open_output(output: Output) -> Iterator[BinaryIO]:
    """A stream into a file, which appears when the block ends without an error, or to stdout.

    Leaving the block flushes to the disk, which blocks: leave it in a thread inside an event loop.
    """
    if output.bucket is not None:
        raise OutputError(f"{output.place}: lies in a bucket; upload it")
    if output.place != STDOUT:
        with atomic(output.place, output.format.mode) as stream:
            yield stream
        return
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except OSError as error:
        raise OutputError(f"standard output: {error.strerror}") from error
