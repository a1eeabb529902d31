"""Where an output goes: a file, standard output or a bucket; checked before a scan, written after it."""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import BinaryIO

from scanner.errors import OutputError
from scanner.inventory.scan_id import date_of
from scanner.output.atomic_files import atomic, check_writable
from scanner.output.formats import Format, format_of

STDOUT = "-"
FOLDER_MODE = 0o755
"""Of folders made for metrics, which another user reads."""
PLACEHOLDERS = ("{date}", "{scan_id}")
_PLACEHOLDER = re.compile("|".join(map(re.escape, PLACEHOLDERS)))
_LIKE_ONE = re.compile(r"\{[A-Za-z_][A-Za-z0-9_-]*\}")
_S3 = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>.+)", re.DOTALL)


@dataclass(frozen=True)
class Output:
    """Where an output goes and its format; `bucket` and `key` are set for `s3://bucket/key` only."""

    destination: str
    format: Format
    bucket: str | None = None
    key: str | None = None


def parse_output(destination: str) -> Output:
    """Reads `destination` alone: raises `OutputError` for what no scan could write, and touches nothing."""
    if not destination.startswith("s3:"):
        if re.match(r"[a-z][a-z0-9+.-]+://", destination):
            raise OutputError(f"{destination}: is no place for an output; use a file, - or s3://bucket/key")
        return Output(destination, format_of(destination))
    bucket, key = parse_object(destination)
    return Output(destination, format_of(destination), bucket, key)


def parse_object(destination: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`; raises OutputError for anything else."""
    parts = _S3.fullmatch(destination)
    if parts is None:
        raise OutputError(f"{destination}: is no object in a bucket; write it like s3://bucket/key.json")
    return parts["bucket"], parts["key"]


def check_placeholders(destination: str) -> None:
    """Raises OutputError for a placeholder that there is not."""
    for name in _LIKE_ONE.findall(destination):
        if name not in PLACEHOLDERS:
            raise OutputError(f"{destination}: {name} is not known; there are {' and '.join(PLACEHOLDERS)}")


def fill_in(destination: str, scan_id: str) -> str:
    """`destination` with `{date}`, the day in UTC on which the scan began, and `{scan_id}` filled in.

    Folders that it names with one of them are made; raises OutputError where they cannot be, and for a placeholder
    that there is not.
    """
    check_placeholders(destination)
    filled = {"{date}": date_of(scan_id).isoformat(), "{scan_id}": scan_id}
    found = _PLACEHOLDER.sub(lambda name: filled[name[0]], destination)
    folder = os.path.dirname(found)
    if folder and not found.startswith("s3:") and _PLACEHOLDER.search(os.path.dirname(destination)):
        try:
            _make_folders(folder, FOLDER_MODE if found.endswith(".prom") else None)
        except OSError as error:
            raise OutputError(f"{found}: its folder cannot be made: {error.strerror}") from None
    return found


def _make_folders(path: str, mode: int | None) -> None:
    """Makes what is missing of the folders, with `mode` where there is one, else what the umask says."""
    if not path or os.path.isdir(path):
        return
    _make_folders(os.path.dirname(path.rstrip("/")), mode)
    with suppress(FileExistsError):
        os.mkdir(path)
        if mode is not None:
            # Never that of a link which took its place.
            handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                os.fchmod(handle, mode)
            finally:
                os.close(handle)


def check_output(destination: str) -> Output:
    """`destination` as an output that can be written, as far as this machine can tell.

    Raises `OutputError`, naming destination and remedy, for an unknown suffix, a missing extra, and a
    folder that is missing or cannot be written. Whether a bucket accepts, its `Bucket` tells.
    """
    output = parse_output(destination)
    output.format.check(destination)
    if destination == STDOUT:
        _check_stdout()
    if output.bucket is None and destination != STDOUT:
        check_writable(destination)
    return output


def _check_stdout() -> None:
    if sys.__stdout__ is None:
        raise OutputError("-: standard output is closed; name a file")


def of_fleet(output: Output, fleet: str) -> Output:
    """`output`, whose metrics carry the label `fleet` if it holds metrics."""
    if output.format.suffix != ".prom":
        return output
    return replace(output, format=replace(output.format, fleet=fleet))


def check_outputs(destinations: Sequence[str]) -> tuple[Output, ...]:
    """Every one of `destinations`, checked; two that would overwrite each other are an `OutputError`."""
    seen: dict[str, str] = {}
    for destination in destinations:
        same = destination if destination == STDOUT or destination.startswith("s3:") else _real(destination)
        if same in seen:
            raise OutputError(f"{destination}: is named twice (as {seen[same]}); leave one out")
        seen[same] = destination
    return tuple(check_output(destination) for destination in destinations)


def _real(destination: str) -> str:
    try:
        return os.path.realpath(destination)
    except (OSError, ValueError):
        # The working folder is gone, or this is no path at all; the check of the destination will tell.
        return destination


@contextmanager
def open_output(output: Output) -> Iterator[BinaryIO]:
    """A stream into a file, which appears when the block ends without an error, or to stdout.

    Leaving the block flushes to the disk, which blocks: leave it in a thread inside an event loop.
    """
    if output.bucket is not None:
        raise OutputError(f"{output.destination}: lies in a bucket; upload it")
    if output.destination != STDOUT:
        with atomic(output.destination, output.format.mode) as stream:
            yield stream
        return
    _check_stdout()
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except OSError as error:
        raise OutputError(f"standard output: {error.strerror}") from error
